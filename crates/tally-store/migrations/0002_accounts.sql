-- Accounts of people, how they come in, and the replies kept for repeated requests.
-- Times here are milliseconds since 1970 (UTC), as statements compare them.
create table account (
    person text /* binary */ not null primary key,
    password_hash text not null,
    created_ms bigint not null,
    changed_ms bigint not null,
    last_sign_in_ms bigint,
    disabled_ms bigint
);

-- `person` is null for the one invitation of purpose `set_up`.
create table invitation (
    id text not null primary key,
    token_hash text not null unique,
    purpose text not null,
    person text /* binary */ unique,
    created_ms bigint not null,
    created_by text not null,
    expires_ms bigint not null
);

-- `ends_ms` never moves; `expires_ms` is it, or earlier when the session lies idle.
create table session (
    id text not null primary key,
    token_hash text not null unique,
    person text /* binary */ not null,
    csrf_token text not null,
    created_ms bigint not null,
    seen_ms bigint not null,
    ends_ms bigint not null,
    expires_ms bigint not null,
    user_agent text not null
);

create index session_by_person on session (person, created_ms);
create index session_by_expiry on session (expires_ms);

-- `status` is null while the request is being served.
create table idempotency (
    key_hash text not null primary key,
    request_hash text not null,
    begun_ms bigint not null,
    expires_ms bigint not null,
    status bigint,
    content_type text,
    body /* bytes */
);

create index idempotency_by_expiry on idempotency (expires_ms);
