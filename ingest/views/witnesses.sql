-- A row is a record that tells of a step another record opened: a log line, an end, a nested span.
create view witnesses as
select witness_of as event_id, session_id, witness, operation, status, source, source_sha256
from stored_events
where witness_of is not null
