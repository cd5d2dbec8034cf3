-- The Merkle log over `audit`: every entry is a leaf. `audit` and `audit_opening` hold
-- what can be erased; `audit_hash` never changes.
-- `position` counts the hashes of complete subtrees in the order in which they come to
-- be, so that appending adds rows and changes none.
create table audit_hash (
    position bigint not null primary key,
    hash text not null
);

-- What opens the commitments that an entry's leaf holds: a seed for all of its fields
-- or, once something of it was erased, a salt or the commitment of each.
create table audit_opening (
    sequence bigint not null primary key,
    opening text not null
);

-- Keys that sign checkpoints, and the entries that introduce them.
create table audit_key (
    since bigint not null primary key,
    public_key text not null
);

create table audit_checkpoint (
    size bigint not null primary key,
    note text not null,
    created_ms bigint not null
);

-- Who was erased, so that a restored backup can be brought to forget them again.
create table erasure (
    sequence bigint not null primary key,
    person text /* binary */ not null,
    erased_ms bigint not null
);
