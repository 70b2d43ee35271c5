-- Expunged messages come back: what mail.expunged is kept for.

-- Names of mailboxes that were deleted, for as long as messages of theirs can be restored. Account and id: as the mailbox's row had them.
create table mail.mailbox_gone (
    account_id bigint not null,
    mailbox_id bigint not null,
    path       text[] not null,
    at         timestamptz not null,
    primary key (account_id, mailbox_id)
);
-- Finds those whose messages are forgotten.
create index mailbox_gone_at on mail.mailbox_gone (at);

-- As purge_deleted_v1; the messages count as expunged when their mailbox was deleted, and its name is kept. p_account: only mailboxes of this account, and whoever else removes their rows is waited for.
create function mail.purge_deleted_v2(p_limit integer, p_account bigint default null) returns integer
language plpgsql volatile as $$
declare
    r record;
    v_last bigint;
    v_count integer;
begin
    if p_account is null then
        select m.account_id, m.id, m.path, m.deleted_at into r from mail.mailbox m where m.deleted_at is not null order by m.deleted_at limit 1 for update skip locked;
    else
        select m.account_id, m.id, m.path, m.deleted_at into r from mail.mailbox m where m.account_id = p_account and m.deleted_at is not null order by m.deleted_at limit 1 for update;
    end if;
    if r.id is null then
        return 0;
    end if;
    select max(s.uid) into v_last from (
        select m.uid from mail.message m where m.account_id = r.account_id and m.mailbox_id = r.id order by m.uid limit p_limit) s;
    with slice as (
        delete from mail.message m where m.account_id = r.account_id and m.mailbox_id = r.id and m.uid <= v_last
        returning m.uid, m.email_id
    ), flag as (
        delete from mail.message_flags f where f.account_id = r.account_id and f.mailbox_id = r.id and f.uid <= v_last
        returning f.uid, f.flags, f.keywords, f.modseq
    ), kept as (
        insert into mail.expunged (account_id, mailbox_id, uid, email_id, flags, keywords, modseq, at)
        select r.account_id, r.id, s.uid, s.email_id, f.flags,
            case when f.keywords is not null then (select array_agg(k.name order by k.id) from mail.keyword k
                where k.account_id = r.account_id and k.mailbox_id = r.id and k.id = any(f.keywords)) end,
            f.modseq, r.deleted_at from slice s join flag f on f.uid = s.uid
    )
    select count(*) into v_count from slice;
    insert into mail.mailbox_gone (account_id, mailbox_id, path, at) values (r.account_id, r.id, r.path, r.deleted_at) on conflict do nothing;
    if v_count < p_limit then
        delete from mail.seen_by b where b.account_id = r.account_id and b.mailbox_id = r.id;
        delete from mail.keyword k where k.account_id = r.account_id and k.mailbox_id = r.id;
        delete from mail.mailbox m where m.account_id = r.account_id and m.id = r.id;
        v_count := greatest(v_count, 1);
    end if;
    return v_count;
end $$;

-- Forgets up to p_limit names of mailboxes that were deleted before p_before; how many there were.
create function mail.forget_mailboxes_v1(p_before date, p_limit integer) returns integer
language plpgsql volatile set timezone = 'UTC' as $$
declare
    v_count integer;
begin
    delete from mail.mailbox_gone g using (select x.account_id, x.mailbox_id from mail.mailbox_gone x where x.at < p_before::timestamptz order by x.at limit p_limit) o
    where g.account_id = o.account_id and g.mailbox_id = o.mailbox_id;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- Moves up to p_limit expunged messages of p_sources (mailboxes of the account, also deleted ones) into p_mailbox, in the order of source and UID, under new UIDs and one modseq: those expunged from p_since on and
-- before p_until, and of p_uids (null: any). They have their flags and keywords again but for \Deleted, and but for keywords that the mailbox has no room for. All of them or none, with counters and usage;
-- a row of mail.expunged is given back once. Raises the epoch, so that an owner that is alive reads again, and tells it; sessions go on.
-- status: 0 done, and where messages is 0 there was nothing left; 1 no such mailbox; 3 they do not fit into the quota of account or tenant.
create function mail.restore_expunged_v1(
    p_account bigint, p_sources bigint[], p_mailbox bigint, p_since timestamptz, p_until timestamptz, p_uids int8multirange, p_limit integer, p_max_keywords integer)
returns table (status smallint, messages bigint, bytes bigint, uids int8multirange)
language plpgsql volatile set lock_timeout = '5s' as $$
#variable_conflict use_column
declare
    r record;
    a record;
    t record;
    s record;
    v_picked record;
    v_name text;
    v_names text[] := '{}';
    v_numbers smallint[] := '{}';
    v_given smallint[];
begin
    -- Locks, as everywhere: the mailbox, its account, its tenant.
    select m.* into r from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    if r.id is null then
        return query select 1::smallint, 0::bigint, 0::bigint, '{}'::int8multirange;
        return;
    end if;
    select x.* into a from mail.account x where x.account_id = p_account for no key update;
    select x.* into t from mail.tenant x where x.tenant_id = a.tenant_id and x.charged for no key update;
    select array_agg(x.mailbox_id) as mailboxes, array_agg(x.uid) as uids, array_agg(x.at) as ats, count(*) as messages, coalesce(sum(x.size), 0)::bigint as bytes into v_picked
    from (
        select x.mailbox_id, x.uid, x.at, e.size from mail.expunged x join mail.email e on e.account_id = x.account_id and e.id = x.email_id
        where x.account_id = p_account and x.mailbox_id = any(p_sources) and x.at >= coalesce(p_since, '-infinity') and x.at < coalesce(p_until, 'infinity')
            and (p_uids is null or x.uid <@ p_uids)
        order by x.mailbox_id, x.uid limit p_limit for update of x) x;
    if v_picked.messages > 0 and (
        a.messages + v_picked.messages > a.max_messages or a.bytes + v_picked.bytes > a.max_bytes or t.messages + v_picked.messages > t.max_messages or t.bytes + v_picked.bytes > t.max_bytes)
    then
        return query select 3::smallint, 0::bigint, 0::bigint, '{}'::int8multirange;
        return;
    end if;
    if v_picked.messages = 0 then
        return query select 0::smallint, 0::bigint, 0::bigint, '{}'::int8multirange;
        return;
    end if;
    -- Keywords go by name: the place in v_names is that of the number in v_numbers.
    for v_name in
        select distinct k.name from unnest(v_picked.mailboxes, v_picked.uids, v_picked.ats) as p(mailbox_id, uid, at)
        join mail.expunged x on x.account_id = p_account and x.mailbox_id = p.mailbox_id and x.uid = p.uid and x.at = p.at cross join unnest(x.keywords) as k(name) order by 1
    loop
        v_given := mail.keyword_ids(p_account, p_mailbox, array[v_name], p_max_keywords, v_numbers);
        if v_given is not null then
            v_names := v_names || v_name;
            v_numbers := v_numbers || v_given;
        end if;
    end loop;
    with gone as (
        delete from mail.expunged x using unnest(v_picked.mailboxes, v_picked.uids, v_picked.ats) as p(mailbox_id, uid, at)
        where x.account_id = p_account and x.mailbox_id = p.mailbox_id and x.uid = p.uid and x.at = p.at
        returning x.mailbox_id, x.uid, x.email_id, x.flags, x.keywords
    ), back as materialized (
        select r.uidnext - 1 + row_number() over (order by g.mailbox_id, g.uid) as uid, e.id as email_id, e.thread_id, e.size, e.internal_date, e.zone, (g.flags & 23)::smallint as flags,
            (select array_agg(distinct v_numbers[array_position(v_names, k.name)] order by v_numbers[array_position(v_names, k.name)]) from unnest(g.keywords) as k(name) where k.name = any(v_names)) as keywords
        from gone g join mail.email e on e.account_id = p_account and e.id = g.email_id
    ), message as (
        insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone)
        select p_account, p_mailbox, b.uid, b.email_id, b.thread_id, b.size, b.internal_date, b.zone from back b
    ), flag as (
        insert into mail.message_flags (account_id, mailbox_id, uid, flags, keywords, modseq) select p_account, p_mailbox, b.uid, b.flags, b.keywords, r.highest_modseq + 1 from back b
    )
    select count(*) as messages, sum(b.size)::bigint as bytes, sum(1 - (b.flags & 1)) as unseen, range_agg(int8range(b.uid, b.uid, '[]')) as uids into s from back b;
    insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
    values (p_account, p_mailbox, r.highest_modseq + 1, 1, s.uids, 'mailcluster admin', 'restore', 0, 0);
    update mail.mailbox m set uidnext = m.uidnext + s.messages, highest_modseq = m.highest_modseq + 1, messages = m.messages + s.messages, unseen = m.unseen + s.unseen, bytes = m.bytes + s.bytes,
        epoch = m.epoch + 1
    where m.account_id = p_account and m.id = p_mailbox;
    update mail.account x set messages = x.messages + s.messages, bytes = x.bytes + s.bytes where x.account_id = p_account;
    update mail.tenant x set messages = x.messages + s.messages, bytes = x.bytes + s.bytes where x.tenant_id = t.tenant_id;
    perform pg_notify('mailcluster_owner', json_build_object('mailbox', p_account || '/' || p_mailbox, 'epoch', r.epoch, 'end', false)::text);
    return query select 0::smallint, s.messages, s.bytes, s.uids;
end $$;
