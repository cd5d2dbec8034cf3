-- Providers' bills that were held against what was metered. The id follows from what the bill
-- says, so that a bill is kept once. Amounts are decimals of US dollars; `bill` and `found` are
-- JSON: the lines as they were read, and what came of holding them against what was metered.
create table reconciliation (
    id text not null primary key,
    provider text not null,
    first_day text not null,
    last_day text not null,
    format text not null,
    billed_usd text,
    metered_usd text not null,
    variances bigint not null,
    imported_by text not null,
    imported_ms bigint not null,
    bill text not null,
    found text not null
);

create index reconciliation_by_day on reconciliation (last_day, imported_ms);
