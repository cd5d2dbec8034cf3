-- Who looked at which violation. The violations themselves are usage events in the warehouse;
-- `event_ms` is when the call was, in milliseconds since 1970 (UTC).
create table violation_acknowledgement (
    event_id text not null primary key,
    event_ms bigint not null,
    acknowledged_by text not null,
    acknowledged_ms bigint not null,
    note text not null
);

create index violation_acknowledgement_by_event on violation_acknowledgement (event_ms);
