-- A row: one revision of one case's alert on its way to one sink.
create table alerts (
    alert_id text primary key,
    case_id text not null,
    revision integer not null,
    sink text not null,
    body blob not null,
    state text not null check (state in ('pending', 'delivered')),
    attempts integer not null default 0,
    last_error text,
    unique (case_id, revision, sink)
);
