-- A row is something that a session's log does not hold: a parent that is missing, a payload cut or sealed.
create view gaps as
select session_id, agent_id, event_id, 'left out by the source' as kind, gap as detail, source
from stored_events
where witness_of is null and gap is not null
union all
select
    child.session_id, child.agent_id, child.event_id, 'missing parent' as kind,
    'the step that caused this one is in no log that was read' as detail, child.source
from stored_events as child
anti join stored_events as parent on parent.event_id = child.parent_event_id
where child.witness_of is null and child.parent_event_id is not null
