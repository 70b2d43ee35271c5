-- The functions of an account's owner: its mailboxes and their names. Each is one transaction. An advisory lock keeps two of them on one account apart;
-- row locks are then taken in the lanes' order: mailboxes by id, then the account.

create function mail.lock_tree(p_account bigint) returns void
language sql volatile as $$ select pg_advisory_xact_lock(1835100524, hashint8(p_account)); $$;

-- What this operation did when it was done before: the mailboxes that it made, took away or gave a new UIDVALIDITY. Null: it was not done.
create function mail.tree_done(p_account bigint, p_incarnation bigint, p_counter bigint) returns bigint[]
language sql volatile as $$
    select coalesce(p.mailboxes, '{}') from mail.operation p
    where p.account_id = p_account and p.incarnation = p_incarnation and p.counter = p_counter and p.at > now() - interval '12 hours' limit 1;
$$;

-- The UIDVALIDITY of a mailbox that gets this name now: above all that account and name ever had.
create function mail.next_uidvalidity(p_account bigint, p_path text[]) returns bigint
language plpgsql volatile as $$
declare
    v bigint;
begin
    update mail.account a set last_uidvalidity = greatest(extract(epoch from now())::bigint, a.last_uidvalidity + 1,
        coalesce((select h.uidvalidity + 1 from mail.name_history h where h.user_name = a.user_name and h.path = p_path), 0))
    where a.account_id = p_account returning a.last_uidvalidity into v;
    return v;
end $$;

-- Notes what a name has had, before it goes to another mailbox or to none.
create function mail.remember_name(p_account bigint, p_path text[], p_uidvalidity bigint) returns void
language sql volatile as $$
    insert into mail.name_history as h (user_name, path, uidvalidity)
    select a.user_name, p_path, p_uidvalidity from mail.account a where a.account_id = p_account
    on conflict (user_name, path) do update set uidvalidity = greatest(h.uidvalidity, excluded.uidvalidity);
$$;

-- Makes the mail side of new accounts: usage rows and folders. p_folders: [{"path": […], "use": "\\Sent"}, …]; p_ids: as many new ids as accounts × folders.
create function mail.provision_v1(p_accounts bigint[], p_tenants bigint[], p_users text[], p_folders jsonb, p_ids bigint[]) returns void
language plpgsql volatile as $$
begin
    insert into mail.account (account_id, tenant_id, user_name, last_uidvalidity)
    select x.account, x.tenant, x.user_name, greatest(extract(epoch from now())::bigint,
        coalesce((select max(h.uidvalidity) from mail.name_history h where h.user_name = x.user_name), 0) + 1)
    from unnest(p_accounts, p_tenants, p_users) as x(account, tenant, user_name);
    insert into mail.mailbox (account_id, id, path, special_use, uidvalidity)
    select x.account, p_ids[(x.i - 1) * jsonb_array_length(p_folders) + f.i],
        array(select jsonb_array_elements_text(f.value -> 'path')),
        case when f.value ->> 'use' is null then '{}'::text[] else array[f.value ->> 'use'] end,
        a.last_uidvalidity
    from unnest(p_accounts) with ordinality as x(account, i)
    join mail.account a on a.account_id = x.account
    cross join jsonb_array_elements(p_folders) with ordinality as f(value, i);
    insert into mail.subscription (account_id, path)
    select m.account_id, m.path from mail.mailbox m where m.account_id = any(p_accounts);
end $$;

-- Creates a mailbox and the parents that are missing; p_ids: one new id for each segment. code: 0 made, 1 exists, 2 too many mailboxes, 3 special use taken, 4 no such account.
create function mail.create_mailbox_v1(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_special_use text[], p_ids bigint[], p_max integer)
returns table (code smallint, id bigint)
language plpgsql volatile as $$
declare
    v_path text[];
    v_id bigint;
    v_done bigint[];
    i integer;
    v_validity bigint;
begin
    perform mail.lock_tree(p_account);
    v_done := mail.tree_done(p_account, p_incarnation, p_counter);
    if v_done is not null then
        return query select 0::smallint, v_done[1];
        return;
    end if;
    select m.id into v_id from mail.mailbox m where m.account_id = p_account and m.path = p_path and m.deleted_at is null;
    if v_id is not null then
        return query select 1::smallint, v_id;
        return;
    elsif not exists (select 1 from mail.account a where a.account_id = p_account) then
        return query select 4::smallint, null::bigint;
        return;
    elsif (select count(*) from mail.mailbox m where m.account_id = p_account and m.deleted_at is null)
        + (select count(*) from generate_series(1, array_length(p_path, 1)) g where not exists (
            select 1 from mail.mailbox m where m.account_id = p_account and m.path = p_path[1:g] and m.deleted_at is null)) > p_max then
        return query select 2::smallint, null::bigint;
        return;
    elsif exists (select 1 from mail.mailbox m where m.account_id = p_account and m.deleted_at is null and m.special_use && p_special_use) then
        return query select 3::smallint, null::bigint;
        return;
    end if;
    for i in 1..array_length(p_path, 1) loop
        v_path := p_path[1:i];
        if i = array_length(p_path, 1) or not exists (
            select 1 from mail.mailbox m where m.account_id = p_account and m.path = v_path and m.deleted_at is null) then
            v_validity := mail.next_uidvalidity(p_account, v_path);
            insert into mail.mailbox (account_id, id, path, special_use, uidvalidity)
            values (p_account, p_ids[i], v_path, case when i = array_length(p_path, 1) then p_special_use else '{}' end, v_validity);
        end if;
    end loop;
    v_id := p_ids[array_length(p_path, 1)];
    insert into mail.operation (account_id, incarnation, counter, status, mailboxes) values (p_account, p_incarnation, p_counter, 0, array[v_id]);
    return query select 0::smallint, v_id;
end $$;

-- Deletes a mailbox: from now on nobody finds it, its commits are refused, its quota is free. Its rows go later, in slices.
-- code: 0 done (also the id, so that a retry can tell its sessions again), 1 no such mailbox, 2 only a name with children.
create function mail.delete_mailbox_v1(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[])
returns table (code smallint, id bigint)
language plpgsql volatile as $$
declare
    v_done bigint[];
    r record;
begin
    perform mail.lock_tree(p_account);
    v_done := mail.tree_done(p_account, p_incarnation, p_counter);
    if v_done is not null then
        return query select 0::smallint, v_done[1];
        return;
    end if;
    select m.id, m.uidvalidity, m.messages, m.bytes into r
    from mail.mailbox m where m.account_id = p_account and m.path = p_path and m.deleted_at is null for no key update;
    if r.id is null then
        return query select (case when exists (select 1 from mail.mailbox m where m.account_id = p_account and m.deleted_at is null
            and m.path[1:array_length(p_path, 1)] = p_path) then 2 else 1 end)::smallint, null::bigint;
        return;
    end if;
    update mail.account a set messages = a.messages - r.messages, bytes = a.bytes - r.bytes where a.account_id = p_account;
    update mail.tenant t set messages = t.messages - r.messages, bytes = t.bytes - r.bytes
    where t.charged and t.tenant_id = (select a.tenant_id from mail.account a where a.account_id = p_account);
    perform mail.remember_name(p_account, p_path, r.uidvalidity);
    update mail.mailbox m set deleted_at = now(), epoch = m.epoch + 1, messages = 0, unseen = 0, deleted = 0, bytes = 0
    where m.account_id = p_account and m.id = r.id;
    insert into mail.operation (account_id, incarnation, counter, status, mailboxes) values (p_account, p_incarnation, p_counter, 0, array[r.id]);
    return query select 0::smallint, r.id;
end $$;

-- Renames a mailbox and all below it. INBOX keeps its children; its messages go with the old mailbox under the new name, and p_ids[1] becomes the new INBOX.
-- Missing parents of the new name are made with the rest of p_ids. ended: the mailboxes that got a new UIDVALIDITY, whose sessions must end.
-- code: 0 done, 1 no such mailbox, 2 the new name exists, 3 the new name lies below the old.
create function mail.rename_mailbox_v1(p_account bigint, p_incarnation bigint, p_counter bigint, p_from text[], p_to text[], p_ids bigint[])
returns table (code smallint, ended bigint[])
language plpgsql volatile as $$
declare
    n constant integer := array_length(p_from, 1);
    v_inbox constant boolean := p_from = array['INBOX'];
    v_ended bigint[] := '{}';
    v_done bigint[];
    v_path text[];
    v_history bigint;
    v_validity bigint;
    r record;
    i integer;
begin
    perform mail.lock_tree(p_account);
    v_done := mail.tree_done(p_account, p_incarnation, p_counter);
    if v_done is not null then
        return query select 0::smallint, v_done;
        return;
    elsif not exists (select 1 from mail.mailbox m where m.account_id = p_account and m.deleted_at is null
        and (m.path = p_from or (not v_inbox and m.path[1:n] = p_from))) then
        return query select 1::smallint, v_ended;
        return;
    elsif exists (select 1 from mail.mailbox m where m.account_id = p_account and m.deleted_at is null and m.path[1:array_length(p_to, 1)] = p_to)
        or p_to = p_from then
        return query select 2::smallint, v_ended;
        return;
    elsif not v_inbox and p_to[1:n] = p_from then
        return query select 3::smallint, v_ended;
        return;
    end if;
    -- All of them before the account's row, which a new UIDVALIDITY locks.
    perform 1 from mail.mailbox m
    where m.account_id = p_account and m.deleted_at is null and (m.path = p_from or (not v_inbox and m.path[1:n] = p_from))
    order by m.id for no key update;
    for r in
        select m.id, m.path, m.uidvalidity from mail.mailbox m
        where m.account_id = p_account and m.deleted_at is null and (m.path = p_from or (not v_inbox and m.path[1:n] = p_from))
        order by m.id
    loop
        v_path := p_to || r.path[n + 1:];
        perform mail.remember_name(p_account, r.path, r.uidvalidity);
        select h.uidvalidity into v_history from mail.name_history h join mail.account a on a.user_name = h.user_name
        where a.account_id = p_account and h.path = v_path;
        if coalesce(v_history, 0) >= r.uidvalidity then
            v_validity := mail.next_uidvalidity(p_account, v_path);
            v_ended := v_ended || r.id;
            update mail.mailbox m set path = v_path, uidvalidity = v_validity, epoch = m.epoch + 1 where m.account_id = p_account and m.id = r.id;
        else
            update mail.mailbox m set path = v_path where m.account_id = p_account and m.id = r.id;
        end if;
    end loop;
    if v_inbox then
        v_validity := mail.next_uidvalidity(p_account, p_from);
        insert into mail.mailbox (account_id, id, path, uidvalidity) values (p_account, p_ids[1], p_from, v_validity);
    end if;
    for i in 1..array_length(p_to, 1) - 1 loop
        v_path := p_to[1:i];
        if not exists (select 1 from mail.mailbox m where m.account_id = p_account and m.path = v_path and m.deleted_at is null) then
            v_validity := mail.next_uidvalidity(p_account, v_path);
            insert into mail.mailbox (account_id, id, path, uidvalidity) values (p_account, p_ids[i + 1], v_path, v_validity);
        end if;
    end loop;
    insert into mail.operation (account_id, incarnation, counter, status, mailboxes) values (p_account, p_incarnation, p_counter, 0, v_ended);
    return query select 0::smallint, v_ended;
end $$;

-- The UIDs that a mailbox lost after a modseq, as ranges; where the log does not reach back, every UID below UIDNEXT that is not there.
create function mail.vanished_v1(p_account bigint, p_mailbox bigint, p_since bigint) returns int8multirange
language plpgsql stable as $$
declare
    r record;
begin
    select m.vanished_floor, m.uidnext into r from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox;
    if p_since < r.vanished_floor then
        return case when r.uidnext > 1 then int8multirange(int8range(1, r.uidnext)) else '{}'::int8multirange end
            - coalesce((select range_agg(int8range(m.uid, m.uid, '[]')) from mail.message m where m.account_id = p_account and m.mailbox_id = p_mailbox), '{}');
    end if;
    return coalesce((select range_agg(u) from mail.change c, unnest(c.uids) u
        where c.account_id = p_account and c.mailbox_id = p_mailbox and c.modseq > p_since and c.kind in (3, 6)), '{}');
end $$;

-- Removes up to p_limit messages of mailboxes that were deleted, and the mailbox rows that have none left; the number of messages removed.
create function mail.purge_deleted_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    r record;
    v_last bigint;
    v_count integer;
begin
    select m.account_id, m.id into r from mail.mailbox m where m.deleted_at is not null order by m.deleted_at limit 1 for update skip locked;
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
        insert into mail.expunged (account_id, mailbox_id, uid, email_id, flags, keywords, modseq)
        select r.account_id, r.id, s.uid, s.email_id, f.flags,
            case when f.keywords is not null then (select array_agg(k.name order by k.id) from mail.keyword k
                where k.account_id = r.account_id and k.mailbox_id = r.id and k.id = any(f.keywords)) end,
            f.modseq from slice s join flag f on f.uid = s.uid
    )
    select count(*) into v_count from slice;
    if v_count < p_limit then
        delete from mail.seen_by b where b.account_id = r.account_id and b.mailbox_id = r.id;
        delete from mail.keyword k where k.account_id = r.account_id and k.mailbox_id = r.id;
        delete from mail.mailbox m where m.account_id = r.account_id and m.id = r.id;
        v_count := greatest(v_count, 1);
    end if;
    return v_count;
end $$;
