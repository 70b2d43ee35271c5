-- Ways to log in: what tenants allow, a second verifier, application passwords, operators who act for users.

-- What the log-ins of a tenant's accounts have to keep to; null: nothing beyond what holds for everybody. See LoginPolicy.
alter table directory.tenant add column login_policy jsonb;
-- Who signs the tokens of a tenant's users (OAUTHBEARER); null: nobody. See TokenIssuer.
alter table directory.tenant add column token_issuer jsonb;
-- Finds the tenants of an issuer, where a client brings a token and names nobody.
create index tenant_issuer on directory.tenant ((token_issuer->>'issuer')) where token_issuer is not null;
-- The LDAP server that checks the passwords of a tenant's accounts; null: the verifiers here do. See LdapServer.
alter table directory.tenant add column ldap jsonb;

-- A SCRAM-SHA-1 verifier beside the other, for tenants whose policy keeps both. "verifier" may be a hash of another system by now: {SCHEME}…, until its user logs in.
alter table directory.account add column verifier_sha1 text;

-- Numbers that no client may know and all nodes share, made once.
create table directory.secret (
    name  text primary key,
    value bytea not null
);
insert into directory.secret (name, value)
values ('scram-salt', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

-- Application passwords: long random ones, so that a plain hash of theirs is enough. Gone with their account.
create table directory.app_password (
    account_id   bigint not null references directory.account (id) on delete cascade,
    name         text not null,
    -- SHA-256 of the password.
    hash         bytea not null,
    -- imap, pop3…; null: all.
    protocols    text[],
    -- Where it may be used from; null: anywhere.
    networks     cidr[],
    created      timestamptz not null default now(),
    last_used    timestamptz,
    last_address inet,
    primary key (account_id, name)
);

-- Operators: they log in as users of some tenants, and each such log-in is written to the log.
create table directory.operator (
    name         text primary key check (name = lower(name)),
    verifier     text not null,
    -- Whose users they may act for; null: all tenants'.
    tenants      bigint[],
    created      timestamptz not null default now(),
    last_login   timestamptz,
    last_address inet
);
