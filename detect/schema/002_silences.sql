-- A row: what a person does not want to hear of, until when and why. A field that is null matches everything.
create table silences (
    silence_id integer primary key,
    said_at real not null,
    said_by text not null,
    why text not null,
    expires_at real not null,
    agent text,
    detector text,
    case_id text,
    tool text,
    check (coalesce(agent, detector, case_id, tool) is not null),
    check (expires_at > said_at)
);

-- A row: a silence that a person ended early.
create table silences_ended (
    silence_id integer primary key references silences,
    said_at real not null,
    said_by text not null
);

create trigger silences_do_not_change before update on silences
begin
    select raise(abort, 'silences are append-only');
end;

create trigger silences_are_kept before delete on silences
begin
    select raise(abort, 'silences are append-only');
end;

create trigger silences_ended_do_not_change before update on silences_ended
begin
    select raise(abort, 'silences are append-only');
end;

create trigger silences_ended_are_kept before delete on silences_ended
begin
    select raise(abort, 'silences are append-only');
end;
