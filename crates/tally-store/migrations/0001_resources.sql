-- Portable between SQLite and PostgreSQL. On PostgreSQL `/* binary */` becomes a
-- collation by bytes, which is SQLite's own, so that both sort names alike.
create table resource (
    kind text not null,
    name text /* binary */ not null,
    version bigint not null,
    spec text not null,
    status text not null,
    applied_by text,
    created_at text not null,
    updated_at text not null,
    primary key (kind, name)
);

create table audit (
    sequence bigint not null primary key,
    recorded_at text not null,
    actor text not null,
    action text not null,
    kind text not null,
    name text /* binary */ not null,
    version bigint not null,
    spec_before text,
    spec_after text,
    note text
);

create index audit_by_resource on audit (kind, name, sequence);

-- One row: the sequence of the last audit entry. Each change locks it first, which puts
-- writers in line and makes sequences gapless and ordered as committed.
create table revision (
    id bigint not null primary key,
    value bigint not null
);

insert into revision (id, value) values (1, 0);
