-- Mail. Every table of accounts' mail starts its primary key with the account; ids come from blocks of directory.id_block.
create schema mail;

-- An account's usage and limits; locked after mailbox rows and before tenant rows, each in id order.
create table mail.account (
    account_id       bigint primary key,
    tenant_id        bigint not null,
    user_name        text not null,
    messages         bigint not null default 0,
    bytes            bigint not null default 0,
    max_messages     bigint,
    max_bytes        bigint,
    -- The last UIDVALIDITY that was given out here: the next is larger.
    last_uidvalidity bigint not null default 0
) with (fillfactor = 50);
-- Sums a tenant's usage, lists its accounts' usage.
create index account_tenant on mail.account (tenant_id);

-- A tenant's usage and limits. Charged by commits only where charged is set, which a limit does.
create table mail.tenant (
    tenant_id    bigint primary key,
    charged      boolean not null default false,
    messages     bigint not null default 0,
    bytes        bigint not null default 0,
    max_messages bigint,
    max_bytes    bigint
) with (fillfactor = 50);

-- Parts of a tenant's quota that a silo may use up without locking the tenant's row.
create table mail.tenant_grant (
    tenant_id bigint not null,
    silo      text not null,
    epoch     bigint not null,
    granted   bigint not null,
    used      bigint not null default 0,
    primary key (tenant_id, silo)
) with (fillfactor = 50);

-- One row a mailbox; its counters are changed by the same statement as its messages.
create table mail.mailbox (
    account_id     bigint not null,
    id             bigint not null,
    -- Path of segments, NFC; a first segment INBOX in upper case.
    path           text[] not null,
    special_use    text[] not null default '{}',
    uidvalidity    bigint not null,
    uidnext        bigint not null default 1,
    highest_modseq bigint not null default 1,
    -- Expunges up to this modseq are no longer in the log.
    vanished_floor bigint not null default 0,
    -- The first UID that no session was told to be \Recent.
    first_recent   bigint not null default 1,
    messages       bigint not null default 0,
    unseen         bigint not null default 0,
    deleted        bigint not null default 0,
    bytes          bigint not null default 0,
    -- The claim: every commit names the epoch it was made under, and an older one is refused.
    epoch          bigint not null default 0,
    owner          text,
    created        timestamptz not null default now(),
    -- Set: gone for everybody, its rows are being removed in slices.
    deleted_at     timestamptz,
    primary key (account_id, id)
) with (fillfactor = 50);
-- A name is one mailbox; also finds it.
create unique index mailbox_path on mail.mailbox (account_id, path) where deleted_at is null;
-- Finds mailboxes whose rows still have to go.
create index mailbox_deleted on mail.mailbox (deleted_at) where deleted_at is not null;

-- The largest UIDVALIDITY a name ever had; outlives mailbox and account.
create table mail.name_history (
    user_name   text not null,
    path        text[] not null,
    uidvalidity bigint not null,
    primary key (user_name, path)
);

-- The names a user is subscribed to; they need not exist.
create table mail.subscription (
    account_id bigint not null,
    path       text[] not null,
    primary key (account_id, path)
);

-- The keywords of a mailbox, in the case first seen; message_flags refers to them by number.
create table mail.keyword (
    account_id bigint not null,
    mailbox_id bigint not null,
    id         smallint not null,
    name       text collate "C" not null,
    primary key (account_id, mailbox_id, id)
);
-- Keywords are one whatever their case.
create unique index keyword_name on mail.keyword (account_id, mailbox_id, lower(name));

-- Stored bytes. location 0: in body_chunk; codec 0: as they are.
create table mail.body (
    id        bigint not null,
    tenant_id bigint not null,
    size      bigint not null,
    crc32c    integer not null,
    codec     smallint not null default 0,
    key       bytea,
    location  smallint not null default 0,
    -- 0 in use, 1 marked by the collector.
    state     smallint not null default 0,
    created   timestamptz not null default now(),
    primary key (id)
) partition by hash (id);

-- The bytes: one chunk up to 8,000 bytes, kept in the row; larger bodies in chunks of 262,144.
create table mail.body_chunk (
    body_id bigint not null,
    no      integer not null,
    data    bytea not null,
    primary key (body_id, no)
) partition by hash (body_id);

-- What was computed from a body at delivery: structure, offsets, envelope, headers; the first byte tells the format.
create table mail.content (
    body_id bigint not null,
    data    bytea not null,
    primary key (body_id)
) partition by hash (body_id);

do $$
begin
    for p in 0..15 loop
        execute format('create table mail.body_%s partition of mail.body for values with (modulus 16, remainder %s)', p, p);
        -- A row of up to 8,000 bytes stays in the page; what is larger goes out of line, not compressed.
        execute format('create table mail.body_chunk_%s partition of mail.body_chunk for values with (modulus 16, remainder %s) with (toast_tuple_target = 8160)', p, p);
        execute format('alter table mail.body_chunk_%s alter column data set storage external', p);
        execute format('create table mail.content_%s partition of mail.content for values with (modulus 16, remainder %s) with (toast_tuple_target = 8160)', p, p);
    end loop;
end $$;

-- Claims on a body that no message has taken yet; a commit takes its row away, and finds the body gone where there is none.
create table mail.body_staged (
    body_id bigint not null,
    claim   integer not null,
    created timestamptz not null default now(),
    primary key (body_id, claim)
);
-- Finds claims that nobody came for.
create index body_staged_created on mail.body_staged (created);

-- One row a message content in an account; COPY and MOVE share it.
create table mail.email (
    account_id    bigint not null,
    id            bigint not null,
    body_id       bigint not null,
    thread_id     bigint not null,
    -- RFC822.SIZE: prefix and body.
    size          bigint not null,
    internal_date timestamptz not null,
    -- Minutes east of UTC that INTERNALDATE was given with.
    zone          smallint not null,
    -- Header lines of ours that come before the body (Return-Path, Delivered-To…).
    prefix        bytea not null,
    primary key (account_id, id)
);
-- Tells the collector whether a body is still referred to.
create index email_body on mail.email (body_id);

-- Which thread a Message-ID (as a 64-bit hash) belongs to in an account.
create table mail.thread (
    account_id bigint not null,
    key        bigint not null,
    thread_id  bigint not null,
    primary key (account_id, key)
);

-- One row a message in a mailbox: what never changes while it is there. Size, date and thread stand here too, so that opening a mailbox reads no email row.
create table mail.message (
    account_id    bigint not null,
    mailbox_id    bigint not null,
    uid           bigint not null,
    email_id      bigint not null,
    thread_id     bigint not null,
    size          bigint not null,
    internal_date timestamptz not null,
    zone          smallint not null,
    save_date     timestamptz not null default now(),
    -- The UIDL it had where it was imported from.
    pop3_uidl     text,
    primary key (account_id, mailbox_id, uid)
);
-- Tells whether an email is still in some mailbox.
create index message_email on mail.message (account_id, email_id);

-- Flags and modseq, apart from the rest and never indexed, so that a change of flags is a HOT update.
create table mail.message_flags (
    account_id bigint not null,
    mailbox_id bigint not null,
    uid        bigint not null,
    -- 1 \Seen, 2 \Answered, 4 \Flagged, 8 \Deleted, 16 \Draft.
    flags      smallint not null,
    -- Sorted numbers of mail.keyword; null for none.
    keywords   smallint[],
    modseq     bigint not null,
    primary key (account_id, mailbox_id, uid)
) with (fillfactor = 50);

-- A user's own \Seen in mailboxes that are shared with him.
create table mail.seen_by (
    account_id bigint not null,
    mailbox_id bigint not null,
    viewer_id  bigint not null,
    uids       int8multirange not null,
    modseq     bigint not null,
    primary key (account_id, mailbox_id, viewer_id)
);

-- The log of changes: one row an operation. Serves VANISHED, explain and audit.
-- kind: 1 added, 2 flags, 3 expunged, 4 copied in, 5 moved in, 6 moved out.
create table mail.change (
    account_id  bigint not null,
    mailbox_id  bigint not null,
    modseq      bigint not null,
    kind        smallint not null,
    uids        int8multirange not null,
    actor       text not null,
    session     text not null,
    address     text,
    at          timestamptz not null default now(),
    incarnation bigint not null,
    counter     bigint not null
) partition by range (at);
-- Reads a mailbox's changes after a modseq.
create index change_mailbox on mail.change (account_id, mailbox_id, modseq);

-- Messages that were expunged, for undelete; while a row is here its email and body stay.
create table mail.expunged (
    account_id bigint not null,
    mailbox_id bigint not null,
    uid        bigint not null,
    email_id   bigint not null,
    flags      smallint not null,
    -- By name: the numbers are given to other keywords later.
    keywords   text[],
    modseq     bigint not null,
    at         timestamptz not null default now()
) partition by range (at);
-- Finds a mailbox's expunged messages.
create index expunged_mailbox on mail.expunged (account_id, mailbox_id, uid);
-- Tells whether an email is still restorable.
create index expunged_email on mail.expunged (account_id, email_id);

-- Outcomes of operations for some hours, so that a retry finds its own.
create table mail.operation (
    account_id  bigint not null,
    incarnation bigint not null,
    counter     bigint not null,
    at          timestamptz not null default now(),
    status      smallint not null,
    modseq      bigint,
    src_modseq  bigint,
    uids        int8multirange,
    src_uids    int8multirange,
    -- What a change of the tree made, took away or gave a new UIDVALIDITY.
    mailboxes   bigint[]
) partition by range (at);
-- Finds the outcome of an operation.
create index operation_id on mail.operation (account_id, incarnation, counter);

-- Deliveries of the last day, so that a redelivery is recognised.
create table mail.delivery (
    account_id bigint not null,
    hash       uuid not null,
    at         timestamptz not null default now()
) partition by range (at);
-- Finds a delivery.
create index delivery_hash on mail.delivery (account_id, hash);

-- Makes the partitions of the tables that are split by day, from yesterday to some days ahead; drops none.
create function mail.ensure_partitions(ahead integer default 7) returns void
language plpgsql set timezone = 'UTC' as $$
declare
    t text;
    d date;
begin
    perform pg_advisory_xact_lock(hashtext('mail.ensure_partitions'));
    foreach t in array array['change', 'expunged', 'operation', 'delivery'] loop
        for d in select generate_series(current_date - 1, current_date + ahead, interval '1 day')::date loop
            if to_regclass(format('mail.%s_%s', t, to_char(d, 'YYYYMMDD'))) is null then
                execute format('create table mail.%I partition of mail.%I for values from (%L) to (%L)',
                    t || '_' || to_char(d, 'YYYYMMDD'), t, d::timestamptz, (d + 1)::timestamptz);
            end if;
        end loop;
    end loop;
end $$;

-- Where a day's partition is missing, nothing is refused; maintenance sees rows here and moves them.
create table mail.change_default partition of mail.change default;
create table mail.expunged_default partition of mail.expunged default;
create table mail.operation_default partition of mail.operation default;
create table mail.delivery_default partition of mail.delivery default;

select mail.ensure_partitions();
