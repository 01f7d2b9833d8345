-- A row is one field of one reader's events: how many of the steps that could have it do have it.
with told as (
    select files.reader, events.*
    from events
    join (select path, any_value(reader order by sha256) as reader from files group by path) as files
        on files.path = regexp_replace(events.source, ':[0-9]+$', '')
),

fields as (
    select reader, unnest([
        {field: 'session_id', applies: true, filled: session_id <> trace_id},
        {field: 'agent_id', applies: true, filled: agent_id is not null},
        {field: 'agent_version', applies: true, filled: agent_version is not null},
        {field: 'started_at', applies: true, filled: started_at is not null},
        {field: 'sequence', applies: true, filled: sequence is not null},
        {field: 'parent_event_id', applies: true, filled: parent_event_id is not null},
        {field: 'on_behalf_of', applies: true, filled: on_behalf_of is not null},
        {field: 'source_host', applies: true, filled: source_host is not null},
        {field: 'tool', applies: kind = 'tool_call', filled: tool is not null},
        {field: 'arguments', applies: kind = 'tool_call', filled: arguments is not null},
        {field: 'result', applies: kind = 'tool_call', filled: result is not null},
        {field: 'status', applies: kind = 'tool_call', filled: status <> 'unknown'},
        {field: 'principal', applies: kind = 'tool_call', filled: principal is not null},
        {field: 'credential_id', applies: kind = 'tool_call', filled: credential_id is not null},
        {field: 'target', applies: kind = 'tool_call', filled: target is not null},
        {field: 'approval', applies: kind = 'tool_call', filled: coalesce(approval, 'cannot_record') <> 'cannot_record'},
        {field: 'approver', applies: kind = 'approval', filled: approver is not null},
        {field: 'model', applies: kind = 'model_call', filled: model is not null},
        {field: 'input_tokens', applies: kind = 'model_call', filled: input_tokens is not null}
    ], recursive := true)
    from told
)

select reader, field, count(*) filter (applies) as steps, count(*) filter (applies and filled) as filled
from fields
group by all
having steps > 0
order by reader, field
