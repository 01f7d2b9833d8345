-- A row is a step that counting looks at: a call, a decision, a hand-off, or what was asked. Payloads come only where
-- they are read: the arguments of calls that may change something, what was asked, and the beginning of each answer.
with seen as (
    select
        *,
        kind = 'tool_call' and tool is not null and capability is distinct from 'read' as may_change
    from chosen
    left join classed using (tool)
    where kind in ('tool_call', 'approval', 'handoff', 'message', 'lifecycle')
)

select
    trace_id, session_id, event_id, ordered_at, sequence, depth, kind_rank, kind,
    coalesce(agent_id, '') as agent_id,
    coalesce(agent_version, '') as agent_version,
    case when kind = 'message' then operation end as operation,
    tool, principal, credential_id, source_host, target, approval, approver, status,
    coalesce(capability, '') as capability,
    may_change,
    case when kind = 'approval' then started_at end as started_at,
    case when kind = 'approval' then ended_at end as ended_at,
    case when kind = 'approval' then parent_event_id end as parent_event_id,
    case when kind = 'tool_call' and starts_with(arguments, '{') and json_valid(arguments)
        then array_to_string(list_sort(json_keys(arguments)), ',') end as argument_shape,
    case when (may_change or kind in ('message', 'lifecycle')) and strlen(arguments) <= 65536
        then arguments end as arguments,
    case when kind = 'tool_call' then substr(result, 1, 8192) end as result
from seen
