-- Annotations of messages (RFC 5257). Where nobody annotates, nothing reads or writes any of this but one look at annotation_usage for a batch in which messages go or are copied.

-- One row an annotation of a message. A null value: it was taken away, of which sessions may have yet to hear.
create table mail.message_annotation (
    account_id bigint not null,
    mailbox_id bigint not null,
    uid        bigint not null,
    -- 0: shared; else the account whose it is, and that alone reads it.
    viewer_id  bigint not null,
    entry      text collate "C" not null,
    value      bytea,
    -- The message's when this was last changed.
    modseq     bigint not null,
    primary key (account_id, mailbox_id, uid, viewer_id, entry)
);

-- Octets of the annotations on the messages of a mailbox, by the account that pays for them: private ones whose they are, shared ones the mailbox's. There is a row for each
-- mailbox that ever had an annotation. Changed under the mailbox's row lock; whoever adds octets has the row of the account that pays locked as well.
create table mail.annotation_usage (
    account_id bigint not null,
    mailbox_id bigint not null,
    payer_id   bigint not null,
    bytes      bigint not null,
    primary key (account_id, mailbox_id, payer_id)
) with (fillfactor = 50);
-- Sums what an account pays for.
create index annotation_usage_payer on mail.annotation_usage (payer_id);

-- What an account's annotations take, those of mailboxes and the server (RFC 5464) and those of messages (RFC 5257): names and values (RFC 9208, ANNOTATION-STORAGE).
create function mail.annotation_bytes_v1(p_account bigint) returns bigint
language sql stable as $$
    select coalesce((select sum(octet_length(n.entry) + octet_length(n.value)) from mail.annotation n where n.account_id = p_account), 0)::bigint
        + coalesce((select sum(u.bytes) from mail.annotation_usage u join mail.mailbox m on m.account_id = u.account_id and m.id = u.mailbox_id and m.deleted_at is null
            where u.payer_id = p_account), 0)::bigint;
$$;

-- Whether an account has more octets of annotations than it may: its own limit, or p_max_bytes where it has none. The caller has locked its row.
create function mail.annotations_exceed_v1(p_account bigint, p_max_bytes bigint) returns boolean
language sql volatile as $$
    select mail.annotation_bytes_v1(p_account) > coalesce((select a.max_annotation_bytes from mail.account a where a.account_id = p_account), p_max_bytes);
$$;

-- As set_annotations_v1; annotations of messages count as well.
create function mail.set_annotations_v2(
    p_account bigint, p_mailbox bigint, p_viewer bigint, p_entries text[], p_values bytea[], p_max integer, p_max_bytes bigint)
returns smallint
language plpgsql volatile as $$
declare
    v_code smallint;
begin
    perform 1 from mail.account a where a.account_id in (p_account, p_viewer) order by a.account_id for no key update;
    v_code := mail.set_annotations_v1(p_account, p_mailbox, p_viewer, p_entries, p_values, p_max, p_max_bytes);
    if v_code = 0 and exists (select 1 from unnest(p_values) v where v is not null)
        and (mail.annotations_exceed_v1(p_account, p_max_bytes) or mail.annotations_exceed_v1(p_viewer, p_max_bytes))
    then
        raise exception using errcode = 'MC003';
    end if;
    return v_code;
exception
    when sqlstate 'MC003' then
        return 3;
end $$;

-- Adds to what accounts pay for on a mailbox, whose row the caller has locked.
create function mail.pay_annotations_v1(p_account bigint, p_mailbox bigint, p_payers bigint[], p_bytes bigint[]) returns void
language sql volatile as $$
    insert into mail.annotation_usage as u (account_id, mailbox_id, payer_id, bytes)
    select p_account, p_mailbox, x.payer, sum(x.bytes) from unnest(p_payers, p_bytes) as x(payer, bytes) group by x.payer
    on conflict (account_id, mailbox_id, payer_id) do update set bytes = u.bytes + excluded.bytes;
$$;

-- Changes annotations of messages (RFC 5257 §4.5), one operation alone, as commit_store_v1 changes flags; a message that is changed gets the operation's modseq. Which messages: the UIDs of
-- the ranges p_lo to p_hi that are there and, with p_since, have no later modseq (the others are modified). p_viewers: whose each entry is, 0 shared; a null value takes an entry away.
-- status: 0 done, 1 fenced, 2 the mailbox is gone, 3 the account that pays would have more octets than it may, 9 done before, 12 a message would have more than p_max entries of one reader.
create function mail.commit_annotate_v1(
    p_account bigint, p_mailbox bigint, p_recent bigint, p_epoch bigint, p_incarnation bigint, p_counter bigint, p_actor text, p_session text, p_address text,
    p_lo bigint[], p_hi bigint[], p_since bigint, p_viewers bigint[], p_entries text[], p_values bytea[], p_max integer, p_max_bytes bigint)
returns table (status smallint, modseq bigint, uids int8multirange, modified int8multirange)
-- As in commit_v3.
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    m record;
    r record;
    v_modseq bigint;
    v_changed bigint[];
    v_uids int8multirange;
    v_modified int8multirange;
    v_payer bigint;
    v_adds constant boolean := exists (select 1 from unnest(p_values) v where v is not null);
begin
    -- Locks, in the order of the lanes. Nothing may be read for a decision before the last of them.
    select b.epoch, b.highest_modseq, b.deleted_at into m from mail.mailbox b where b.account_id = p_account and b.id = p_mailbox for no key update;
    perform 1 from mail.account a where a.account_id in (select case x when 0 then p_account else x end from unnest(p_viewers) x) order by a.account_id for no key update;
    if m.epoch is null or m.deleted_at is not null then
        return query select 2::smallint, null::bigint, null::int8multirange, null::int8multirange;
        return;
    end if;
    select p.modseq, p.uids into r from mail.operation p where p.account_id = p_account and p.incarnation = p_incarnation and p.counter = p_counter
        and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour';
    if found then
        return query select 9::smallint, r.modseq, r.uids, null::int8multirange;
        return;
    end if;
    if m.epoch <> p_epoch then
        return query select 1::smallint, null::bigint, null::int8multirange, null::int8multirange;
        return;
    end if;
    select range_agg(int8range(x.uid, x.uid, '[]')) filter (where x.later) as modified, array_agg(x.uid order by x.uid) filter (where not x.later and x.differs) as changed,
        range_agg(int8range(x.uid, x.uid, '[]')) filter (where not x.later and x.differs) as uids
    into r from (
        select f.uid, coalesce(f.modseq > p_since, false) as later, exists (
            select 1 from unnest(p_viewers, p_entries, p_values) as e(viewer, entry, value) left join lateral (
                select a.value from mail.message_annotation a
                where a.account_id = p_account and a.mailbox_id = p_mailbox and a.uid = f.uid and a.viewer_id = e.viewer and a.entry = e.entry offset 0) a on true
            where a.value is distinct from e.value) as differs
        from unnest(p_lo, p_hi) as g(lo, hi) cross join lateral (
            select f.uid, f.modseq from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox and f.uid between g.lo and g.hi offset 0) f) x;
    v_changed := r.changed;
    v_uids := r.uids;
    v_modified := r.modified;
    v_modseq := m.highest_modseq;
    if v_changed is not null then
        v_modseq := v_modseq + 1;
        with asked as materialized (
            -- Values stay where they are: they are many octets, and the same for all messages.
            select u.uid, e.viewer, e.entry, e.i, coalesce(octet_length(e.entry) + octet_length(e.value), 0) as now, coalesce(octet_length(a.entry) + octet_length(a.value), 0) as was,
                a.value is not distinct from e.value as same, a.entry is not null as known
            from unnest(v_changed) as u(uid) cross join unnest(p_viewers, p_entries, p_values) with ordinality as e(viewer, entry, value, i) left join lateral (
                select a.entry, a.value from mail.message_annotation a
                where a.account_id = p_account and a.mailbox_id = p_mailbox and a.uid = u.uid and a.viewer_id = e.viewer and a.entry = e.entry offset 0) a on true
        ), put as (
            insert into mail.message_annotation (account_id, mailbox_id, uid, viewer_id, entry, value, modseq)
            select p_account, p_mailbox, x.uid, x.viewer, x.entry, p_values[x.i], v_modseq from asked x where not x.same
            on conflict (account_id, mailbox_id, uid, viewer_id, entry) do update set value = excluded.value, modseq = excluded.modseq
        )
        select array_agg(case x.viewer when 0 then p_account else x.viewer end) as payers, array_agg((x.now - x.was)::bigint) as bytes into r from asked x where not x.same;
        perform mail.pay_annotations_v1(p_account, p_mailbox, r.payers, r.bytes);
        if exists (
            select 1 from unnest(v_changed) as u(uid) cross join (select distinct x from unnest(p_viewers) x) v
            cross join lateral (select count(*) filter (where a.value is not null) as live, count(*) as rows from mail.message_annotation a
                where a.account_id = p_account and a.mailbox_id = p_mailbox and a.uid = u.uid and a.viewer_id = v.x offset 0) n
            where v_adds and n.live > p_max or n.rows > 2 * p_max)
        then
            -- What was taken away and stands here only to be told of must not pile up.
            delete from mail.message_annotation a
            using unnest(v_changed) as u(uid) cross join lateral (
                select t.ctid as place from mail.message_annotation t
                where t.account_id = p_account and t.mailbox_id = p_mailbox and t.uid = u.uid and t.value is null and t.modseq < v_modseq offset 0) t
            where a.ctid = t.place;
            if v_adds and exists (
                select 1 from unnest(v_changed) as u(uid) cross join (select distinct x from unnest(p_viewers) x) v
                cross join lateral (select count(*) as live from mail.message_annotation a
                    where a.account_id = p_account and a.mailbox_id = p_mailbox and a.uid = u.uid and a.viewer_id = v.x and a.value is not null offset 0) n
                where n.live > p_max)
            then
                raise exception using errcode = 'MC012';
            end if;
        end if;
        if v_adds then
            for v_payer in select distinct case x when 0 then p_account else x end from unnest(p_viewers) x loop
                if mail.annotations_exceed_v1(v_payer, p_max_bytes) then
                    raise exception using errcode = 'MC003';
                end if;
            end loop;
        end if;
        update mail.message_flags f set modseq = v_modseq
        from unnest(v_changed) as u(uid) cross join lateral (
            select t.ctid as place from mail.message_flags t where t.account_id = p_account and t.mailbox_id = p_mailbox and t.uid = u.uid offset 0) t
        where f.ctid = t.place;
        -- To the log it is a change of flags that changes none: nodes that know of no annotations read it as well.
        insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, address, incarnation, counter)
        values (p_account, p_mailbox, v_modseq, 2, v_uids, p_actor, p_session, p_address, p_incarnation, p_counter);
        update mail.mailbox b set highest_modseq = v_modseq, first_recent = greatest(b.first_recent, coalesce(p_recent, 0)) where b.account_id = p_account and b.id = p_mailbox;
    end if;
    insert into mail.operation (account_id, incarnation, counter, status, modseq, uids) values (p_account, p_incarnation, p_counter, 0, v_modseq, v_uids);
    return query select 0::smallint, v_modseq, v_uids, v_modified;
exception
    when sqlstate 'MC003' then
        return query select 3::smallint, null::bigint, null::int8multirange, null::int8multirange;
    when sqlstate 'MC012' then
        return query select 12::smallint, null::bigint, null::int8multirange, null::int8multirange;
end $$;

-- Takes away the annotations of messages that have gone from a mailbox.
create function mail.drop_annotations_v1(p_account bigint, p_mailbox bigint, p_uids int8multirange) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off as $$
begin
    with gone as (
        delete from mail.message_annotation a
        using unnest(p_uids) as g(uids) cross join lateral (
            select t.ctid as place from mail.message_annotation t
            where t.account_id = p_account and t.mailbox_id = p_mailbox and t.uid >= lower(g.uids) and t.uid < upper(g.uids) offset 0) t
        where a.ctid = t.place
        returning a.viewer_id, octet_length(a.entry) + octet_length(a.value) as bytes
    )
    update mail.annotation_usage u set bytes = u.bytes - x.bytes
    from (select case g.viewer_id when 0 then p_account else g.viewer_id end as payer, sum(g.bytes) as bytes from gone g where g.bytes is not null group by 1) x
    where u.account_id = p_account and u.mailbox_id = p_mailbox and u.payer_id = x.payer;
end $$;

-- Gives copies of messages, the n-th of p_from being the n-th of p_to, the annotations of the originals that who copies reads (RFC 5257 §4.6): his private ones (p_viewer), and shared ones
-- where he may put such there; none with a value of more than p_max_size octets. Who pays for them.
create function mail.copy_annotations_v1(
    p_src_account bigint, p_src_mailbox bigint, p_from int8multirange, p_account bigint, p_mailbox bigint, p_to int8multirange, p_modseq bigint, p_viewer bigint, p_shares boolean,
    p_max_size integer)
returns bigint[]
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off as $$
declare
    r record;
begin
    with pair as materialized (
        select s.uid as src, lower(p_to) + row_number() over (order by s.uid) - 1 as uid
        from unnest(p_from) as g(uids) cross join lateral generate_series(lower(g.uids), upper(g.uids) - 1) as s(uid)
    ), put as (
        insert into mail.message_annotation (account_id, mailbox_id, uid, viewer_id, entry, value, modseq)
        select p_account, p_mailbox, x.uid, a.viewer_id, a.entry, a.value, p_modseq
        from pair x cross join lateral (select a.* from mail.message_annotation a
            where a.account_id = p_src_account and a.mailbox_id = p_src_mailbox and a.uid = x.src and (a.viewer_id = p_viewer or a.viewer_id = 0 and p_shares) offset 0) a
        where octet_length(a.value) <= p_max_size
        returning viewer_id, octet_length(entry) + octet_length(value) as bytes
    )
    select array_agg(case x.viewer_id when 0 then p_account else x.viewer_id end) as payers, array_agg(x.bytes) as bytes into r
    from (select p.viewer_id, sum(p.bytes)::bigint as bytes from put p group by p.viewer_id) x;
    if r.payers is not null then
        perform mail.pay_annotations_v1(p_account, p_mailbox, r.payers, r.bytes);
    end if;
    return r.payers;
end $$;

-- As commit_v3, for batches in which messages go, are copied, or come with annotations; what has to be done about those is done behind it, under its locks.
-- op_account: the account that acts, which must be among ac_id where it may pay; op_shares: it may put shared annotations into op_mb.
-- an_ms: which message of the batch an annotation comes with, an_viewer: 0 shared, else whose it is.
-- Raises MC003 where an account that pays for annotations would have more octets than it may, MC012 where a message would have more than p_max of one reader: then nothing of the batch
-- was done, and it has to be tried in smaller ones.
create function mail.commit_v4(
    mb_account bigint[], mb_id bigint[], mb_recent bigint[], mb_ac integer[], ac_id bigint[],
    op_kind smallint[], op_mb integer[], op_epoch bigint[], op_src integer[], op_incarnation bigint[], op_counter bigint[], op_twin integer[],
    op_actor text[], op_session text[], op_address text[], op_mode smallint[], op_flags smallint[], op_kw text[], op_since bigint[], op_delivery uuid[],
    op_viewer bigint[], op_src_viewer bigint[], op_mask smallint[],
    op_nm_first integer[], op_nm_count integer[], nm_segment text[],
    op_ms_first integer[], op_ms_count integer[], op_rg_first integer[], op_rg_count integer[], op_plain boolean[],
    ms_inline boolean[], ms_crc32c integer[], ms_data bytea[], ms_content bytea[],
    ms_body bigint[], ms_claim integer[], ms_same integer[], ms_email bigint[], ms_prefix bytea[], ms_size bigint[], ms_date bigint[], ms_zone smallint[],
    ms_flags smallint[], ms_kw text[], th_ms integer[], th_key bigint[], p_joint boolean,
    rg_first bigint[], rg_last bigint[], p_now bigint, p_max_keywords integer,
    op_account bigint[], op_shares boolean[], an_ms integer[], an_viewer bigint[], an_entry text[], an_value bytea[], p_max integer, p_max_size integer, p_max_bytes bigint)
returns table (op integer, status smallint, modseq bigint, uids int8multirange, src_modseq bigint, src_epoch bigint, src_uids int8multirange,
    modified int8multirange, threads bigint[],
    added_uid bigint[], added_email bigint[], added_thread bigint[], added_size bigint[], added_date bigint[], added_zone smallint[],
    added_flags smallint[], added_kw text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    r record;
    x record;
    v_payer bigint;
    v_payers bigint[];
    v_used boolean;
begin
    return query select * from mail.commit_v3(
            mb_account, mb_id, mb_recent, mb_ac, ac_id, op_kind, op_mb, op_epoch, op_src, op_incarnation, op_counter, op_twin, op_actor, op_session, op_address, op_mode,
            op_flags, op_kw, op_since, op_delivery, op_viewer, op_src_viewer, op_mask, op_nm_first, op_nm_count, nm_segment, op_ms_first, op_ms_count, op_rg_first,
            op_rg_count, op_plain, ms_inline, ms_crc32c, ms_data, ms_content, ms_body, ms_claim, ms_same, ms_email, ms_prefix, ms_size, ms_date, ms_zone, ms_flags, ms_kw,
            th_ms, th_key, p_joint, rg_first, rg_last, p_now, p_max_keywords);
    -- All is locked now.
    v_used := exists (select 1 from unnest(mb_account, mb_id) as b(account_id, id) join mail.annotation_usage u on u.account_id = b.account_id and u.mailbox_id = b.id);
    if not v_used and cardinality(an_ms) = 0 then
        return;
    end if;
    -- What was done by this very commit: its rows are this transaction's.
    for r in
        select b.op, b.kind, mb_account[b.mb] as account_id, mb_id[b.mb] as mailbox_id, mb_account[b.src] as src_account, mb_id[b.src] as src_mailbox,
            b.ms_first, b.ms_count, p.modseq, p.uids, p.src_uids
        from unnest(op_kind, op_mb, op_src, op_incarnation, op_counter, op_twin, op_ms_first, op_ms_count) with ordinality
            as b(kind, mb, src, incarnation, counter, twin, ms_first, ms_count, op)
        cross join lateral (
            select p.modseq, p.uids, p.src_uids from mail.operation p
            where p.account_id = mb_account[b.mb] and p.incarnation = b.incarnation and p.counter = b.counter and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour'
                and p.xmin = pg_current_xact_id()::xid and p.status = 0 and p.uids is not null offset 0) p
        where b.twin = 0 order by b.op
    loop
        v_payers := null;
        if v_used and r.kind in (4, 5) and r.src_uids is not null then
            v_payers := mail.copy_annotations_v1(
                r.src_account, r.src_mailbox, r.src_uids, r.account_id, r.mailbox_id, r.uids, r.modseq, op_account[r.op], op_shares[r.op], p_max_size);
        end if;
        if v_used and r.kind in (5, 6) and r.src_uids is not null then
            perform mail.drop_annotations_v1(r.src_account, r.src_mailbox, r.src_uids);
        elsif v_used and r.kind in (3, 7) then
            perform mail.drop_annotations_v1(r.account_id, r.mailbox_id, r.uids);
        end if;
        -- A move inside an account adds to nobody's.
        if r.kind = 5 and r.account_id = r.src_account then
            v_payers := null;
        end if;
        if r.kind in (1, 6) and cardinality(an_ms) > 0 then
            with put as (
                insert into mail.message_annotation (account_id, mailbox_id, uid, viewer_id, entry, value, modseq)
                select r.account_id, r.mailbox_id, lower(r.uids) + a.ms - r.ms_first, a.viewer, a.entry, a.value, r.modseq
                from unnest(an_ms, an_viewer, an_entry, an_value) as a(ms, viewer, entry, value) where a.ms >= r.ms_first and a.ms < r.ms_first + r.ms_count
                returning uid, viewer_id, octet_length(entry) + octet_length(value) as bytes
            )
            select array_agg(case p.viewer_id when 0 then r.account_id else p.viewer_id end) as payers, array_agg(p.bytes) as bytes, max(p.entries) as entries into x
            from (select q.uid, q.viewer_id, sum(q.bytes)::bigint as bytes, count(*) as entries from put q group by q.uid, q.viewer_id) p;
            if x.entries > p_max then
                raise exception using errcode = 'MC012';
            end if;
            if x.payers is not null then
                perform mail.pay_annotations_v1(r.account_id, r.mailbox_id, x.payers, x.bytes);
            end if;
            v_payers := x.payers;
        end if;
        for v_payer in select distinct p from unnest(v_payers) p loop
            if mail.annotations_exceed_v1(v_payer, p_max_bytes) then
                raise exception using errcode = 'MC003';
            end if;
        end loop;
    end loop;
end $$;

-- Takes away up to p_limit annotations of messages whose mailbox, message or reader is gone; how many, and at least 1 where there may be more.
create function mail.sweep_message_annotations_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    r record;
    n integer;
begin
    -- Nobody changes a mailbox that was deleted.
    select u.account_id, u.mailbox_id into r from mail.annotation_usage u
    where not exists (select 1 from mail.mailbox m where m.account_id = u.account_id and m.id = u.mailbox_id and m.deleted_at is null) limit 1;
    if found then
        delete from mail.message_annotation a where (a.account_id, a.mailbox_id, a.uid, a.viewer_id, a.entry) in (
            select x.account_id, x.mailbox_id, x.uid, x.viewer_id, x.entry from mail.message_annotation x
            where x.account_id = r.account_id and x.mailbox_id = r.mailbox_id limit p_limit);
        get diagnostics n = row_count;
        if n < p_limit then
            delete from mail.annotation_usage u where u.account_id = r.account_id and u.mailbox_id = r.mailbox_id;
        end if;
        return n + 1;
    end if;
    -- What nodes that know of no annotations have expunged or moved away, and what readers left that are gone.
    select a.account_id, a.mailbox_id into r from mail.message_annotation a
    where not exists (select 1 from mail.message m where m.account_id = a.account_id and m.mailbox_id = a.mailbox_id and m.uid = a.uid)
        or a.viewer_id <> 0 and not exists (select 1 from mail.account c where c.account_id = a.viewer_id) limit 1;
    if not found then
        return 0;
    end if;
    perform 1 from mail.mailbox m where m.account_id = r.account_id and m.id = r.mailbox_id for no key update;
    with gone as (
        delete from mail.message_annotation a where (a.account_id, a.mailbox_id, a.uid, a.viewer_id, a.entry) in (
            select x.account_id, x.mailbox_id, x.uid, x.viewer_id, x.entry from mail.message_annotation x
            where x.account_id = r.account_id and x.mailbox_id = r.mailbox_id and (
                not exists (select 1 from mail.message m where m.account_id = x.account_id and m.mailbox_id = x.mailbox_id and m.uid = x.uid)
                or x.viewer_id <> 0 and not exists (select 1 from mail.account c where c.account_id = x.viewer_id)) limit p_limit)
        returning a.viewer_id, coalesce(octet_length(a.entry) + octet_length(a.value), 0) as bytes
    ), paid as (
        update mail.annotation_usage u set bytes = u.bytes - x.bytes
        from (select case g.viewer_id when 0 then r.account_id else g.viewer_id end as payer, sum(g.bytes) as bytes from gone g group by 1) x
        where u.account_id = r.account_id and u.mailbox_id = r.mailbox_id and u.payer_id = x.payer
    )
    select count(*) into n from gone;
    return n + 1;
end $$;
