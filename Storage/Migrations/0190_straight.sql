-- The straight ways of 0110 again, for less. What cost them most before their first row were their many arrays, each of which every statement turned into a set of rows of its own (five such sets
-- cost what an insert does): here a batch is a few arrays whose values stand side by side, and one series counts through them. A row that is locked is read by that and changed at its place (ctid),
-- which is good until the commit since nobody else may change it. Threads are inserted plainly where none was found: whoever inserts one holds the lock of its account's row. Everything that is written
-- is one statement. What the ways of 0110 promise holds for these.
--
-- A look-up by key steps over each version of a row that an old snapshot may still see: thousands, of a busy mailbox and its account. So the caller may say where their rows were left (…_at), and is told where
-- they are now. One for a single operation looks by key where the row has moved; one for several takes the places of all its rows, or none ('{}'), and does nothing where one has moved: locks are taken in
-- one order. Its rows below 0 tell places: -1 and so on of p_mailboxes, then of p_accounts.

-- An append of one message, without keywords, as commit_append_v1.
create function mail.commit_append_v2(
    p_account bigint, p_mailbox bigint, p_recent bigint, p_epoch bigint, p_incarnation bigint, p_counter bigint, p_actor text, p_session text, p_address text, p_delivery uuid, p_path text[],
    p_inline boolean, p_crc32c integer, p_data bytea, p_content bytea, p_body bigint, p_claim integer,
    p_email bigint, p_prefix bytea, p_size bigint, p_date bigint, p_zone smallint, p_flags smallint, p_keys bigint[], p_now bigint,
    p_mailbox_at tid, p_account_at tid)
returns table (op integer, modseq bigint, uid bigint, thread bigint, mailbox_at tid, account_at tid)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_mailbox tid;
    v_account tid;
    v_uid bigint;
    v_modseq bigint;
    v_tenant bigint;
    v_charged boolean;
    v_before boolean;
    v_fits boolean;
    v_known bigint[];
    v_thread bigint := p_email;
    v_date constant timestamptz := to_timestamp(p_date);
    v_uids int8multirange;
begin
    -- Locks, as everywhere: the mailbox, its account, its tenant. What is read by others than these statements themselves is read after the last of them, or of a tenant that is not charged.
    if p_mailbox_at is not null and p_account_at is not null then
        select m.ctid, a.ctid, m.uidnext, m.highest_modseq + 1, a.tenant_id into v_mailbox, v_account, v_uid, v_modseq, v_tenant
        from mail.mailbox m join mail.account a on a.account_id = m.account_id
        where m.ctid = p_mailbox_at and a.ctid = p_account_at and m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and m.epoch = p_epoch and (p_path is null or m.path = p_path)
            and (a.max_messages is null or a.messages < a.max_messages) and (a.max_bytes is null or a.bytes + p_size <= a.max_bytes)
        for no key update of m, a;
    end if;
    if v_uid is null then
        select m.ctid, a.ctid, m.uidnext, m.highest_modseq + 1, a.tenant_id into v_mailbox, v_account, v_uid, v_modseq, v_tenant
        from mail.mailbox m join mail.account a on a.account_id = m.account_id
        where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and m.epoch = p_epoch and (p_path is null or m.path = p_path)
            and (a.max_messages is null or a.messages < a.max_messages) and (a.max_bytes is null or a.bytes + p_size <= a.max_bytes)
        for no key update of m, a;
    end if;
    if v_uid is null then
        return;
    end if;
    select exists (select from mail.tenant t where t.tenant_id = v_tenant and t.charged),
        exists (select from mail.operation p where p.account_id = p_account and p.incarnation = p_incarnation and p.counter = p_counter
            and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour')
        into v_charged, v_before;
    if v_before then
        return;
    end if;
    if v_charged then
        select (t.max_messages is null or t.messages < t.max_messages) and (t.max_bytes is null or t.bytes + p_size <= t.max_bytes) into v_fits
        from mail.tenant t where t.tenant_id = v_tenant and t.charged for no key update;
        if not v_fits then
            return;
        end if;
    end if;
    if p_delivery is not null then
        if exists (select from mail.delivery d where d.account_id = p_account and d.hash = p_delivery and d.at > now() - interval '24 hours' and d.at < now() + interval '1 hour') then
            return;
        end if;
    end if;
    if not p_inline then
        delete from mail.body_staged s where s.body_id = p_body and s.claim = p_claim;
        if not found then
            return;
        end if;
    end if;
    if p_delivery is not null then
        insert into mail.delivery (account_id, hash) values (p_account, p_delivery);
    end if;
    -- A thread is the one that any of its message ids is known in, else its own.
    if p_keys is not null then
        select array_agg(t.key), coalesce(min(t.thread_id), p_email) into v_known, v_thread
        from (select unnest(p_keys) as key) k cross join lateral (select t.key, t.thread_id from mail.thread t where t.account_id = p_account and t.key = k.key offset 0) t;
    end if;
    v_uids := int8multirange(int8range(v_uid, v_uid, '[]'));
    with body as (
        insert into mail.body (id, tenant_id, size, crc32c) select p_body, v_tenant, octet_length(p_data), p_crc32c where p_inline
    ), chunk as (
        insert into mail.body_chunk (body_id, no, data) select p_body, 0, p_data where p_inline
    ), content as (
        insert into mail.content (body_id, data) select p_body, p_content where p_inline
    ), thread as (
        insert into mail.thread (account_id, key, thread_id) select p_account, k.key, v_thread from (select unnest(p_keys) as key) k where v_known is null or k.key <> all (v_known)
    ), email as (
        insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
        values (p_account, p_email, p_body, v_thread, p_size, v_date, p_zone, p_prefix)
    ), message as (
        insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date)
        values (p_account, p_mailbox, v_uid, p_email, v_thread, p_size, v_date, p_zone, to_timestamp(p_now))
    ), flag as (
        insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) values (p_account, p_mailbox, v_uid, p_flags, v_modseq)
    ), change as (
        insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
        values (p_account, p_mailbox, v_modseq, 1, v_uids, p_actor, p_session, p_address, p_incarnation, p_counter)
    ), operation as (
        insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) values (p_account, p_incarnation, p_counter, 0, v_modseq, v_uids)
    ), account as (
        update mail.account a set messages = a.messages + 1, bytes = a.bytes + p_size where a.ctid = v_account returning a.ctid as place
    )
    update mail.mailbox m set uidnext = v_uid + 1, highest_modseq = v_modseq, messages = m.messages + 1, unseen = m.unseen + 1 - (p_flags & 1),
        deleted = m.deleted + ((p_flags >> 3) & 1), bytes = m.bytes + p_size, first_recent = greatest(m.first_recent, coalesce(p_recent, 0))
    where m.ctid = v_mailbox returning m.ctid, (select account.place from account) into mailbox_at, account_at;
    if v_fits then
        update mail.tenant t set messages = t.messages + 1, bytes = t.bytes + p_size where t.tenant_id = v_tenant;
    end if;
    op := 1;
    modseq := v_modseq;
    uid := v_uid;
    thread := v_thread;
    return next;
end $$;

-- Appends as that of commit_append_v2, by many. Values side by side:
-- p_mailboxes, each mailbox once and in order, 10 values: account, id, epoch, first UID that no session was told to be \Recent (0: as it is), messages that it gets, their octets, how many of them are
--     unseen, how many deleted, and where in p_names the name that it must have begins and ends (0 and 0: any);
-- p_accounts, each account once and in order, 3 values: id, messages that it gets, their octets;
-- p_appends, each operation, 15 values: place of its mailbox in p_mailboxes, its number (from 0) among those of its mailbox, incarnation, counter, body, claim (-1: the body comes along), crc32c, email,
--     size, date, zone, flags, where its thread keys in p_threads begin and end (none: they end before they begin), place of its account in p_accounts;
-- p_texts and p_bytes, each operation, 3 values: actor, session, address; data and content of the body, prefix of the email;
-- p_deliveries: of each operation, or empty where none has one; p_threads: account and key.
-- No operation, claim or delivery stands there twice, and no thread key in an account: the caller sees to that.
create function mail.commit_appends_v2(
    p_mailboxes bigint[], p_names text[], p_accounts bigint[], p_appends bigint[], p_texts text[], p_bytes bytea[], p_deliveries uuid[], p_threads bigint[], p_now bigint,
    p_mailboxes_at tid[], p_accounts_at tid[])
returns table (op integer, modseq bigint, uid bigint, thread bigint, place tid)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_mailboxes tid[];
    v_uidnext bigint[];
    v_modseq bigint[];
    v_accounts tid[];
    v_tenants bigint[];
    v_full boolean;
    v_charged boolean;
    v_staged integer;
    v_known bigint[];
begin
    -- Locks, as everywhere: mailboxes, then accounts, then tenants, then claims, each in order. What is read by others than these statements themselves is read after the last of them, or of
    -- tenants that are not charged. A look-up that depends on the series is a loop over it, in its order: so are the arrays that come of it.
    if cardinality(p_mailboxes_at) > 0 then
        select array_agg(m.ctid), array_agg(m.uidnext), array_agg(m.highest_modseq) into v_mailboxes, v_uidnext, v_modseq
        from generate_series(0, cardinality(p_mailboxes) - 1, 10) i cross join lateral (
            select m.ctid, m.uidnext, m.highest_modseq from mail.mailbox m
            where m.ctid = p_mailboxes_at[i / 10 + 1] and m.account_id = p_mailboxes[i + 1] and m.id = p_mailboxes[i + 2] and m.deleted_at is null and m.epoch = p_mailboxes[i + 3]
                and (p_mailboxes[i + 9] = 0 or m.path = p_names[p_mailboxes[i + 9]:p_mailboxes[i + 10]])
            offset 0 for no key update) m;
    else
        select array_agg(m.ctid), array_agg(m.uidnext), array_agg(m.highest_modseq) into v_mailboxes, v_uidnext, v_modseq
        from generate_series(0, cardinality(p_mailboxes) - 1, 10) i cross join lateral (
            select m.ctid, m.uidnext, m.highest_modseq from mail.mailbox m
            where m.account_id = p_mailboxes[i + 1] and m.id = p_mailboxes[i + 2] and m.deleted_at is null and m.epoch = p_mailboxes[i + 3]
                and (p_mailboxes[i + 9] = 0 or m.path = p_names[p_mailboxes[i + 9]:p_mailboxes[i + 10]])
            offset 0 for no key update) m;
    end if;
    if cardinality(v_mailboxes) * 10 is distinct from cardinality(p_mailboxes) then
        return;
    end if;
    if cardinality(p_accounts_at) > 0 then
        select array_agg(a.ctid), array_agg(a.tenant_id), bool_or(a.messages + p_accounts[i + 2] > a.max_messages or a.bytes + p_accounts[i + 3] > a.max_bytes) into v_accounts, v_tenants, v_full
        from generate_series(0, cardinality(p_accounts) - 1, 3) i cross join lateral (
            select a.ctid, a.tenant_id, a.messages, a.bytes, a.max_messages, a.max_bytes from mail.account a where a.ctid = p_accounts_at[i / 3 + 1] and a.account_id = p_accounts[i + 1] offset 0 for no key update) a;
    else
        select array_agg(a.ctid), array_agg(a.tenant_id), bool_or(a.messages + p_accounts[i + 2] > a.max_messages or a.bytes + p_accounts[i + 3] > a.max_bytes) into v_accounts, v_tenants, v_full
        from generate_series(0, cardinality(p_accounts) - 1, 3) i cross join lateral (
            select a.ctid, a.tenant_id, a.messages, a.bytes, a.max_messages, a.max_bytes from mail.account a where a.account_id = p_accounts[i + 1] offset 0 for no key update) a;
    end if;
    if v_full or cardinality(v_accounts) * 3 is distinct from cardinality(p_accounts) then
        return;
    end if;
    v_charged := exists (select from mail.tenant t where t.tenant_id = any (v_tenants) and t.charged);
    if v_charged then
        select bool_or(t.messages + b.messages > t.max_messages or t.bytes + b.bytes > t.max_bytes) into v_full
        from (
            select v_tenants[i] as tenant_id, sum(p_accounts[3 * i - 1]) as messages, sum(p_accounts[3 * i]) as bytes
            from generate_series(1, cardinality(v_tenants)) i group by v_tenants[i] order by v_tenants[i]) b
        cross join lateral (
            select t.messages, t.bytes, t.max_messages, t.max_bytes from mail.tenant t where t.tenant_id = b.tenant_id and t.charged offset 0 for no key update) t;
        if v_full then
            return;
        end if;
    end if;
    v_staged := (select count(*) from generate_series(0, cardinality(p_appends) - 1, 15) i where p_appends[i + 6] >= 0);
    if v_staged > 0 and (
        select count(*) from (
            select from generate_series(0, cardinality(p_appends) - 1, 15) i join mail.body_staged s on s.body_id = p_appends[i + 5] and s.claim = p_appends[i + 6]
            where p_appends[i + 6] >= 0 order by s.body_id, s.claim for update of s) x) <> v_staged
    then
        return;
    end if;

    -- Whether any was done before.
    if exists (select from generate_series(0, cardinality(p_appends) - 1, 15) i cross join lateral (
        select from mail.operation p where p.account_id = p_accounts[3 * p_appends[i + 15] - 2] and p.incarnation = p_appends[i + 3] and p.counter = p_appends[i + 4]
            and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour' offset 0) p)
    then
        return;
    end if;
    if cardinality(p_deliveries) > 0 then
        if exists (select from generate_series(1, cardinality(p_deliveries)) i cross join lateral (
            select from mail.delivery d where d.account_id = p_accounts[3 * p_appends[15 * i] - 2] and d.hash = p_deliveries[i]
                and d.at > now() - interval '24 hours' and d.at < now() + interval '1 hour' offset 0) d)
        then
            return;
        end if;
        insert into mail.delivery (account_id, hash) select p_accounts[3 * p_appends[15 * i] - 2], p_deliveries[i] from generate_series(1, cardinality(p_deliveries)) i where p_deliveries[i] is not null;
    end if;

    if v_staged > 0 then
        delete from mail.body_staged s using generate_series(0, cardinality(p_appends) - 1, 15) i where p_appends[i + 6] >= 0 and s.body_id = p_appends[i + 5] and s.claim = p_appends[i + 6];
    end if;
    if cardinality(p_threads) > 0 then
        select array_agg(t.thread_id) into v_known from generate_series(1, cardinality(p_threads), 2) i
        left join lateral (select t.thread_id from mail.thread t where t.account_id = p_threads[i] and t.key = p_threads[i + 1] offset 0) t on true;
    end if;
    return query
        with x as materialized (
            select i / 15 + 1 as op, i / 5 as three, p_mailboxes[10 * p_appends[i + 1] - 9] as account_id, p_mailboxes[10 * p_appends[i + 1] - 8] as mailbox_id,
                v_uidnext[p_appends[i + 1]] + p_appends[i + 2] as uid, v_modseq[p_appends[i + 1]] + 1 + p_appends[i + 2] as modseq, p_appends[i + 3] as incarnation, p_appends[i + 4] as counter,
                p_appends[i + 5] as body, p_appends[i + 6] < 0 as inline, p_appends[i + 7]::integer as crc32c, p_appends[i + 8] as email, p_appends[i + 9] as size,
                to_timestamp(p_appends[i + 10]) as internal_date, p_appends[i + 11]::smallint as zone, p_appends[i + 12]::smallint as flags, p_appends[i + 13] as th_first, p_appends[i + 14] as th_last,
                -- A thread is the one that any of its message ids is known in, else its own.
                coalesce((select min(v_known[k.k]) from (select generate_series(p_appends[i + 13], p_appends[i + 14]) as k) k), p_appends[i + 8]) as thread, v_tenants[p_appends[i + 15]] as tenant_id
            from generate_series(0, cardinality(p_appends) - 1, 15) i
        ), body as (
            insert into mail.body (id, tenant_id, size, crc32c) select x.body, x.tenant_id, octet_length(p_bytes[x.three + 1]), x.crc32c from x where x.inline
        ), chunk as (
            insert into mail.body_chunk (body_id, no, data) select x.body, 0, p_bytes[x.three + 1] from x where x.inline
        ), content as (
            insert into mail.content (body_id, data) select x.body, p_bytes[x.three + 2] from x where x.inline
        ), thread as (
            insert into mail.thread (account_id, key, thread_id)
            select k.account_id, p_threads[2 * k.k], k.thread from (select x.account_id, x.thread, generate_series(x.th_first, x.th_last) as k from x) k where v_known[k.k] is null
        ), email as (
            insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
            select x.account_id, x.email, x.body, x.thread, x.size, x.internal_date, x.zone, p_bytes[x.three + 3] from x
        ), message as (
            insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date)
            select x.account_id, x.mailbox_id, x.uid, x.email, x.thread, x.size, x.internal_date, x.zone, to_timestamp(p_now) from x
        ), flag as (
            insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) select x.account_id, x.mailbox_id, x.uid, x.flags, x.modseq from x
        ), change as (
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
            select x.account_id, x.mailbox_id, x.modseq, 1, int8multirange(int8range(x.uid, x.uid, '[]')), p_texts[x.three + 1], p_texts[x.three + 2], p_texts[x.three + 3], x.incarnation, x.counter from x
        ), operation as (
            insert into mail.operation (account_id, incarnation, counter, status, modseq, uids)
            select x.account_id, x.incarnation, x.counter, 0, x.modseq, int8multirange(int8range(x.uid, x.uid, '[]')) from x
        ), account as (
            update mail.account a set messages = a.messages + p_accounts[3 * i - 1], bytes = a.bytes + p_accounts[3 * i] from generate_series(1, cardinality(v_accounts)) i where a.ctid = v_accounts[i]
            returning i, a.ctid as place
        ), mailbox as (
            update mail.mailbox m set uidnext = m.uidnext + p_mailboxes[10 * i - 5], highest_modseq = m.highest_modseq + p_mailboxes[10 * i - 5], messages = m.messages + p_mailboxes[10 * i - 5],
                bytes = m.bytes + p_mailboxes[10 * i - 4], unseen = m.unseen + p_mailboxes[10 * i - 3], deleted = m.deleted + p_mailboxes[10 * i - 2],
                first_recent = greatest(m.first_recent, p_mailboxes[10 * i - 6])
            from generate_series(1, cardinality(v_mailboxes)) i where m.ctid = v_mailboxes[i]
            returning i, m.ctid as place
        )
        select x.op, x.modseq, x.uid, x.thread, null::tid from x
        union all select -m.i, null, null, null, m.place from mailbox m
        union all select -cardinality(v_mailboxes) - a.i, null, null, null, a.place from account a;
    if v_charged then
        update mail.tenant t set messages = t.messages + b.messages, bytes = t.bytes + b.bytes
        from (select v_tenants[i] as tenant_id, sum(p_accounts[3 * i - 1]) as messages, sum(p_accounts[3 * i]) as bytes from generate_series(1, cardinality(v_tenants)) i group by v_tenants[i]) b
        where t.tenant_id = b.tenant_id and t.charged;
    end if;
end $$;

-- A change of system flags of one message by its account, as commit_store_v1.
create function mail.commit_store_v2(
    p_account bigint, p_mailbox bigint, p_recent bigint, p_epoch bigint, p_incarnation bigint, p_counter bigint, p_actor text, p_session text, p_address text,
    p_mode smallint, p_flags smallint, p_since bigint, p_uid bigint, p_mailbox_at tid)
returns table (op integer, modseq bigint, changed boolean, modified boolean, mailbox_at tid)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_mailbox tid;
    v_place tid;
    v_modseq bigint;
    v_before boolean;
    v_was smallint;
    v_now smallint;
    v_cleared boolean;
    v_modified boolean;
    v_changed boolean;
    v_uids int8multirange;
begin
    if p_mailbox_at is not null then
        select m.ctid, m.highest_modseq into v_mailbox, v_modseq from mail.mailbox m
        where m.ctid = p_mailbox_at and m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and m.epoch = p_epoch for no key update;
    end if;
    if v_modseq is null then
        select m.ctid, m.highest_modseq into v_mailbox, v_modseq from mail.mailbox m
        where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and m.epoch = p_epoch for no key update;
    end if;
    if v_modseq is null then
        return;
    end if;
    select o.before, f.ctid, f.flags, case p_mode when 0 then p_flags when 1 then f.flags | p_flags else f.flags & ~p_flags end, p_mode = 0 and f.keywords is not null, coalesce(f.modseq > p_since, false)
    into v_before, v_place, v_was, v_now, v_cleared, v_modified
    from (select exists (select from mail.operation p where p.account_id = p_account and p.incarnation = p_incarnation and p.counter = p_counter
        and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour') as before) o
    left join mail.message_flags f on f.account_id = p_account and f.mailbox_id = p_mailbox and f.uid = p_uid;
    if v_before then
        return;
    end if;
    v_changed := v_place is not null and not v_modified and (v_now <> v_was or v_cleared);
    if v_changed then
        v_modseq := v_modseq + 1;
        v_uids := int8multirange(int8range(p_uid, p_uid, '[]'));
        update mail.message_flags f set flags = v_now, keywords = case when p_mode > 0 then f.keywords end, modseq = v_modseq where f.ctid = v_place;
        insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
        values (p_account, p_mailbox, v_modseq, 2, v_uids, p_actor, p_session, p_address, p_incarnation, p_counter);
        update mail.mailbox m set highest_modseq = v_modseq, unseen = m.unseen + (v_was & 1) - (v_now & 1), deleted = m.deleted + ((v_now >> 3) & 1) - ((v_was >> 3) & 1),
            first_recent = greatest(m.first_recent, coalesce(p_recent, 0))
        where m.ctid = v_mailbox returning m.ctid into mailbox_at;
    end if;
    insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) values (p_account, p_incarnation, p_counter, 0, v_modseq, v_uids);
    op := 1;
    modseq := v_modseq;
    changed := v_changed;
    modified := v_modified;
    return next;
end $$;

-- Changes as that of commit_store_v2, by many: no operation stands there twice, and no message; modseqs are in the order of the operations. Values side by side:
-- p_mailboxes, each mailbox once and in order, 4 values: account, id, epoch, first UID that no session was told to be \Recent (0: as it is);
-- p_stores, each operation, 7 values: place of its mailbox in p_mailboxes, incarnation, counter, mode, flags, modseq after which a message must not have changed (null: any), UID;
-- p_texts, each operation, 3 values: actor, session, address.
create function mail.commit_stores_v2(p_mailboxes bigint[], p_stores bigint[], p_texts text[], p_mailboxes_at tid[])
returns table (op integer, modseq bigint, changed boolean, modified boolean, place tid)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_mailboxes tid[];
    v_modseq bigint[];
begin
    if cardinality(p_mailboxes_at) > 0 then
        select array_agg(m.ctid), array_agg(m.highest_modseq) into v_mailboxes, v_modseq
        from generate_series(0, cardinality(p_mailboxes) - 1, 4) i cross join lateral (
            select m.ctid, m.highest_modseq from mail.mailbox m
            where m.ctid = p_mailboxes_at[i / 4 + 1] and m.account_id = p_mailboxes[i + 1] and m.id = p_mailboxes[i + 2] and m.deleted_at is null and m.epoch = p_mailboxes[i + 3] offset 0 for no key update) m;
    else
        select array_agg(m.ctid), array_agg(m.highest_modseq) into v_mailboxes, v_modseq
        from generate_series(0, cardinality(p_mailboxes) - 1, 4) i cross join lateral (
            select m.ctid, m.highest_modseq from mail.mailbox m
            where m.account_id = p_mailboxes[i + 1] and m.id = p_mailboxes[i + 2] and m.deleted_at is null and m.epoch = p_mailboxes[i + 3] offset 0 for no key update) m;
    end if;
    if cardinality(v_mailboxes) * 4 is distinct from cardinality(p_mailboxes)
        or exists (select from generate_series(0, cardinality(p_stores) - 1, 7) i cross join lateral (
            select from mail.operation p where p.account_id = p_mailboxes[4 * p_stores[i + 1] - 3] and p.incarnation = p_stores[i + 2] and p.counter = p_stores[i + 3]
            and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour' offset 0) p)
    then
        return;
    end if;
    return query
        with known as materialized (
            select b.*, f.place, f.flags as was, f.keywords, coalesce(f.modseq > b.since, false) as modified,
                case b.mode when 0 then b.flags when 1 then f.flags | b.flags else f.flags & ~b.flags end::smallint as new_flags
            from (
                select i / 7 + 1 as op, i / 7 * 3 as three, p_stores[i + 1] as mailbox, p_mailboxes[4 * p_stores[i + 1] - 3] as account_id, p_mailboxes[4 * p_stores[i + 1] - 2] as mailbox_id,
                    p_stores[i + 2] as incarnation, p_stores[i + 3] as counter, p_stores[i + 4] as mode, p_stores[i + 5]::smallint as flags, p_stores[i + 6] as since, p_stores[i + 7] as uid
                from generate_series(0, cardinality(p_stores) - 1, 7) i) b
            left join lateral (select f.ctid as place, f.flags, f.keywords, f.modseq from mail.message_flags f
                where f.account_id = b.account_id and f.mailbox_id = b.mailbox_id and f.uid = b.uid offset 0) f on true
        ), x as materialized (
            select k.*, v_modseq[k.mailbox] + count(*) filter (where k.changes) over (partition by k.mailbox order by k.op) as new_modseq,
                case when k.changes then int8multirange(int8range(k.uid, k.uid, '[]')) end as uids
            from (select k.*, k.place is not null and not k.modified and (k.new_flags <> k.was or k.mode = 0 and k.keywords is not null) as changes from known k) k
        ), flag as (
            update mail.message_flags f set flags = x.new_flags, keywords = case when x.mode > 0 then x.keywords end, modseq = x.new_modseq from x where x.changes and f.ctid = x.place
        ), change as (
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
            select x.account_id, x.mailbox_id, x.new_modseq, 2, x.uids, p_texts[x.three + 1], p_texts[x.three + 2], p_texts[x.three + 3], x.incarnation, x.counter from x where x.changes
        ), operation as (
            insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) select x.account_id, x.incarnation, x.counter, 0, x.new_modseq, x.uids from x
        ), mailbox as (
            update mail.mailbox m set highest_modseq = y.modseq, unseen = m.unseen + y.unseen, deleted = m.deleted + y.deleted, first_recent = greatest(m.first_recent, p_mailboxes[4 * y.mailbox])
            from (
                select x.mailbox, max(x.new_modseq) as modseq, sum((x.was & 1) - (x.new_flags & 1)) as unseen, sum(((x.new_flags >> 3) & 1) - ((x.was >> 3) & 1)) as deleted
                from x where x.changes group by x.mailbox) y
            where m.ctid = v_mailboxes[y.mailbox]
            returning y.mailbox as i, m.ctid as place
        )
        select x.op, x.new_modseq, x.changes, x.modified, null::tid from x union all select -m.i::integer, null, null, null, m.place from mailbox m;
end $$;
