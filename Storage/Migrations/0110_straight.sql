-- Straight ways for the batches that there are most of: appends alone, and changes of flags alone. What a small batch costs is what its statements, and the variables of the function, cost before
-- their first row: these have next to no variables, and for a single operation the plainest statements that there are. They decide nothing: each does all of its batch or nothing at all. Where
-- anything is out of the ordinary (an operation that was done before, an epoch that is over, a quota that the whole does not fit into, a body that is gone) they return no row, and the batch goes to
-- commit_v3, which knows what to do. Rows that the arrays name are looked up one by one (lateral, offset 0), so that no plan can be turned round to read a table. The lanes' connections say how statements are planned, by key, once and never by scans: saying so in a function costs at each call.

-- An append of one message, without keywords; p_path: the name that the mailbox must have, or null. Where p_inline is not set the body was staged, and its claim is taken.
create function mail.commit_append_v1(
    p_account bigint, p_mailbox bigint, p_recent bigint, p_epoch bigint, p_incarnation bigint, p_counter bigint, p_actor text, p_session text, p_address text, p_delivery uuid, p_path text[],
    p_inline boolean, p_crc32c integer, p_data bytea, p_content bytea, p_body bigint, p_claim integer,
    p_email bigint, p_prefix bytea, p_size bigint, p_date bigint, p_zone smallint, p_flags smallint, p_keys bigint[], p_now bigint)
returns table (op integer, modseq bigint, uid bigint, thread bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_uid bigint;
    v_modseq bigint;
    v_tenant bigint;
    v_fits boolean;
    v_thread bigint;
    v_date constant timestamptz := to_timestamp(p_date);
    v_uids int8multirange;
begin
    -- Locks, as everywhere: the mailbox, its account, its tenant. What is read by others than these statements themselves is read after the last of them.
    select m.uidnext, m.highest_modseq + 1, a.tenant_id into v_uid, v_modseq, v_tenant
    from mail.mailbox m join mail.account a on a.account_id = m.account_id
    where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and m.epoch = p_epoch and (p_path is null or m.path = p_path)
        and (a.max_messages is null or a.messages < a.max_messages) and (a.max_bytes is null or a.bytes + p_size <= a.max_bytes)
    for no key update of m, a;
    if v_uid is null then
        return;
    end if;
    select (t.max_messages is null or t.messages < t.max_messages) and (t.max_bytes is null or t.bytes + p_size <= t.max_bytes) into v_fits
    from mail.tenant t where t.tenant_id = v_tenant and t.charged for no key update;
    if not v_fits or exists (select from mail.operation p where p.account_id = p_account and p.incarnation = p_incarnation and p.counter = p_counter
        and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour')
    then
        return;
    end if;
    if p_delivery is not null and exists (select from mail.delivery d where d.account_id = p_account and d.hash = p_delivery
        and d.at > now() - interval '24 hours' and d.at < now() + interval '1 hour')
    then
        return;
    end if;
    if p_inline then
        insert into mail.body (id, tenant_id, size, crc32c) values (p_body, v_tenant, octet_length(p_data), p_crc32c);
        insert into mail.body_chunk (body_id, no, data) values (p_body, 0, p_data);
        insert into mail.content (body_id, data) values (p_body, p_content);
    else
        delete from mail.body_staged s where s.body_id = p_body and s.claim = p_claim;
        if not found then
            return;
        end if;
    end if;
    -- A thread is the one that any of its message ids is known in, else its own.
    if p_keys is not null then
        select min(t.thread_id) into v_thread from unnest(p_keys) k cross join lateral (select t.thread_id from mail.thread t where t.account_id = p_account and t.key = k offset 0) t;
    end if;
    v_thread := coalesce(v_thread, p_email);
    v_uids := int8multirange(int8range(v_uid, v_uid, '[]'));
    if p_keys is not null then
        insert into mail.thread (account_id, key, thread_id) select p_account, k, v_thread from unnest(p_keys) k on conflict do nothing;
    end if;
    insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
    values (p_account, p_email, p_body, v_thread, p_size, v_date, p_zone, p_prefix);
    insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date)
    values (p_account, p_mailbox, v_uid, p_email, v_thread, p_size, v_date, p_zone, to_timestamp(p_now));
    insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) values (p_account, p_mailbox, v_uid, p_flags, v_modseq);
    insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
    values (p_account, p_mailbox, v_modseq, 1, v_uids, p_actor, p_session, p_address, p_incarnation, p_counter);
    insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) values (p_account, p_incarnation, p_counter, 0, v_modseq, v_uids);
    if p_delivery is not null then
        insert into mail.delivery (account_id, hash) values (p_account, p_delivery);
    end if;
    if v_fits then
        update mail.tenant t set messages = t.messages + 1, bytes = t.bytes + p_size where t.tenant_id = v_tenant;
    end if;
    update mail.account a set messages = a.messages + 1, bytes = a.bytes + p_size where a.account_id = p_account;
    update mail.mailbox m set uidnext = v_uid + 1, highest_modseq = v_modseq, messages = m.messages + 1, unseen = m.unseen + 1 - (p_flags & 1),
        deleted = m.deleted + ((p_flags >> 3) & 1), bytes = m.bytes + p_size, first_recent = greatest(m.first_recent, coalesce(p_recent, 0))
    where m.account_id = p_account and m.id = p_mailbox;
    return query select 1, v_modseq, v_uid, v_thread;
end $$;

-- Appends as that of commit_append_v1, by many. Mailboxes, and accounts, each once and in order, with what each will get; then the operations, each with its number (from 0) among those of its mailbox;
-- op_nm_…: the name that the mailbox must have, in nm_segment; op_th_…: its thread keys, in th_key. No operation, claim or delivery stands there twice, and no thread key in an account: the caller sees to that.
create function mail.commit_appends_v1(
    mb_account bigint[], mb_id bigint[], mb_recent bigint[], mb_messages bigint[], mb_bytes bigint[], mb_unseen bigint[], mb_deleted bigint[],
    ac_id bigint[], ac_messages bigint[], ac_bytes bigint[],
    op_account bigint[], op_mailbox bigint[], op_number bigint[], op_epoch bigint[], op_incarnation bigint[], op_counter bigint[],
    op_actor text[], op_session text[], op_address text[], op_delivery uuid[], op_nm_first integer[], op_nm_count integer[], nm_segment text[],
    op_inline boolean[], op_crc32c integer[], op_data bytea[], op_content bytea[], op_body bigint[], op_claim integer[],
    op_email bigint[], op_prefix bytea[], op_size bigint[], op_date bigint[], op_zone smallint[], op_flags smallint[],
    op_th_first integer[], op_th_count integer[], th_key bigint[], p_now bigint)
returns table (op integer, modseq bigint, uid bigint, thread bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_full boolean;
    v_charged bigint;
    v_inline boolean := true = any(op_inline);
begin
    -- Locks, as everywhere: mailboxes, then accounts, then tenants, then claims, each in order. Nothing may be read for a decision before the last of them.
    perform from mail.mailbox m join unnest(mb_account, mb_id) as b(account_id, id) on m.account_id = b.account_id and m.id = b.id
    order by m.account_id, m.id for no key update of m;
    select bool_or(x.is_full) into v_full from (
        select a.messages + b.messages > a.max_messages or a.bytes + b.bytes > a.max_bytes as is_full
        from mail.account a join unnest(ac_id, ac_messages, ac_bytes) as b(id, messages, bytes) on a.account_id = b.id
        order by a.account_id for no key update of a) x;
    if v_full then
        return;
    end if;
    select count(*), bool_or(x.is_full) into v_charged, v_full from (
        select t.messages + b.messages > t.max_messages or t.bytes + b.bytes > t.max_bytes as is_full
        from (
            select a.tenant_id, sum(b.messages) as messages, sum(b.bytes) as bytes
            from unnest(ac_id, ac_messages, ac_bytes) as b(id, messages, bytes) join mail.account a on a.account_id = b.id group by a.tenant_id) b
        join mail.tenant t on t.tenant_id = b.tenant_id
        where t.charged order by t.tenant_id for no key update of t) x;
    if v_full then
        return;
    end if;
    if false = any(op_inline) and (
        select count(*) from (
            select from mail.body_staged s join unnest(op_inline, op_body, op_claim) as b(inline, body, claim) on s.body_id = b.body and s.claim = b.claim
            where not b.inline order by s.body_id, s.claim for update of s) x) <> cardinality(array_positions(op_inline, false))
    then
        return;
    end if;

    -- Whether each can be done.
    if (
        select count(*) from unnest(op_account, op_mailbox, op_epoch, op_nm_first, op_nm_count) as b(account_id, mailbox_id, epoch, nm_first, nm_count)
        cross join lateral (select m.deleted_at, m.epoch, m.path from mail.mailbox m where m.account_id = b.account_id and m.id = b.mailbox_id offset 0) m
        where m.deleted_at is null and m.epoch = b.epoch and (b.nm_count = 0 or m.path = nm_segment[b.nm_first:b.nm_first + b.nm_count - 1])) <> cardinality(op_account)
        or exists (select from unnest(op_account, op_incarnation, op_counter) as b(account_id, incarnation, counter) cross join lateral (
            select from mail.operation p where p.account_id = b.account_id and p.incarnation = b.incarnation and p.counter = b.counter
            and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour' offset 0) p)
    then
        return;
    end if;
    if cardinality(array_remove(op_delivery, null)) > 0 then
        if exists (select from unnest(op_account, op_delivery) as b(account_id, hash) cross join lateral (
            select from mail.delivery d where d.account_id = b.account_id and d.hash = b.hash and d.at > now() - interval '24 hours' and d.at < now() + interval '1 hour' offset 0) d)
        then
            return;
        end if;
        insert into mail.delivery (account_id, hash) select b.account_id, b.hash from unnest(op_account, op_delivery) as b(account_id, hash) where b.hash is not null;
    end if;

    if v_inline then
        insert into mail.body (id, tenant_id, size, crc32c)
        select b.body, a.tenant_id, octet_length(b.data), b.crc32c
        from unnest(op_account, op_inline, op_body, op_crc32c, op_data) as b(account_id, inline, body, crc32c, data)
        cross join lateral (select a.tenant_id from mail.account a where a.account_id = b.account_id offset 0) a where b.inline;
        insert into mail.body_chunk (body_id, no, data) select b.body, 0, b.data from unnest(op_inline, op_body, op_data) as b(inline, body, data) where b.inline;
        insert into mail.content (body_id, data) select b.body, b.content from unnest(op_inline, op_body, op_content) as b(inline, body, content) where b.inline;
    end if;
    if false = any(op_inline) then
        delete from mail.body_staged s using unnest(op_inline, op_body, op_claim) as b(inline, body, claim) where not b.inline and s.body_id = b.body and s.claim = b.claim;
    end if;
    return query
        with x as materialized (
            select b.*, to_timestamp(b.date) as internal_date, m.uidnext + b.number as uid, m.highest_modseq + 1 + b.number as modseq,
                -- A thread is the one that any of its message ids is known in, else its own.
                case when b.th_count > 0 then coalesce((select min(t.thread_id) from unnest(th_key[b.th_first:b.th_first + b.th_count - 1]) k
                    cross join lateral (select t.thread_id from mail.thread t where t.account_id = b.account_id and t.key = k offset 0) t), b.email) else b.email end as thread
            from unnest(op_account, op_mailbox, op_number, op_incarnation, op_counter, op_actor, op_session, op_address,
                    op_email, op_body, op_prefix, op_size, op_date, op_zone, op_flags, op_th_first, op_th_count) with ordinality
                as b(account_id, mailbox_id, number, incarnation, counter, actor, session, address, email, body, prefix, size, date, zone, flags, th_first, th_count, op)
            cross join lateral (select m.uidnext, m.highest_modseq from mail.mailbox m where m.account_id = b.account_id and m.id = b.mailbox_id offset 0) m
        ), email as (
            insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
            select x.account_id, x.email, x.body, x.thread, x.size, x.internal_date, x.zone, x.prefix from x
        ), message as (
            insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date)
            select x.account_id, x.mailbox_id, x.uid, x.email, x.thread, x.size, x.internal_date, x.zone, to_timestamp(p_now) from x
        ), flag as (
            insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) select x.account_id, x.mailbox_id, x.uid, x.flags, x.modseq from x
        ), thread as (
            insert into mail.thread (account_id, key, thread_id)
            select x.account_id, th_key[i], x.thread from x cross join lateral generate_series(x.th_first, x.th_first + x.th_count - 1) i
            on conflict do nothing
        ), change as (
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
            select x.account_id, x.mailbox_id, x.modseq, 1, int8multirange(int8range(x.uid, x.uid, '[]')), x.actor, x.session, x.address, x.incarnation, x.counter from x
        ), operation as (
            insert into mail.operation (account_id, incarnation, counter, status, modseq, uids)
            select x.account_id, x.incarnation, x.counter, 0, x.modseq, int8multirange(int8range(x.uid, x.uid, '[]')) from x
        )
        select x.op::integer, x.modseq, x.uid, x.thread from x;
    if v_charged > 0 then
        update mail.tenant t set messages = t.messages + b.messages, bytes = t.bytes + b.bytes
        from (
            select a.tenant_id, sum(b.messages) as messages, sum(b.bytes) as bytes
            from unnest(ac_id, ac_messages, ac_bytes) as b(id, messages, bytes) join mail.account a on a.account_id = b.id group by a.tenant_id) b
        where t.tenant_id = b.tenant_id and t.charged;
    end if;
    update mail.account a set messages = a.messages + b.messages, bytes = a.bytes + b.bytes
    from unnest(ac_id, ac_messages, ac_bytes) as b(id, messages, bytes) where a.account_id = b.id;
    update mail.mailbox m set uidnext = m.uidnext + b.messages, highest_modseq = m.highest_modseq + b.messages, messages = m.messages + b.messages, unseen = m.unseen + b.unseen,
        deleted = m.deleted + b.deleted, bytes = m.bytes + b.bytes, first_recent = greatest(m.first_recent, coalesce(b.recent, 0))
    from unnest(mb_account, mb_id, mb_recent, mb_messages, mb_bytes, mb_unseen, mb_deleted) as b(account_id, id, recent, messages, bytes, unseen, deleted)
    where m.account_id = b.account_id and m.id = b.id;
end $$;

-- A change of system flags of one message by its account. changed: whether it made any; modified: it was kept back since the message has a later modseq than p_since.
create function mail.commit_store_v1(
    p_account bigint, p_mailbox bigint, p_recent bigint, p_epoch bigint, p_incarnation bigint, p_counter bigint, p_actor text, p_session text, p_address text,
    p_mode smallint, p_flags smallint, p_since bigint, p_uid bigint)
returns table (op integer, modseq bigint, changed boolean, modified boolean)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_modseq bigint;
    v_was smallint;
    v_now smallint;
    v_cleared boolean;
    v_modified boolean;
    v_changed boolean;
    v_uids int8multirange;
begin
    select m.highest_modseq into v_modseq from mail.mailbox m
    where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and m.epoch = p_epoch for no key update;
    if v_modseq is null or exists (select from mail.operation p where p.account_id = p_account and p.incarnation = p_incarnation and p.counter = p_counter
        and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour')
    then
        return;
    end if;
    select f.flags, case p_mode when 0 then p_flags when 1 then f.flags | p_flags else f.flags & ~p_flags end, p_mode = 0 and f.keywords is not null, coalesce(f.modseq > p_since, false)
    into v_was, v_now, v_cleared, v_modified
    from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox and f.uid = p_uid;
    v_changed := found and not v_modified and (v_now <> v_was or v_cleared);
    if v_changed then
        v_modseq := v_modseq + 1;
        v_uids := int8multirange(int8range(p_uid, p_uid, '[]'));
        update mail.message_flags f set flags = v_now, keywords = case when p_mode > 0 then f.keywords end, modseq = v_modseq
        where f.account_id = p_account and f.mailbox_id = p_mailbox and f.uid = p_uid;
        insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
        values (p_account, p_mailbox, v_modseq, 2, v_uids, p_actor, p_session, p_address, p_incarnation, p_counter);
        update mail.mailbox m set highest_modseq = v_modseq, unseen = m.unseen + (v_was & 1) - (v_now & 1), deleted = m.deleted + ((v_now >> 3) & 1) - ((v_was >> 3) & 1),
            first_recent = greatest(m.first_recent, coalesce(p_recent, 0))
        where m.account_id = p_account and m.id = p_mailbox;
    end if;
    insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) values (p_account, p_incarnation, p_counter, 0, v_modseq, v_uids);
    return query select 1, v_modseq, v_changed, coalesce(v_modified, false);
end $$;

-- Changes as that of commit_store_v1, by many: no operation stands there twice, and no message. Mailboxes each once and in order; modseqs are in the order of the operations.
create function mail.commit_stores_v1(
    mb_account bigint[], mb_id bigint[], mb_recent bigint[],
    op_account bigint[], op_mailbox bigint[], op_epoch bigint[], op_incarnation bigint[], op_counter bigint[], op_actor text[], op_session text[], op_address text[],
    op_mode smallint[], op_flags smallint[], op_since bigint[], op_uid bigint[])
returns table (op integer, modseq bigint, changed boolean, modified boolean)
language plpgsql volatile as $$
#variable_conflict use_column
begin
    perform from mail.mailbox m join unnest(mb_account, mb_id) as b(account_id, id) on m.account_id = b.account_id and m.id = b.id
    order by m.account_id, m.id for no key update of m;
    if (select count(*) from unnest(op_account, op_mailbox, op_epoch) as b(account_id, mailbox_id, epoch)
        cross join lateral (select m.deleted_at, m.epoch from mail.mailbox m where m.account_id = b.account_id and m.id = b.mailbox_id offset 0) m where m.deleted_at is null and m.epoch = b.epoch) <> cardinality(op_account)
        or exists (select from unnest(op_account, op_incarnation, op_counter) as b(account_id, incarnation, counter) cross join lateral (
            select from mail.operation p where p.account_id = b.account_id and p.incarnation = b.incarnation and p.counter = b.counter
            and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour' offset 0) p)
    then
        return;
    end if;
    return query
        with known as materialized (
            select b.*, m.highest_modseq, f.place, f.flags as was, f.keywords, coalesce(f.modseq > b.since, false) as modified,
                case b.mode when 0 then b.flags when 1 then f.flags | b.flags else f.flags & ~b.flags end::smallint as new_flags
            from unnest(op_account, op_mailbox, op_incarnation, op_counter, op_actor, op_session, op_address, op_mode, op_flags, op_since, op_uid) with ordinality
                as b(account_id, mailbox_id, incarnation, counter, actor, session, address, mode, flags, since, uid, op)
            cross join lateral (select m.highest_modseq from mail.mailbox m where m.account_id = b.account_id and m.id = b.mailbox_id offset 0) m
            left join lateral (select f.ctid as place, f.flags, f.keywords, f.modseq from mail.message_flags f
                where f.account_id = b.account_id and f.mailbox_id = b.mailbox_id and f.uid = b.uid offset 0) f on true
        ), x as materialized (
            select k.*, k.highest_modseq + count(*) filter (where k.changes) over (partition by k.account_id, k.mailbox_id order by k.op) as new_modseq,
                case when k.changes then int8multirange(int8range(k.uid, k.uid, '[]')) end as uids
            from (select k.*, k.place is not null and not k.modified and (k.new_flags <> k.was or k.mode = 0 and k.keywords is not null) as changes from known k) k
        ), flag as (
            -- A place (ctid) is good for as long as the statement: who holds the mailbox's row lock alone changes its rows.
            update mail.message_flags f set flags = x.new_flags, keywords = case when x.mode > 0 then x.keywords end, modseq = x.new_modseq from x where x.changes and f.ctid = x.place
        ), change as (
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
            select x.account_id, x.mailbox_id, x.new_modseq, 2, x.uids, x.actor, x.session, x.address, x.incarnation, x.counter from x where x.changes
        ), operation as (
            insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) select x.account_id, x.incarnation, x.counter, 0, x.new_modseq, x.uids from x
        ), mailbox as (
            update mail.mailbox m set highest_modseq = y.modseq, unseen = m.unseen + y.unseen, deleted = m.deleted + y.deleted, first_recent = greatest(m.first_recent, coalesce(y.recent, 0))
            from (
                select x.account_id, x.mailbox_id, max(x.new_modseq) as modseq, sum((x.was & 1) - (x.new_flags & 1)) as unseen, sum(((x.new_flags >> 3) & 1) - ((x.was >> 3) & 1)) as deleted,
                    (select b.recent from unnest(mb_account, mb_id, mb_recent) as b(account_id, id, recent) where b.account_id = x.account_id and b.id = x.mailbox_id) as recent
                from x where x.changes group by x.account_id, x.mailbox_id) y
            where m.account_id = y.account_id and m.id = y.mailbox_id
        )
        select x.op::integer, x.new_modseq, x.changes, x.modified from x;
end $$;
