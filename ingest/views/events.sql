-- A row is one step of one agent; what only supports a step is left out (see `witnesses`).
create view events as
select
    event_id, session_id, agent_id, agent_version, parent_event_id,
    trace_id, sequence, ordered_at, depth, kind_rank,
    started_at, ended_at, kind, operation, tool, arguments, result, status, error, model,
    principal, credential_id, on_behalf_of, source_host, target, approver, approval,
    input_tokens, output_tokens, gap, source, source_sha256, witness, witnesses, disagreement
from stored_events
where witness_of is null
