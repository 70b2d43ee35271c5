-- What operators use when they doubt a mailbox, look who works in one, upgrade the schema, or have restored a backup.

-- Mends what can be mended in a mailbox's rows: counters, UIDNEXT and HIGHESTMODSEQ that are too low, flags rows that are missing or have no message. One short
-- statement under the mailbox's lock; UIDVALIDITY and UIDs stay. Raises the epoch, so that an owner that is alive reads again, and tells it.
-- ended: messages came back, whose numbers sessions do not know: those sessions end. No row: there is no such mailbox. changed false: nothing was wrong.
create function mail.repair_mailbox_v1(p_account bigint, p_mailbox bigint)
returns table (changed boolean, ended boolean)
language plpgsql volatile set lock_timeout = '5s' as $$
#variable_conflict use_column
declare
    r record;
    s record;
    v_modseq bigint;
    v_uidnext bigint;
    v_added int8multirange;
    v_removed bigint;
begin
    select m.* into r from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    if not found then
        return;
    end if;
    v_modseq := greatest(r.highest_modseq,
        (select max(f.modseq) from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox),
        (select max(c.modseq) from mail.change c where c.account_id = p_account and c.mailbox_id = p_mailbox),
        (select max(x.modseq) from mail.expunged x where x.account_id = p_account and x.mailbox_id = p_mailbox));
    v_uidnext := greatest(r.uidnext, 1,
        1 + (select max(m.uid) from mail.message m where m.account_id = p_account and m.mailbox_id = p_mailbox),
        1 + (select max(x.uid) from mail.expunged x where x.account_id = p_account and x.mailbox_id = p_mailbox));
    delete from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox
        and not exists (select 1 from mail.message m where m.account_id = p_account and m.mailbox_id = p_mailbox and m.uid = f.uid);
    get diagnostics v_removed = row_count;
    -- A modseq of their own: clients that know the messages hear of the flags that they have now.
    with added as (
        insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq)
        select m.account_id, m.mailbox_id, m.uid, 0, v_modseq + 1 from mail.message m where m.account_id = p_account and m.mailbox_id = p_mailbox
            and not exists (select 1 from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox and f.uid = m.uid)
        returning uid
    )
    select range_agg(int8range(a.uid, a.uid, '[]')) into v_added from added a;
    if v_added is not null then
        v_modseq := v_modseq + 1;
        insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
        values (p_account, p_mailbox, v_modseq, 2, v_added, 'mailcluster admin', 'repair', 0, 0);
    end if;
    select count(*) as messages, count(*) filter (where f.flags & 1 = 0) as unseen, count(*) filter (where f.flags & 8 <> 0) as deleted,
        coalesce(sum(m.size), 0) as bytes into s
    from mail.message m join mail.message_flags f on f.account_id = m.account_id and f.mailbox_id = m.mailbox_id and f.uid = m.uid
    where m.account_id = p_account and m.mailbox_id = p_mailbox;
    ended := v_added is not null;
    changed := ended or v_removed > 0
        or (r.messages, r.unseen, r.deleted, r.bytes, r.uidnext, r.highest_modseq) is distinct from (s.messages, s.unseen, s.deleted, s.bytes::bigint, v_uidnext, v_modseq)
        or r.first_recent not between 1 and v_uidnext or r.vanished_floor > v_modseq;
    if changed then
        update mail.mailbox m set messages = s.messages, unseen = s.unseen, deleted = s.deleted, bytes = s.bytes, uidnext = v_uidnext, highest_modseq = v_modseq,
            first_recent = greatest(1, least(r.first_recent, v_uidnext)), vanished_floor = least(r.vanished_floor, v_modseq), epoch = m.epoch + 1
        where m.account_id = p_account and m.id = p_mailbox;
        perform pg_notify('mailcluster_owner', json_build_object('mailbox', p_account || '/' || p_mailbox, 'epoch', r.epoch, 'end', ended)::text);
    end if;
    return next;
end $$;

-- Sets an account's usage to the sum of what is in its mailboxes; true when it was another. Commits that are under way wait for the row and add to what it says then.
create function mail.repair_account_v1(p_account bigint) returns boolean
language plpgsql volatile set lock_timeout = '5s' as $$
begin
    perform 1 from mail.account a where a.account_id = p_account for no key update;
    update mail.account a set messages = s.messages, bytes = s.bytes
    from (select count(*) as messages, coalesce(sum(m.size), 0)::bigint as bytes from mail.message m
        join mail.mailbox b on b.account_id = m.account_id and b.id = m.mailbox_id and b.deleted_at is null where m.account_id = p_account) s
    where a.account_id = p_account and (a.messages, a.bytes) is distinct from (s.messages, s.bytes);
    return found;
end $$;

-- Sets a charged tenant's usage to the sum of its accounts'; true when it was another.
create function mail.repair_tenant_v1(p_tenant bigint) returns boolean
language plpgsql volatile set lock_timeout = '5s' as $$
begin
    perform 1 from mail.tenant t where t.tenant_id = p_tenant for no key update;
    update mail.tenant t set messages = s.messages, bytes = s.bytes
    from (select coalesce(sum(a.messages), 0)::bigint as messages, coalesce(sum(a.bytes), 0)::bigint as bytes from mail.account a where a.tenant_id = p_tenant) s
    where t.tenant_id = p_tenant and t.charged and (t.messages, t.bytes) is distinct from (s.messages, s.bytes);
    return found;
end $$;

-- What a session has selected, and what its client calls itself (ID).
alter table directory.session
    add column mailbox_account_id bigint,
    add column mailbox_id         bigint,
    add column selected_at        timestamptz,
    add column client             text;
-- Lists the sessions that have a mailbox selected.
create index session_by_mailbox on directory.session (mailbox_account_id, mailbox_id) where mailbox_id is not null;

-- The code version of each front end; it counts while version_seen = seen: a node of an older release only brings seen up to date.
alter table directory.front_end
    add column code_version integer,
    add column version_seen timestamptz;

-- The code version of each silo, by its address and generation as the membership has them; a member without a row is older than this table.
create table directory.silo (
    address      text primary key,
    node         text not null,
    code_version integer not null,
    started      timestamptz not null default now()
);

-- Runs of "cluster restored", so that one that was broken off goes on where it was. Accounts up to last_account are done.
create table directory.restore_run (
    id           bigint generated always as identity primary key,
    started      timestamptz not null default now(),
    ended        timestamptz,
    uids         bigint not null,
    modseqs      bigint not null,
    last_account bigint not null default 0,
    accounts     bigint not null default 0,
    mailboxes    bigint not null default 0,
    messages     bigint not null default 0
);
