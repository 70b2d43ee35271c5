-- The directory: who exists and where their mail is. No foreign key leads from here into the schema mail or back,
-- so that the accounts of one directory can be spread over several PostgreSQL clusters.
create schema directory;

-- Ids of everything, in blocks of 4,096: a node takes the block that begins at nextval and numbers from there.
create sequence directory.id_block as bigint increment by 4096 start with 4096;

-- One row a customer of the provider; tenants never see each other.
create table directory.tenant (
    id           bigint primary key,
    name         text not null unique,
    enabled      boolean not null default true,
    delimiter    char(1) not null default '/' check (delimiter in ('/', '.')),
    prefix       text not null default '',
    -- The folders of a new account: [{"path": ["Sent"], "use": "\\Sent"}, …]; null for the built-in set.
    folders      jsonb,
    -- Whether a byte-identical redelivery within 24 hours is answered without being stored again.
    deduplicate  boolean not null default true,
    created      timestamptz not null default now()
);

-- The mail domains of a tenant, in lower case.
create table directory.domain (
    name         text primary key check (name = lower(name)),
    tenant_id    bigint not null references directory.tenant (id),
    created      timestamptz not null default now()
);
-- Lists a tenant's domains.
create index domain_tenant on directory.domain (tenant_id);

-- One row an account; the address is what its user logs in with, and may change.
create table directory.account (
    id           bigint primary key,
    tenant_id    bigint not null references directory.tenant (id),
    user_name    text not null unique check (user_name = lower(user_name)),
    -- SCRAM-SHA-256 verifier in the form of RFC 5803; null: no password log-in.
    verifier     text,
    login        boolean not null default true,
    -- 0 on, 1 deferred (4.x.x), 2 refused (5.x.x).
    delivery     smallint not null default 0 check (delivery between 0 and 2),
    -- Null: as the tenant says.
    delimiter    char(1) check (delimiter in ('/', '.')),
    prefix       text,
    -- Which PostgreSQL cluster keeps the mail.
    cluster_id   integer not null default 0,
    created      timestamptz not null default now(),
    last_login   timestamptz,
    last_address inet
);
-- Lists a tenant's accounts by page.
create index account_tenant on directory.account (tenant_id, user_name);

-- Addresses that are not accounts: mail to them goes to the targets, which may be aliases again.
create table directory.alias (
    address      text primary key check (address = lower(address)),
    tenant_id    bigint not null references directory.tenant (id),
    targets      text[] not null,
    created      timestamptz not null default now()
);
-- Lists a tenant's aliases.
create index alias_tenant on directory.alias (tenant_id);
