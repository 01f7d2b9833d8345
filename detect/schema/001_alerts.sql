-- A row: one step that raised alerts. The sum over all rows must equal the rows of `alerts`: nothing is lost.
create table raisings (
    raising_id integer primary key,
    raised_at real not null,
    alerts integer not null check (alerts > 0)
);

-- A row: one revision of one case's alert on its way to one sink. Times are seconds since 1970, UTC.
-- `rank` orders severities, the least is 0. `fingerprint` is of what makes a new revision. `is_leased` while it is
-- being sent. `why` says what the receiver answered last, or why the alert is dead or suppressed.
create table alerts (
    alert_id text primary key,
    raising_id integer not null references raisings,
    case_id text not null,
    revision integer not null,
    sink text not null,
    kind text not null check (kind in ('created', 'updated', 'closed', 'summary')),
    severity text not null,
    rank integer not null,
    fingerprint text not null,
    content blob not null,
    state text not null check (state in ('pending', 'delivered', 'dead', 'suppressed')),
    why text,
    attempts integer not null default 0,
    raised_at real not null,
    due_at real not null,
    is_leased integer not null default 0,
    settled_at real,
    unique (case_id, revision, sink)
);

create index alerts_by_sink on alerts (sink, state, due_at);

create trigger alerts_are_kept before delete on alerts
begin
    select raise(abort, 'an alert is never deleted');
end;

create trigger raisings_are_kept before delete on raisings
begin
    select raise(abort, 'a raising is never deleted');
end;

-- A row: how a sink fares. `failures` in a row make it rest; 410 disables it until a person enables it.
create table sinks (
    sink text primary key,
    failures integer not null default 0,
    rests_until real not null default 0,
    disabled_at real,
    disabled_why text
);
