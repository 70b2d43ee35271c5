-- The lanes' commit function of the third generation: two more kinds of operation.

-- As commit_v2, and commit_v1, which say what the arguments mean. What is new:
-- op_kind also: 6 replace (RFC 8508): appends its one message to op_mb and expunges the UID of its range from op_src, which may be the same mailbox; 7 remove: expunges the
-- UIDs of its ranges whatever their flags. The log of changes has them as what they are made of: 1 added, 3 expunged.
-- op_plain: a change of flags without keywords that commutes with what else the batch does in its mailbox: all of these are done by one statement.
-- ms_inline: the body comes along (ms_crc32c, ms_data: its only chunk, ms_content) and is stored here; nobody has staged it. Otherwise these are empty.
-- Mailboxes that accounts share (RFC 4314): op_viewer, the account that acts where it is not the mailbox's, else 0: \Seen is its own then (mail.seen_by), and the flags of the row stay
-- the owner's; op_src_viewer, the same at the source of 4 and 5. op_mask: the flags that 2 may change and 4 and 5 may set, 32 for keywords. In ms_flags of a viewer's messages 32
-- stands for his \Seen, and 1 is not set. Of 4 and 5 modified are the new messages with the viewer's \Seen. Inside one account the owner's \Seen goes along, whoever acts.
-- op_kind also: 20 sets a line of the list of rights (mail.acl): op_since whose, op_kw '-' for the line of rights that are taken away, op_flags the rights, op_mode 0 sets, 1 adds, 2 takes.
-- status also: 10 the message to be replaced is not there any more, nothing was done.
-- A replacement needs room only for what it adds to the usage.
-- Rows are found by lateral queries that the planner cannot turn round (offset 0), and changed by their place: as joins they were planned to read all rows of the mailbox for one UID,
-- which a connection that had planned on small tables went on doing. A place (ctid) is good for as long as the statement, since who holds the mailbox's row lock alone changes its rows.
create function mail.commit_v3(
    mb_account bigint[], mb_id bigint[], mb_recent bigint[], mb_ac integer[], ac_id bigint[],
    op_kind smallint[], op_mb integer[], op_epoch bigint[], op_src integer[], op_incarnation bigint[], op_counter bigint[], op_twin integer[],
    op_actor text[], op_session text[], op_address text[], op_mode smallint[], op_flags smallint[], op_kw text[], op_since bigint[], op_delivery uuid[],
    op_viewer bigint[], op_src_viewer bigint[], op_mask smallint[],
    op_nm_first integer[], op_nm_count integer[], nm_segment text[],
    op_ms_first integer[], op_ms_count integer[], op_rg_first integer[], op_rg_count integer[], op_plain boolean[],
    ms_inline boolean[], ms_crc32c integer[], ms_data bytea[], ms_content bytea[],
    ms_body bigint[], ms_claim integer[], ms_same integer[], ms_email bigint[], ms_prefix bytea[], ms_size bigint[], ms_date bigint[], ms_zone smallint[],
    ms_flags smallint[], ms_kw text[], th_ms integer[], th_key bigint[], p_joint boolean,
    rg_first bigint[], rg_last bigint[], p_now bigint, p_max_keywords integer)
returns table (op integer, status smallint, modseq bigint, uids int8multirange, src_modseq bigint, src_epoch bigint, src_uids int8multirange,
    modified int8multirange, threads bigint[],
    added_uid bigint[], added_email bigint[], added_thread bigint[], added_size bigint[], added_date bigint[], added_zone smallint[],
    added_flags smallint[], added_kw text[])
-- Every access is by key, whatever the tables' statistics say when a connection plans its first batch: plans are made once, and never scan.
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    n_mb constant integer := cardinality(mb_id);
    n_ac constant integer := cardinality(ac_id);
    n_op constant integer := cardinality(op_kind);
    n_ms constant integer := cardinality(ms_body);
    v_now constant timestamptz := to_timestamp(p_now);
    -- Mailboxes: as locked, and what changes.
    m_gone boolean[] := array_fill(true, array[n_mb]);
    m_path text[] := array_fill(null::text, array[n_mb]);
    m_epoch bigint[] := array_fill(0::bigint, array[n_mb]);
    m_uidnext bigint[] := m_epoch;
    m_modseq bigint[] := m_epoch;
    m_touched boolean[] := array_fill(false, array[n_mb]);
    m_deleted bigint[] := m_epoch;
    d_messages bigint[] := m_epoch;
    d_unseen bigint[] := m_epoch;
    d_deleted bigint[] := m_epoch;
    d_bytes bigint[] := m_epoch;
    -- Accounts: what is free, and what changes.
    a_free_messages bigint[] := array_fill(0::bigint, array[n_ac]);
    a_free_bytes bigint[] := a_free_messages;
    a_tenant bigint[] := a_free_messages;
    a_messages bigint[] := a_free_messages;
    a_bytes bigint[] := a_free_messages;
    -- Charged tenants, few.
    t_id bigint[] := '{}';
    t_free_messages bigint[] := '{}';
    t_free_bytes bigint[] := '{}';
    t_messages bigint[] := '{}';
    t_bytes bigint[] := '{}';
    -- Operations and messages: outcomes.
    o_status smallint[] := array_fill(null::smallint, array[n_op]);
    o_modseq bigint[] := array_fill(null::bigint, array[n_op]);
    o_src_modseq bigint[] := o_modseq;
    o_uids int8multirange[] := array_fill(null::int8multirange, array[n_op]);
    o_src_uids int8multirange[] := o_uids;
    -- 0: the message is not accepted.
    x_mb integer[] := array_fill(0, array[n_ms]);
    x_uid bigint[] := array_fill(0::bigint, array[n_ms]);
    x_modseq bigint[] := x_uid;
    x_thread bigint[] := ms_email;
    x_kw text[] := array_fill(null::text, array[n_ms]);
    -- At the first message that names a claim: whether it was there, and the operation that takes it.
    x_staged boolean[] := ms_inline;
    x_taker integer[] := x_mb;
    -- Numbers of keywords that this batch has given out.
    v_given smallint[] := '{}';
    -- Plain changes of flags that are to be done, and what became of them.
    x_plain boolean[] := op_plain;
    o_modified int8multirange[] := array_fill(null::int8multirange, array[n_op]);
    v_delivered text[] := '{}';
    v_appended boolean := false;
    r record;
    -- The message that a replacement takes away.
    old record;
    o integer;
    j integer;
    mb integer;
    src integer;
    ac integer;
    sac integer;
    tn integer;
    stn integer;
    v_messages bigint;
    v_bytes bigint;
    v_old_messages bigint;
    v_old_bytes bigint;
    v_more_messages bigint;
    v_more_bytes bigint;
    v_kw smallint[];
    v_map smallint[];
    v_place integer;
    v_first bigint;
    v_ids smallint[];
    v_thread bigint;
    v_keys bigint[];
    v_lo bigint[];
    v_hi bigint[];
    v_seen int8multirange;
    v_src_seen int8multirange;
    v_mask smallint;
    v_rights integer;
begin
    -- Locks. Nothing may be read for a decision before the last of them.
    if n_mb = 1 and n_ac < 2 then
        -- One mailbox and its own account, mostly: by one statement without arrays a lone append costs PostgreSQL a quarter less.
        if n_ac = 0 then
            select m.epoch, m.uidnext, m.highest_modseq, m.deleted, m.deleted_at, m.path into r
            from mail.mailbox m where m.account_id = mb_account[1] and m.id = mb_id[1] for no key update;
        else
            select m.epoch, m.uidnext, m.highest_modseq, m.deleted, m.deleted_at, m.path,
                a.tenant_id, a.max_messages - a.messages as free_messages, a.max_bytes - a.bytes as free_bytes into r
            from mail.mailbox m join mail.account a on a.account_id = mb_account[1]
            where m.account_id = mb_account[1] and m.id = mb_id[1] for no key update of m, a;
        end if;
        if found then
            m_epoch[1] := r.epoch;
            m_uidnext[1] := r.uidnext;
            m_modseq[1] := r.highest_modseq;
            m_deleted[1] := r.deleted;
            m_gone[1] := r.deleted_at is not null;
            m_path[1] := r.path::text;
            if n_ac = 1 then
                a_tenant[1] := r.tenant_id;
                a_free_messages[1] := coalesce(r.free_messages, 9e18::bigint);
                a_free_bytes[1] := coalesce(r.free_bytes, 9e18::bigint);
            end if;
        end if;
    else
        for r in
            select b.i, m.epoch, m.uidnext, m.highest_modseq, m.deleted, m.deleted_at, m.path
            from mail.mailbox m join unnest(mb_account, mb_id) with ordinality as b(a, id, i) on m.account_id = b.a and m.id = b.id
            order by m.account_id, m.id for no key update of m
        loop
            m_epoch[r.i] := r.epoch;
            m_uidnext[r.i] := r.uidnext;
            m_modseq[r.i] := r.highest_modseq;
            m_deleted[r.i] := r.deleted;
            m_gone[r.i] := r.deleted_at is not null;
            m_path[r.i] := r.path::text;
        end loop;
        if n_ac > 0 then
            for r in
                select b.i, a.tenant_id, a.max_messages - a.messages as free_messages, a.max_bytes - a.bytes as free_bytes
                from mail.account a join unnest(ac_id) with ordinality as b(id, i) on a.account_id = b.id
                order by a.account_id for no key update of a
            loop
                a_tenant[r.i] := r.tenant_id;
                a_free_messages[r.i] := coalesce(r.free_messages, 9e18::bigint);
                a_free_bytes[r.i] := coalesce(r.free_bytes, 9e18::bigint);
            end loop;
        end if;
    end if;
    if n_ac > 0 then
        for r in
            select t.tenant_id, t.max_messages - t.messages as free_messages, t.max_bytes - t.bytes as free_bytes
            from mail.tenant t where t.tenant_id = any(a_tenant) and t.charged order by t.tenant_id for no key update
        loop
            t_id := t_id || r.tenant_id;
            t_free_messages := t_free_messages || coalesce(r.free_messages, 9e18::bigint);
            t_free_bytes := t_free_bytes || coalesce(r.free_bytes, 9e18::bigint);
            t_messages := t_messages || 0::bigint;
            t_bytes := t_bytes || 0::bigint;
        end loop;
    end if;

    -- What an earlier commit has done already.
    for r in
        select b.i, p.status, p.modseq, p.src_modseq, p.uids, p.src_uids
        from unnest(op_mb, op_incarnation, op_counter) with ordinality as b(mb, incarnation, counter, i)
        join mail.operation p on p.account_id = mb_account[b.mb] and p.incarnation = b.incarnation and p.counter = b.counter
        where p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour'
    loop
        o_status[r.i] := case when r.status = 0 then 9 else r.status end;
        o_modseq[r.i] := r.modseq;
        o_src_modseq[r.i] := r.src_modseq;
        o_uids[r.i] := r.uids;
        o_src_uids[r.i] := r.src_uids;
    end loop;
    if cardinality(array_remove(op_delivery, null)) > 0 then
        for r in
            select b.i from unnest(op_mb, op_delivery) with ordinality as b(mb, hash, i)
            where b.hash is not null and exists (select 1 from mail.delivery d
                where d.account_id = mb_account[b.mb] and d.hash = b.hash and d.at > now() - interval '24 hours' and d.at < now() + interval '1 hour')
        loop
            o_status[r.i] := coalesce(o_status[r.i], 6::smallint);
        end loop;
    end if;

    -- The claims on bodies that are still there; locked, so that the collector waits.
    if false = any(ms_inline) then
        for r in
            select b.i from mail.body_staged s join unnest(ms_body, ms_claim, ms_same) with ordinality as b(body, claim, same, i)
                on s.body_id = b.body and s.claim = b.claim
            where b.same = b.i order by s.body_id, s.claim for update of s
        loop
            x_staged[r.i] := true;
        end loop;
    end if;

    -- Appends and replacements: who may, and with which numbers.
    for o in 1..n_op loop
        continue when o_status[o] is not null or op_kind[o] not in (1, 6);
        mb := op_mb[o];
        ac := mb_ac[mb];
        if op_twin[o] > 0 and o_status[op_twin[o]] in (0, 9) then
            o_status[o] := 9;
            o_modseq[o] := o_modseq[op_twin[o]];
            o_src_modseq[o] := o_src_modseq[op_twin[o]];
            o_uids[o] := o_uids[op_twin[o]];
            o_src_uids[o] := o_src_uids[op_twin[o]];
            continue;
        end if;
        if m_gone[mb] or m_epoch[mb] <> op_epoch[o] then
            o_status[o] := case when m_gone[mb] then 2 else 1 end;
            continue;
        end if;
        if op_nm_count[o] > 0 and m_path[mb] <> nm_segment[op_nm_first[o]:op_nm_first[o] + op_nm_count[o] - 1]::text then
            o_status[o] := 8;
            continue;
        end if;
        if op_delivery[o] is not null and (mb_account[mb] || ' ' || op_delivery[o]::text) = any(v_delivered) then
            o_status[o] := 6;
            continue;
        end if;
        v_messages := op_ms_count[o];
        v_bytes := 0;
        for j in op_ms_first[o]..op_ms_first[o] + op_ms_count[o] - 1 loop
            v_place := ms_same[j];
            if not x_staged[v_place] or x_taker[v_place] = o or (x_taker[v_place] > 0 and o_status[x_taker[v_place]] = 0) then
                o_status[o] := 4;
            else
                x_taker[v_place] := o;
            end if;
            v_bytes := v_bytes + ms_size[j];
        end loop;
        continue when o_status[o] is not null;
        tn := array_position(t_id, a_tenant[ac]);
        -- What goes away makes room, where it is charged to the same.
        v_old_messages := 0;
        v_old_bytes := 0;
        src := 0;
        if op_kind[o] = 6 then
            src := op_src[o];
            sac := mb_ac[src];
            stn := array_position(t_id, a_tenant[sac]);
            if m_gone[src] then
                o_status[o] := 5;
                continue;
            end if;
            select m.email_id, m.size, f.flags, f.keywords into old
            from mail.message m join mail.message_flags f on f.account_id = m.account_id and f.mailbox_id = m.mailbox_id and f.uid = m.uid
            where m.account_id = mb_account[src] and m.mailbox_id = mb_id[src] and m.uid = rg_first[op_rg_first[o]];
            if not found then
                o_status[o] := 10;
                continue;
            end if;
            v_old_messages := 1;
            v_old_bytes := old.size;
        end if;
        v_more_messages := v_messages - case when src > 0 and ac = sac then v_old_messages else 0 end;
        v_more_bytes := v_bytes - case when src > 0 and ac = sac then v_old_bytes else 0 end;
        if a_free_messages[ac] < v_more_messages and v_more_messages > 0 or a_free_bytes[ac] < v_more_bytes and v_more_bytes > 0 then
            o_status[o] := 3;
            continue;
        end if;
        if tn is not null then
            v_more_messages := v_messages - case when src > 0 and tn is not distinct from stn then v_old_messages else 0 end;
            v_more_bytes := v_bytes - case when src > 0 and tn is not distinct from stn then v_old_bytes else 0 end;
            if t_free_messages[tn] < v_more_messages and v_more_messages > 0 or t_free_bytes[tn] < v_more_bytes and v_more_bytes > 0 then
                o_status[o] := 3;
                continue;
            end if;
        end if;
        for j in op_ms_first[o]..op_ms_first[o] + op_ms_count[o] - 1 loop
            if ms_kw[j] is not null then
                v_ids := mail.keyword_ids(mb_account[mb], mb_id[mb], string_to_array(ms_kw[j], ' '), p_max_keywords, v_given);
                if v_ids is null then
                    o_status[o] := 7;
                    exit;
                end if;
                v_given := v_given || v_ids;
                x_kw[j] := v_ids::text;
            end if;
        end loop;
        continue when o_status[o] is not null;
        if op_delivery[o] is not null then
            v_delivered := v_delivered || (mb_account[mb] || ' ' || op_delivery[o]::text);
        end if;
        a_free_messages[ac] := a_free_messages[ac] - v_messages;
        a_free_bytes[ac] := a_free_bytes[ac] - v_bytes;
        a_messages[ac] := a_messages[ac] + v_messages;
        a_bytes[ac] := a_bytes[ac] + v_bytes;
        if tn is not null then
            t_free_messages[tn] := t_free_messages[tn] - v_messages;
            t_free_bytes[tn] := t_free_bytes[tn] - v_bytes;
            t_messages[tn] := t_messages[tn] + v_messages;
            t_bytes[tn] := t_bytes[tn] + v_bytes;
        end if;
        if src > 0 then
            -- First, as in a move: in one mailbox the removal precedes the addition.
            m_modseq[src] := m_modseq[src] + 1;
            m_touched[src] := true;
            o_src_modseq[o] := m_modseq[src];
            o_src_uids[o] := int8multirange(int8range(rg_first[op_rg_first[o]], rg_first[op_rg_first[o]], '[]'));
            delete from mail.message m where m.account_id = mb_account[src] and m.mailbox_id = mb_id[src] and m.uid = rg_first[op_rg_first[o]];
            delete from mail.message_flags f where f.account_id = mb_account[src] and f.mailbox_id = mb_id[src] and f.uid = rg_first[op_rg_first[o]];
            insert into mail.expunged (account_id, mailbox_id, uid, email_id, flags, keywords, modseq)
            values (mb_account[src], mb_id[src], rg_first[op_rg_first[o]], old.email_id, old.flags,
                case when old.keywords is not null then (select array_agg(k.name order by k.id) from mail.keyword k
                    where k.account_id = mb_account[src] and k.mailbox_id = mb_id[src] and k.id = any(old.keywords)) end, m_modseq[src]);
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
            values (mb_account[src], mb_id[src], m_modseq[src], 3, o_src_uids[o], op_actor[o], op_session[o], op_address[o], op_incarnation[o], op_counter[o]);
            d_messages[src] := d_messages[src] - v_old_messages;
            d_bytes[src] := d_bytes[src] - v_old_bytes;
            d_unseen[src] := d_unseen[src] - 1 + (old.flags & 1);
            d_deleted[src] := d_deleted[src] - ((old.flags >> 3) & 1);
            a_messages[sac] := a_messages[sac] - v_old_messages;
            a_bytes[sac] := a_bytes[sac] - v_old_bytes;
            a_free_messages[sac] := a_free_messages[sac] + v_old_messages;
            a_free_bytes[sac] := a_free_bytes[sac] + v_old_bytes;
            if stn is not null then
                t_messages[stn] := t_messages[stn] - v_old_messages;
                t_bytes[stn] := t_bytes[stn] - v_old_bytes;
                t_free_messages[stn] := t_free_messages[stn] + v_old_messages;
                t_free_bytes[stn] := t_free_bytes[stn] + v_old_bytes;
            end if;
        end if;
        m_modseq[mb] := m_modseq[mb] + 1;
        v_first := m_uidnext[mb];
        for j in op_ms_first[o]..op_ms_first[o] + op_ms_count[o] - 1 loop
            x_mb[j] := mb;
            x_uid[j] := m_uidnext[mb];
            x_modseq[j] := m_modseq[mb];
            m_uidnext[mb] := m_uidnext[mb] + 1;
            d_unseen[mb] := d_unseen[mb] + 1 - (ms_flags[j] & 1);
            d_deleted[mb] := d_deleted[mb] + ((ms_flags[j] >> 3) & 1);
        end loop;
        d_messages[mb] := d_messages[mb] + v_messages;
        d_bytes[mb] := d_bytes[mb] + v_bytes;
        m_touched[mb] := true;
        v_appended := true;
        o_status[o] := 0;
        o_modseq[o] := m_modseq[mb];
        o_uids[o] := int8multirange(int8range(v_first, m_uidnext[mb]));
    end loop;
    if v_appended then
        -- A thread is the one that any of its message ids is known in, else its own.
        if p_joint then
            for r in select x.ms, array_agg(x.key) as keys from unnest(th_ms, th_key) as x(ms, key) where x_mb[x.ms] > 0 group by x.ms order by x.ms loop
                select min(t.thread_id) into v_thread from unnest(r.keys) k
                cross join lateral (select t.thread_id from mail.thread t where t.account_id = mb_account[x_mb[r.ms]] and t.key = k offset 0) t;
                x_thread[r.ms] := coalesce(v_thread, ms_email[r.ms]);
                insert into mail.thread (account_id, key, thread_id)
                select mb_account[x_mb[r.ms]], k, x_thread[r.ms] from unnest(r.keys) k on conflict do nothing;
            end loop;
        elsif cardinality(th_key) > 0 then
            for r in
                select x.ms, min(t.thread_id) as thread from unnest(th_ms, th_key) as x(ms, key)
                cross join lateral (select t.thread_id from mail.thread t where t.account_id = mb_account[x_mb[x.ms]] and t.key = x.key offset 0) t
                where x_mb[x.ms] > 0 group by x.ms
            loop
                x_thread[r.ms] := r.thread;
            end loop;
        end if;
        with x as materialized (
            select mb_account[x.mb] as account_id, mb_id[x.mb] as mailbox_id, x.uid, x.modseq, x.thread, x.body, x.claim, x.email, x.prefix, x.size,
                to_timestamp(x.date) as date, x.zone, x.flags, x.kw
            from unnest(x_mb, x_uid, x_modseq, x_thread, ms_body, ms_claim, ms_email, ms_prefix, ms_size, ms_date, ms_zone, ms_flags, x_kw)
                as x(mb, uid, modseq, thread, body, claim, email, prefix, size, date, zone, flags, kw)
            where x.mb > 0
        ), email as (
            insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
            select x.account_id, x.email, x.body, x.thread, x.size, x.date, x.zone, x.prefix from x
        ), message as (
            insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date)
            select x.account_id, x.mailbox_id, x.uid, x.email, x.thread, x.size, x.date, x.zone, v_now from x
        ), flag as (
            insert into mail.message_flags (account_id, mailbox_id, uid, flags, keywords, modseq)
            select x.account_id, x.mailbox_id, x.uid, (x.flags & 31)::smallint, x.kw::smallint[], x.modseq from x
        ), thread as (
            insert into mail.thread (account_id, key, thread_id)
            select mb_account[x_mb[k.ms]], k.key, x_thread[k.ms] from unnest(th_ms, th_key) as k(ms, key) where not p_joint and x_mb[k.ms] > 0
            on conflict do nothing
        )
        select count(*) into v_messages from x;
        if false = any(ms_inline) then
            delete from mail.body_staged s using unnest(x_mb, ms_inline, ms_body, ms_claim) as x(mb, inline, body, claim)
            where x.mb > 0 and not x.inline and s.body_id = x.body and s.claim = x.claim;
        end if;
        if true = any(ms_inline) then
            with x as materialized (
                select x.body, a_tenant[mb_ac[x.mb]] as tenant, x.crc32c, x.data, x.content
                from unnest(x_mb, ms_inline, ms_body, ms_crc32c, ms_data, ms_content) as x(mb, inline, body, crc32c, data, content) where x.mb > 0 and x.inline
            ), body as (
                insert into mail.body (id, tenant_id, size, crc32c) select x.body, x.tenant, octet_length(x.data), x.crc32c from x
            ), chunk as (
                insert into mail.body_chunk (body_id, no, data) select x.body, 0, x.data from x
            )
            insert into mail.content (body_id, data) select x.body, x.content from x;
        end if;
        if 32 <= any(ms_flags) then
            insert into mail.seen_by as b (account_id, mailbox_id, viewer_id, uids, modseq)
            select mb_account[op_mb[x.o]], mb_id[op_mb[x.o]], op_viewer[x.o], range_agg(int8range(x_uid[j], x_uid[j], '[]')), max(x_modseq[j])
            from generate_series(1, n_op) as x(o), generate_series(op_ms_first[x.o], op_ms_first[x.o] + op_ms_count[x.o] - 1) j
            where op_kind[x.o] in (1, 6) and o_status[x.o] = 0 and x_mb[j] > 0 and ms_flags[j] & 32 <> 0
            group by 1, 2, 3
            on conflict (account_id, mailbox_id, viewer_id) do update set uids = b.uids + excluded.uids, modseq = excluded.modseq;
        end if;
        if cardinality(v_delivered) > 0 then
            insert into mail.delivery (account_id, hash)
            select mb_account[x.mb], x.hash from unnest(op_kind, op_mb, op_delivery, o_status) as x(kind, mb, hash, status)
            where x.kind = 1 and x.status = 0 and x.hash is not null;
        end if;
    end if;
    for o in 1..n_op loop
        if op_kind[o] in (1, 6) then
            op := o;
            status := o_status[o];
            modseq := o_modseq[o];
            uids := o_uids[o];
            src_modseq := o_src_modseq[o];
            src_uids := o_src_uids[o];
            src_epoch := case when op_src[o] > 0 then m_epoch[op_src[o]] end;
            threads := case when o_status[o] = 0 then x_thread[op_ms_first[o]:op_ms_first[o] + op_ms_count[o] - 1] end;
            return next;
        end if;
    end loop;
    threads := null;

    -- Plain changes of flags, all at once; their modseqs are in the order of the operations.
    if true = any(op_plain) then
        for o in 1..n_op loop
            continue when not op_plain[o];
            mb := op_mb[o];
            if o_status[o] is null then
                o_status[o] := case when m_gone[mb] then 2 when m_epoch[mb] <> op_epoch[o] then 1 else 0 end;
                x_plain[o] := o_status[o] = 0;
            else
                x_plain[o] := false;
            end if;
        end loop;
        for r in
            with candidate as materialized (
                select b.op, b.mb, b.since, f.place, f.uid, f.flags, f.keywords, f.modseq,
                    (case b.mode when 0 then b.flags when 1 then f.flags | b.flags else f.flags & ~b.flags end)::smallint as new_flags,
                    case when b.mode > 0 then f.keywords end as new_keywords
                from unnest(x_plain, op_mb, op_mode, op_flags, op_since, op_rg_first, op_rg_count) with ordinality as b(plain, mb, mode, flags, since, first, count, op)
                cross join lateral generate_series(b.first, b.first + b.count - 1) as g(i)
                cross join lateral (
                    select f.ctid as place, f.* from mail.message_flags f
                    where f.account_id = mb_account[b.mb] and f.mailbox_id = mb_id[b.mb] and f.uid between rg_first[g.i] and rg_last[g.i] offset 0) f
                where b.plain
            ), changed as materialized (
                select c.op, c.uid, c.place, c.flags as was, c.new_flags, c.new_keywords, m_modseq[c.mb] + dense_rank() over (partition by c.mb order by c.op) as modseq
                from candidate c
                where (c.since is null or c.modseq <= c.since) and (c.new_flags <> c.flags or c.new_keywords is distinct from c.keywords)
            ), done as (
                update mail.message_flags f set flags = c.new_flags, keywords = c.new_keywords, modseq = c.modseq from changed c where f.ctid = c.place
            )
            select c.op, range_agg(int8range(c.uid, c.uid, '[]')) as uids, null::int8multirange as modified,
                sum((c.was & 1) - (c.new_flags & 1)) as unseen, sum(((c.new_flags >> 3) & 1) - ((c.was >> 3) & 1)) as deleted
            from changed c group by c.op
            union all
            select c.op, null, range_agg(int8range(c.uid, c.uid, '[]')), 0, 0 from candidate c where c.modseq > c.since group by c.op
        loop
            mb := op_mb[r.op];
            o_uids[r.op] := coalesce(r.uids, o_uids[r.op]);
            o_modified[r.op] := coalesce(r.modified, o_modified[r.op]);
            d_unseen[mb] := d_unseen[mb] + r.unseen;
            d_deleted[mb] := d_deleted[mb] + r.deleted;
        end loop;
        for o in 1..n_op loop
            continue when not x_plain[o];
            mb := op_mb[o];
            if o_uids[o] is not null then
                m_modseq[mb] := m_modseq[mb] + 1;
                m_touched[mb] := true;
            end if;
            o_modseq[o] := m_modseq[mb];
        end loop;
    end if;

    -- The rest, one after the other: each sees what those before it did.
    for o in 1..n_op loop
        continue when op_kind[o] in (1, 6);
        mb := op_mb[o];
        src := op_src[o];
        op := o;
        modseq := null; uids := null; src_modseq := null; src_epoch := null; src_uids := null; modified := null;
        added_uid := null; added_email := null; added_thread := null; added_size := null; added_date := null; added_zone := null;
        added_flags := null; added_kw := null;
        if o_status[o] is null and op_twin[o] > 0 and o_status[op_twin[o]] in (0, 9) then
            o_status[o] := 9;
            o_modseq[o] := o_modseq[op_twin[o]];
            o_src_modseq[o] := o_src_modseq[op_twin[o]];
            o_uids[o] := o_uids[op_twin[o]];
            o_src_uids[o] := o_src_uids[op_twin[o]];
        end if;
        if o_status[o] is not null then
            status := o_status[o];
            modseq := o_modseq[o];
            src_modseq := o_src_modseq[o];
            uids := o_uids[o];
            src_uids := o_src_uids[o];
            src_epoch := case when src > 0 then m_epoch[src] end;
            modified := o_modified[o];
            return next;
            continue;
        end if;
        status := case when m_gone[mb] then 2 when m_epoch[mb] <> op_epoch[o] then 1 when src > 0 and m_gone[src] then 5 else 0 end;
        v_lo := rg_first[op_rg_first[o]:op_rg_first[o] + op_rg_count[o] - 1];
        v_hi := rg_last[op_rg_first[o]:op_rg_first[o] + op_rg_count[o] - 1];
        if status = 0 and op_kind[o] = 2 then
            v_kw := null;
            if op_kw[o] is not null then
                if op_mode[o] = 2 then
                    select array_agg(k.id order by k.id) into v_kw from mail.keyword k
                    where k.account_id = mb_account[mb] and k.mailbox_id = mb_id[mb]
                        and lower(k.name) = any(select lower(n collate "C") from unnest(string_to_array(op_kw[o], ' ')) n);
                else
                    v_kw := mail.keyword_ids(mb_account[mb], mb_id[mb], string_to_array(op_kw[o], ' '), p_max_keywords, v_given);
                    if v_kw is null then
                        status := 7;
                    end if;
                    v_given := v_given || v_kw;
                end if;
            end if;
        end if;
        if status = 0 and op_kind[o] in (2, 4, 5) then
            v_seen := null;
            v_src_seen := null;
            if op_viewer[o] > 0 and op_kind[o] = 2 then
                select b.uids into v_seen from mail.seen_by b where b.account_id = mb_account[mb] and b.mailbox_id = mb_id[mb] and b.viewer_id = op_viewer[o];
                v_seen := coalesce(v_seen, '{}');
            elsif op_src_viewer[o] > 0 then
                select b.uids into v_src_seen from mail.seen_by b where b.account_id = mb_account[src] and b.mailbox_id = mb_id[src] and b.viewer_id = op_src_viewer[o];
                v_src_seen := coalesce(v_src_seen, '{}');
            end if;
        end if;
        if status = 0 and op_kind[o] = 2 then
            -- What a viewer has seen is not in the row's flags.
            v_mask := case when op_viewer[o] > 0 then op_mask[o] & 30 else op_mask[o] & 31 end;
            with candidate as materialized (
                select f.place, f.uid, f.flags, f.keywords, f.modseq,
                    (case op_mode[o] when 0 then (f.flags & ~v_mask) | (op_flags[o] & v_mask) when 1 then f.flags | (op_flags[o] & v_mask)
                        else f.flags & ~(op_flags[o] & v_mask) end)::smallint as new_flags,
                    v_seen is not null and f.uid <@ v_seen as seen,
                    case when v_seen is null then false
                        when op_mask[o] & 1 = 0 then f.uid <@ v_seen
                        when op_mode[o] = 0 then op_flags[o] & 1 <> 0
                        when op_mode[o] = 1 then op_flags[o] & 1 <> 0 or f.uid <@ v_seen
                        else op_flags[o] & 1 = 0 and f.uid <@ v_seen end as new_seen,
                    case when op_mask[o] & 32 = 0 then f.keywords
                        when op_mode[o] = 0 then v_kw
                        when v_kw is null then f.keywords
                        when op_mode[o] = 1 then (select array_agg(distinct k order by k) from unnest(f.keywords || v_kw) k)
                        else (select array_agg(k order by k) from unnest(f.keywords) k where not k = any(v_kw)) end as new_keywords
                from unnest(v_lo, v_hi) as g(lo, hi) cross join lateral (
                    select f.ctid as place, f.* from mail.message_flags f
                    where f.account_id = mb_account[mb] and f.mailbox_id = mb_id[mb] and f.uid between g.lo and g.hi offset 0) f
            ), changed as (
                update mail.message_flags f set flags = c.new_flags, keywords = c.new_keywords, modseq = m_modseq[mb] + 1
                from candidate c
                where f.ctid = c.place
                    and (op_since[o] is null or c.modseq <= op_since[o])
                    and (c.new_flags <> c.flags or c.new_seen <> c.seen or c.new_keywords is distinct from c.keywords)
                returning f.uid, c.flags as was, c.new_flags as is_now, c.seen, c.new_seen
            )
            select (select range_agg(int8range(c.uid, c.uid, '[]')) from changed c) as uids,
                (select range_agg(int8range(c.uid, c.uid, '[]')) from candidate c where c.modseq > op_since[o]) as modified,
                (select coalesce(sum((c.was & 1) - (c.is_now & 1)), 0) from changed c) as unseen,
                (select coalesce(sum(((c.is_now >> 3) & 1) - ((c.was >> 3) & 1)), 0) from changed c) as deleted,
                (select range_agg(int8range(c.uid, c.uid, '[]')) from changed c where c.new_seen and not c.seen) as saw,
                (select range_agg(int8range(c.uid, c.uid, '[]')) from changed c where c.seen and not c.new_seen) as forgot
            into r;
            if r.saw is not null or r.forgot is not null then
                insert into mail.seen_by as b (account_id, mailbox_id, viewer_id, uids, modseq)
                values (mb_account[mb], mb_id[mb], op_viewer[o], v_seen + coalesce(r.saw, '{}') - coalesce(r.forgot, '{}'), m_modseq[mb] + 1)
                on conflict (account_id, mailbox_id, viewer_id) do update set uids = excluded.uids, modseq = excluded.modseq;
            end if;
            uids := r.uids;
            modified := r.modified;
            d_unseen[mb] := d_unseen[mb] + r.unseen;
            d_deleted[mb] := d_deleted[mb] + r.deleted;
        elsif status = 0 and op_kind[o] = 20 then
            select a.rights into v_rights from mail.acl a
            where a.account_id = mb_account[mb] and a.mailbox_id = mb_id[mb] and a.grantee_id = op_since[o] and a.negative = (op_kw[o] is not null);
            v_rights := case op_mode[o] when 0 then op_flags[o] when 1 then coalesce(v_rights, 0) | op_flags[o] else coalesce(v_rights, 0) & ~op_flags[o] end;
            delete from mail.acl a
            where a.account_id = mb_account[mb] and a.mailbox_id = mb_id[mb] and a.grantee_id = op_since[o] and a.negative = (op_kw[o] is not null);
            insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights)
            select mb_account[mb], mb_id[mb], a.tenant_id, op_since[o], op_kw[o] is not null, v_rights from mail.account a where a.account_id = mb_account[mb] and v_rights <> 0;
            uids := '{}';
        elsif status = 0 and op_kind[o] = 3 and m_deleted[mb] + d_deleted[mb] = 0 then
            -- CLOSE, mostly: nothing is \Deleted, and finding that out row by row would cost the whole mailbox.
            uids := null;
        elsif status = 0 and op_kind[o] in (3, 7) then
            with gone as materialized (
                select f.place as flags_place, m.place, f.uid, f.flags, f.keywords, m.email_id, m.size
                from unnest(v_lo, v_hi) as g(lo, hi) cross join lateral (
                    select f.ctid as place, f.* from mail.message_flags f
                    where f.account_id = mb_account[mb] and f.mailbox_id = mb_id[mb] and f.uid between g.lo and g.hi
                        and (op_kind[o] = 7 or f.flags & 8 <> 0) offset 0) f
                cross join lateral (
                    select m.ctid as place, m.* from mail.message m
                    where m.account_id = mb_account[mb] and m.mailbox_id = mb_id[mb] and m.uid = f.uid offset 0) m
            ), flag as (
                delete from mail.message_flags f using gone g where f.ctid = g.flags_place
            ), message as (
                delete from mail.message m using gone g where m.ctid = g.place
            ), kept as (
                insert into mail.expunged (account_id, mailbox_id, uid, email_id, flags, keywords, modseq)
                select mb_account[mb], mb_id[mb], g.uid, g.email_id, g.flags,
                    case when g.keywords is not null then (select array_agg(k.name order by k.id) from mail.keyword k
                        where k.account_id = mb_account[mb] and k.mailbox_id = mb_id[mb] and k.id = any(g.keywords)) end,
                    m_modseq[mb] + 1 from gone g
            )
            select range_agg(int8range(g.uid, g.uid, '[]')) as uids, count(*) as messages, coalesce(sum(g.size), 0) as bytes,
                coalesce(sum(1 - (g.flags & 1)), 0) as unseen, coalesce(sum((g.flags >> 3) & 1), 0) as deleted
            from gone g into r;
            uids := r.uids;
            ac := mb_ac[mb];
            tn := array_position(t_id, a_tenant[ac]);
            d_messages[mb] := d_messages[mb] - r.messages;
            d_bytes[mb] := d_bytes[mb] - r.bytes;
            d_unseen[mb] := d_unseen[mb] - r.unseen;
            d_deleted[mb] := d_deleted[mb] - r.deleted;
            a_messages[ac] := a_messages[ac] - r.messages;
            a_bytes[ac] := a_bytes[ac] - r.bytes;
            a_free_messages[ac] := a_free_messages[ac] + r.messages;
            a_free_bytes[ac] := a_free_bytes[ac] + r.bytes;
            if tn is not null then
                t_messages[tn] := t_messages[tn] - r.messages;
                t_bytes[tn] := t_bytes[tn] - r.bytes;
                t_free_messages[tn] := t_free_messages[tn] + r.messages;
                t_free_bytes[tn] := t_free_bytes[tn] + r.bytes;
            end if;
        elsif status = 0 then
            select count(*) as messages, coalesce(sum(m.size), 0) as bytes into r
            from unnest(v_lo, v_hi) as g(lo, hi) cross join lateral (
                select m.size from mail.message m
                where m.account_id = mb_account[src] and m.mailbox_id = mb_id[src] and m.uid between g.lo and g.hi offset 0) m;
            v_messages := r.messages;
            v_bytes := r.bytes;
            ac := mb_ac[mb];
            sac := mb_ac[src];
            tn := array_position(t_id, a_tenant[ac]);
            stn := array_position(t_id, a_tenant[sac]);
            -- A move inside an account changes no usage, and one inside a tenant none of the tenant's.
            if not (op_kind[o] = 5 and ac = sac) and (a_free_messages[ac] < v_messages or a_free_bytes[ac] < v_bytes) then
                status := 3;
            elsif tn is not null and not (op_kind[o] = 5 and tn is not distinct from stn)
                and (t_free_messages[tn] < v_messages or t_free_bytes[tn] < v_bytes) then
                status := 3;
            end if;
            v_map := null;
            if status = 0 and exists (select 1 from mail.keyword k where k.account_id = mb_account[src] and k.mailbox_id = mb_id[src]) then
                -- Keywords go by name: the place in this array is the number at the source, the value the number here.
                v_map := array_fill(null::smallint, array[p_max_keywords + 1]);
                for r in
                    select k.id, k.name from mail.keyword k where k.account_id = mb_account[src] and k.mailbox_id = mb_id[src]
                        and exists (select 1 from unnest(v_lo, v_hi) as g(lo, hi) cross join lateral (
                            select 1 from mail.message_flags f where f.account_id = mb_account[src] and f.mailbox_id = mb_id[src] and f.uid between g.lo and g.hi
                                and k.id = any(f.keywords) offset 0) f)
                loop
                    v_kw := mail.keyword_ids(mb_account[mb], mb_id[mb], array[r.name], p_max_keywords, v_given);
                    if v_kw is null then
                        status := 7;
                        exit;
                    end if;
                    v_given := v_given || v_kw;
                    v_map[r.id] := v_kw[1];
                end loop;
            end if;
            if status = 0 and v_messages > 0 then
                if op_kind[o] = 5 then
                    -- First, since source and destination may be one mailbox: there the removal precedes the addition.
                    m_modseq[src] := m_modseq[src] + 1;
                    m_touched[src] := true;
                    src_modseq := m_modseq[src];
                end if;
                with source as materialized (
                    select m.place, f.place as flags_place, m.uid, m.email_id, m.thread_id, m.size, m.internal_date, m.zone, f.flags, f.keywords,
                        m_uidnext[mb] - 1 + row_number() over (order by m.uid) as new_uid,
                        case when f.keywords is not null and op_mask[o] & 32 <> 0 then (select array_agg(v_map[k] order by v_map[k]) from unnest(f.keywords) k) end as new_keywords,
                        -- As who acts sees it here; inside an account the owner's own goes along.
                        ((f.flags & op_mask[o] & 30) | case when op_viewer[o] > 0 and mb_account[mb] = mb_account[src] then f.flags & 1 when op_viewer[o] > 0 then 0
                            when v_src_seen is null then f.flags & op_mask[o] & 1 when m.uid <@ v_src_seen then 1 else 0 end)::smallint as new_flags,
                        op_viewer[o] > 0 and op_mask[o] & 1 <> 0 and case when v_src_seen is null then f.flags & 1 <> 0 else m.uid <@ v_src_seen end as new_seen
                    from unnest(v_lo, v_hi) as g(lo, hi) cross join lateral (
                        select m.ctid as place, m.* from mail.message m
                        where m.account_id = mb_account[src] and m.mailbox_id = mb_id[src] and m.uid between g.lo and g.hi offset 0) m
                    cross join lateral (
                        select f.ctid as place, f.* from mail.message_flags f
                        where f.account_id = mb_account[src] and f.mailbox_id = mb_id[src] and f.uid = m.uid offset 0) f
                ), gone as (
                    delete from mail.message m using source s where op_kind[o] = 5 and m.ctid = s.place
                ), unflagged as (
                    delete from mail.message_flags f using source s where op_kind[o] = 5 and f.ctid = s.flags_place
                ), email as (
                    -- Into another account the content goes as an email of its own, under the same id. One that is there already, from before it left, is locked against mail.remove_emails.
                    insert into mail.email as own (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
                    select distinct on (e.id) mb_account[mb], e.id, e.body_id, e.thread_id, e.size, e.internal_date, e.zone, e.prefix
                    from source s cross join lateral (select e.* from mail.email e where e.account_id = mb_account[src] and e.id = s.email_id offset 0) e
                    where mb_account[mb] <> mb_account[src]
                    on conflict (account_id, id) do update set thread_id = own.thread_id
                ), put as (
                    insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date)
                    select mb_account[mb], mb_id[mb], s.new_uid, s.email_id, s.thread_id, s.size, s.internal_date, s.zone, v_now from source s
                ), flag as (
                    insert into mail.message_flags (account_id, mailbox_id, uid, flags, keywords, modseq)
                    select mb_account[mb], mb_id[mb], s.new_uid, s.new_flags, s.new_keywords, m_modseq[mb] + 1 from source s
                )
                select array_agg(s.new_uid order by s.uid) as uid, array_agg(s.email_id order by s.uid) as email,
                    array_agg(s.thread_id order by s.uid) as thread, array_agg(s.size order by s.uid) as size,
                    array_agg(extract(epoch from s.internal_date)::bigint order by s.uid) as date, array_agg(s.zone order by s.uid) as zone,
                    array_agg(s.new_flags order by s.uid) as flags, array_agg(case when s.new_keywords is not null then (select string_agg(w.name, ' ' order by lower(w.name)) from mail.keyword w
                        where w.account_id = mb_account[mb] and w.mailbox_id = mb_id[mb] and w.id = any(s.new_keywords)) end order by s.uid) as kw,
                    range_agg(int8range(s.uid, s.uid, '[]')) as src_uids, range_agg(int8range(s.new_uid, s.new_uid, '[]')) as uids,
                    sum(1 - (s.flags & 1)) as src_unseen, sum((s.flags >> 3) & 1) as src_deleted,
                    sum(1 - (s.new_flags & 1)) as unseen, sum((s.new_flags >> 3) & 1) as deleted,
                    range_agg(int8range(s.new_uid, s.new_uid, '[]')) filter (where s.new_seen) as saw
                from source s into r;
                modified := r.saw;
                if r.saw is not null then
                    insert into mail.seen_by as b (account_id, mailbox_id, viewer_id, uids, modseq)
                    values (mb_account[mb], mb_id[mb], op_viewer[o], r.saw, m_modseq[mb] + 1)
                    on conflict (account_id, mailbox_id, viewer_id) do update set uids = b.uids + excluded.uids, modseq = excluded.modseq;
                end if;
                added_uid := r.uid; added_email := r.email; added_thread := r.thread; added_size := r.size; added_date := r.date;
                added_zone := r.zone; added_flags := r.flags; added_kw := r.kw;
                uids := r.uids;
                src_uids := r.src_uids;
                d_messages[mb] := d_messages[mb] + v_messages;
                d_bytes[mb] := d_bytes[mb] + v_bytes;
                d_unseen[mb] := d_unseen[mb] + r.unseen;
                d_deleted[mb] := d_deleted[mb] + r.deleted;
                m_uidnext[mb] := m_uidnext[mb] + v_messages;
                a_messages[ac] := a_messages[ac] + v_messages;
                a_bytes[ac] := a_bytes[ac] + v_bytes;
                a_free_messages[ac] := a_free_messages[ac] - v_messages;
                a_free_bytes[ac] := a_free_bytes[ac] - v_bytes;
                if tn is not null then
                    t_messages[tn] := t_messages[tn] + v_messages;
                    t_bytes[tn] := t_bytes[tn] + v_bytes;
                    t_free_messages[tn] := t_free_messages[tn] - v_messages;
                    t_free_bytes[tn] := t_free_bytes[tn] - v_bytes;
                end if;
                if op_kind[o] = 5 then
                    insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
                    values (mb_account[src], mb_id[src], src_modseq, 6, src_uids, op_actor[o], op_session[o], op_address[o], op_incarnation[o], op_counter[o]);
                    d_messages[src] := d_messages[src] - v_messages;
                    d_bytes[src] := d_bytes[src] - v_bytes;
                    d_unseen[src] := d_unseen[src] - r.src_unseen;
                    d_deleted[src] := d_deleted[src] - r.src_deleted;
                    a_messages[sac] := a_messages[sac] - v_messages;
                    a_bytes[sac] := a_bytes[sac] - v_bytes;
                    a_free_messages[sac] := a_free_messages[sac] + v_messages;
                    a_free_bytes[sac] := a_free_bytes[sac] + v_bytes;
                    if stn is not null then
                        t_messages[stn] := t_messages[stn] - v_messages;
                        t_bytes[stn] := t_bytes[stn] - v_bytes;
                        t_free_messages[stn] := t_free_messages[stn] + v_messages;
                        t_free_bytes[stn] := t_free_bytes[stn] + v_bytes;
                    end if;
                end if;
            end if;
            src_epoch := m_epoch[src];
        end if;
        if status = 0 then
            if uids is not null then
                m_modseq[mb] := m_modseq[mb] + 1;
                m_touched[mb] := true;
            end if;
            modseq := m_modseq[mb];
        end if;
        o_status[o] := status;
        o_modseq[o] := modseq;
        o_src_modseq[o] := src_modseq;
        o_uids[o] := uids;
        o_src_uids[o] := src_uids;
        return next;
    end loop;

    -- What every accepted operation leaves behind.
    with change as (
        insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
        select mb_account[x.mb], mb_id[x.mb], x.modseq, case x.kind when 6 then 1 when 7 then 3 else x.kind end, x.uids, x.actor, x.session, x.address, x.incarnation, x.counter
        from unnest(op_kind, op_mb, o_status, o_modseq, o_uids, op_actor, op_session, op_address, op_incarnation, op_counter)
            as x(kind, mb, status, modseq, uids, actor, session, address, incarnation, counter)
        where x.status = 0 and x.uids is not null
    ), operation as (
        insert into mail.operation (account_id, incarnation, counter, status, modseq, src_modseq, uids, src_uids)
        select mb_account[x.mb], x.incarnation, x.counter, x.status, x.modseq, x.src_modseq, x.uids, x.src_uids
        from unnest(op_mb, op_incarnation, op_counter, o_status, o_modseq, o_src_modseq, o_uids, o_src_uids)
            as x(mb, incarnation, counter, status, modseq, src_modseq, uids, src_uids)
        where x.status in (0, 6)
    ), usage as (
        update mail.account a set messages = a.messages + x.messages, bytes = a.bytes + x.bytes
        from unnest(ac_id, a_messages, a_bytes) as x(id, messages, bytes)
        where a.account_id = x.id and (x.messages <> 0 or x.bytes <> 0)
    )
    update mail.mailbox m set uidnext = x.uidnext, highest_modseq = x.modseq, messages = m.messages + x.messages, unseen = m.unseen + x.unseen,
        deleted = m.deleted + x.deleted, bytes = m.bytes + x.bytes, first_recent = greatest(m.first_recent, coalesce(x.recent, 0))
    from unnest(mb_account, mb_id, m_touched, m_uidnext, m_modseq, d_messages, d_unseen, d_deleted, d_bytes, mb_recent)
        as x(account_id, id, touched, uidnext, modseq, messages, unseen, deleted, bytes, recent)
    where m.account_id = x.account_id and m.id = x.id and x.touched;
    if cardinality(t_id) > 0 then
        update mail.tenant t set messages = t.messages + x.messages, bytes = t.bytes + x.bytes
        from unnest(t_id, t_messages, t_bytes) as x(id, messages, bytes)
        where t.tenant_id = x.id and (x.messages <> 0 or x.bytes <> 0);
    end if;
end $$;

-- As stage_bodies_v1; a body that is there already is passed over: an earlier try, or a commit that took it along, whose answer was lost, has stored it.
create function mail.stage_bodies_v2(p_id bigint[], p_tenant bigint[], p_size bigint[], p_crc32c integer[], p_claims integer[], p_data bytea[], p_content bytea[])
returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    with body as (
        insert into mail.body (id, tenant_id, size, crc32c) select * from unnest(p_id, p_tenant, p_size, p_crc32c) on conflict do nothing returning id
    ), chunk as (
        insert into mail.body_chunk (body_id, no, data) select x.id, 0, x.data from unnest(p_id, p_data) as x(id, data) where x.id in (select id from body)
    ), content as (
        insert into mail.content (body_id, data) select x.id, x.data from unnest(p_id, p_content) as x(id, data) where x.id in (select id from body)
    )
    insert into mail.body_staged (body_id, claim)
    select x.id, c from unnest(p_id, p_claims) as x(id, claims), generate_series(0, x.claims - 1) c where x.id in (select id from body);
end $$;
