-- A row is one session: one run toward one goal, by one agent or several.
create view sessions as
select
    session_id,
    arg_min(agent_id, (first_at is null, first_at, trace_id, agent_id)) as agent_id,
    list(distinct agent_id order by agent_id) as agents,
    arg_min(agent_version, (agent_version is null, first_at is null, first_at, trace_id)) as agent_version,
    sum(steps)::bigint as steps,
    sum(tool_calls)::bigint as tool_calls,
    sum(errors)::bigint as errors,
    sum(input_tokens)::bigint as input_tokens,
    sum(output_tokens)::bigint as output_tokens,
    list_sort(list_distinct(flatten(list(approvals)))) as approvals,
    min(first_at) as first_at,
    max(last_at) as last_at
from stored_traces
group by session_id
