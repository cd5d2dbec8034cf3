-- Stages that budgets reached, what people are told, and what is sent out of the house.
-- Times here are milliseconds since 1970 (UTC), as statements compare them.
create table stage_event (
    sequence bigint not null primary key,
    event_key text not null unique,
    budget text /* binary */ not null,
    each_of text /* binary */ not null,
    reached text not null,
    grant_name text
);

create index stage_event_by_budget on stage_event (budget, sequence);

create table notification (
    sequence bigint not null primary key,
    notice_key text not null,
    person text /* binary */ not null,
    title text not null,
    body text not null,
    link text not null,
    created_ms bigint not null,
    read_ms bigint,
    unique (person, notice_key)
);

create index notification_by_person on notification (person, sequence);

-- `receiver` is the name of a webhook or of a Slack channel in the configuration; empty
-- for mail, of which there is one server. `finished_ms` is null while it waits.
create table delivery (
    sequence bigint not null primary key,
    delivery_key text not null unique,
    channel text not null,
    receiver text not null,
    recipient text not null,
    notice text not null,
    state text not null,
    attempts bigint not null,
    created_ms bigint not null,
    due_ms bigint not null,
    finished_ms bigint,
    last_error text
);

create index delivery_by_due on delivery (state, channel, receiver, due_ms);
create index delivery_by_end on delivery (finished_ms);
