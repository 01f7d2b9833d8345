"""Any agent's log -> events: readers, the event type and the store."""
