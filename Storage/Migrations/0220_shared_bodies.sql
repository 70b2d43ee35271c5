-- Appends as those of commit_appends_v2, where messages of several may have one body that comes along: a delivery to several recipients. It comes with the first of them that stands here; those that
-- do not stand here (they come with a later batch, or never) find a claim each, which is made by this commit: so whoever comes later may count on the body, and the collector takes what nobody came for.
-- Of p_appends the claim is -2 where the body comes along with another of the appends, of which p_bytes has no data and content again; p_claims: body and claim, of those that are made.
create function mail.commit_appends_v3(
    p_mailboxes bigint[], p_names text[], p_accounts bigint[], p_appends bigint[], p_texts text[], p_bytes bytea[], p_deliveries uuid[], p_threads bigint[], p_now bigint,
    p_mailboxes_at tid[], p_accounts_at tid[], p_claims bigint[])
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
                p_appends[i + 5] as body, p_appends[i + 6] = -1 as inline, p_appends[i + 7]::integer as crc32c, p_appends[i + 8] as email, p_appends[i + 9] as size,
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
        ), claim as (
            insert into mail.body_staged (body_id, claim) select p_claims[i], p_claims[i + 1] from generate_series(1, cardinality(p_claims), 2) i
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
