-- A row is how often, on one day, an agent showed one value of one aspect in one context. Rows add up.
-- With $by_session a row is one session's part of that.
with calls as (
    select
        trace_id,
        session_id,
        coalesce(agent_id, '') as agent_id,
        coalesce(agent_version, '') as agent_version,
        cast(min(ordered_at) over (partition by trace_id) as date) as day,
        ordered_at,
        tool,
        kind,
        coalesce(classed.capability, '') as capability,
        principal,
        credential_id,
        target,
        approval,
        case when json_valid(arguments) and json_type(arguments) = 'OBJECT'
            then array_to_string(list_sort(json_keys(arguments)), ',') end as argument_shape,
        lag(tool, 1, '') over (
            partition by trace_id, agent_id
            order by ordered_at nulls first, sequence nulls first, depth, kind_rank, event_id
        ) as previous_tool
    from chosen
    left join classed using (tool)
    where kind = 'tool_call' and tool is not null
),

delegated as (
    select distinct session_id, agent_id as delegator, target as agent_id
    from chosen
    where kind = 'handoff' and target is not null
),

told as (
    select day, agent_id, agent_version, 'session' as aspect, '' as context, '' as value, session_id from calls
    union all
    select day, agent_id, agent_version, 'version', '', agent_version, session_id from calls
    union all
    select day, agent_id, agent_version, 'tool', '', tool, session_id from calls
    union all
    select day, agent_id, agent_version, 'transition', previous_tool, tool, session_id from calls
    union all
    select day, agent_id, agent_version, 'capability', '', capability, session_id from calls
    union all
    select day, agent_id, agent_version, 'principal', '', principal, session_id from calls
    where principal is not null
    union all
    select day, agent_id, agent_version, 'credential', '', credential_id, session_id from calls
    where credential_id is not null
    union all
    select day, agent_id, agent_version, 'target', '', target, session_id from calls
    where target is not null
    union all
    select day, agent_id, agent_version, 'tool_target', tool, target, session_id from calls
    where target is not null
    union all
    select day, agent_id, agent_version, 'argument_shape', tool, argument_shape, session_id from calls
    where argument_shape is not null
    union all
    select day, agent_id, agent_version, 'approval', tool, approval, session_id from calls
    where approval is not null
    union all
    select
        day, agent_id, agent_version, 'hour',
        case when isodow(ordered_at::timestamp) < 6 then 'weekday' else 'weekend' end,
        lpad(hour(ordered_at::timestamp)::varchar, 2, '0'), session_id
    from calls
    where ordered_at is not null
    union all
    select calls.day, agent_id, agent_version, 'delegated_capability', delegator, capability, session_id
    from calls
    join delegated using (session_id, agent_id)
    union all
    select day, agent_id, agent_version, 'calls_a_session', '', lpad(count(*)::varchar, 6, '0'), session_id
    from calls
    group by day, agent_id, agent_version, session_id
)

select
    case when $by_session then session_id end as session_id,
    day, agent_id, agent_version, aspect, context, value,
    count(*) as steps,
    count(distinct session_id) as sessions
from told
group by all
order by all
