-- A row: what a person said of a case. The last row of a case is what holds; undo is a new row that opens it again.
-- Times are seconds since 1970, UTC. `expires_at` is in the time of the logs: later steps are judged as ever.
create table verdicts (
    verdict_id integer primary key,
    case_id text not null,
    said_at real not null,
    said_by text not null check (length(trim(said_by)) > 0),
    verdict text not null check (verdict in ('true_positive', 'false_positive', 'benign_expected', 'open')),
    note text not null default '',
    expires_at real,
    check (verdict <> 'benign_expected' or expires_at is not null)
);

create index verdicts_by_case on verdicts (case_id, verdict_id);

-- A row: a finding that the case had when the verdict was given; what follows is tuned by these.
create table verdicts_cover (
    verdict_id integer not null references verdicts,
    detector text not null,
    agent_id text not null,
    tool text,
    target text,
    session_id text not null
);

-- A row: who looks after a case, from then on.
create table owners (
    owner_id integer primary key,
    case_id text not null,
    said_at real not null,
    said_by text not null,
    owner text
);

-- A row: what a person wrote of a case or a step; a step that is kept as evidence may have no words.
create table notes (
    note_id integer primary key,
    said_at real not null,
    said_by text not null,
    case_id text,
    session_id text,
    event_id text,
    words text not null default '',
    is_evidence integer not null default 0 check (is_evidence in (0, 1)),
    check (coalesce(case_id, session_id, event_id) is not null)
);

create trigger verdicts_do_not_change before update on verdicts
begin
    select raise(abort, 'verdicts are append-only');
end;

create trigger verdicts_are_kept before delete on verdicts
begin
    select raise(abort, 'verdicts are append-only');
end;

create trigger verdicts_cover_does_not_change before update on verdicts_cover
begin
    select raise(abort, 'verdicts are append-only');
end;

create trigger verdicts_cover_is_kept before delete on verdicts_cover
begin
    select raise(abort, 'verdicts are append-only');
end;

create trigger owners_do_not_change before update on owners
begin
    select raise(abort, 'owners are append-only');
end;

create trigger owners_are_kept before delete on owners
begin
    select raise(abort, 'owners are append-only');
end;

create trigger notes_do_not_change before update on notes
begin
    select raise(abort, 'notes are append-only');
end;

create trigger notes_are_kept before delete on notes
begin
    select raise(abort, 'notes are append-only');
end;
