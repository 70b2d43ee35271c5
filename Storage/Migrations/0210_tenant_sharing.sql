-- Tenants that share: accounts of one may be given rights on mailboxes of the other (RFC 4314). Lists of rights of 0051 stay as they are; what a line of another tenant's account counts for is
-- asked whenever rights are looked at, so that it ends with the consent and comes back with it.

-- What a tenant has said: that it shares with another, in both directions. It counts as long as the other has said so of it, too.
create table mail.tenant_sharing (
    tenant_id bigint not null references mail.tenant (tenant_id) on delete cascade,
    with_id   bigint not null references mail.tenant (tenant_id) on delete cascade,
    since     timestamptz not null default now(),
    primary key (tenant_id, with_id),
    check (tenant_id <> with_id)
);
-- Finds what goes with a tenant that is deleted.
create index tenant_sharing_with on mail.tenant_sharing (with_id);

-- Whether accounts of two tenants may share: of one tenant always, of two where both have said so.
create function mail.tenants_share_v1(p_one bigint, p_other bigint) returns boolean
language sql stable as $$
    select p_one = p_other
        or exists (select 1 from mail.tenant_sharing s where s.tenant_id = p_one and s.with_id = p_other)
        and exists (select 1 from mail.tenant_sharing s where s.tenant_id = p_other and s.with_id = p_one);
$$;

-- As rights_v1, across tenants that share, too: there only lines of the account itself count, for "anyone" is everybody of the mailbox's own tenant.
create function mail.rights_v2(p_account bigint, p_mailbox bigint, p_viewer bigint) returns integer
language sql stable as $$
    select case when p_viewer = p_account then 4095 else coalesce((
        select coalesce(bit_or(a.rights) filter (where not a.negative), 0) & ~coalesce(bit_or(a.rights) filter (where a.negative), 0)
        from mail.acl a join mail.account v on v.account_id = p_viewer
        where a.account_id = p_account and a.mailbox_id = p_mailbox and a.grantee_id in (p_viewer, 0)
            and (v.tenant_id = a.tenant_id or (a.grantee_id = p_viewer and mail.tenants_share_v1(a.tenant_id, v.tenant_id)))), 0) end;
$$;

-- The mailboxes of others whose lists of rights have a line for an account; which rights are left is another question.
create function mail.shared_with_v1(p_viewer bigint) returns table (account_id bigint, mailbox_id bigint)
language sql stable as $$
    select a.account_id, a.mailbox_id from mail.account v join mail.acl a on a.tenant_id = v.tenant_id and a.grantee_id in (v.account_id, 0) and not a.negative
    where v.account_id = p_viewer and a.account_id <> p_viewer
    union select a.account_id, a.mailbox_id from mail.account v
    join mail.tenant_sharing s on s.tenant_id = v.tenant_id join mail.tenant_sharing o on o.tenant_id = s.with_id and o.with_id = s.tenant_id
    join mail.acl a on a.tenant_id = o.tenant_id and a.grantee_id = v.account_id and not a.negative
    where v.account_id = p_viewer;
$$;

-- As refused_v1, by rights_v2.
create function mail.refused_v2(p_account bigint, p_path text[], p_viewer bigint, p_needed integer) returns smallint
language sql volatile as $$
    select case when x.rights & 1235 = 0 then 1 when x.rights & p_needed <> p_needed then 10 else 0 end::smallint
    from (select coalesce(max(mail.rights_v2(m.account_id, m.id, p_viewer)), 0) as rights
        from mail.mailbox m where m.account_id = p_account and m.path = p_path and m.deleted_at is null) x;
$$;

-- As create_mailbox_as_v1, by rights_v2.
create function mail.create_mailbox_as_v2(
    p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_special_use text[], p_ids bigint[], p_max integer, p_viewer bigint)
returns table (code smallint, id bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_above text[];
begin
    perform mail.lock_tree(p_account);
    if mail.tree_done(p_account, p_incarnation, p_counter) is null then
        select m.path into v_above from mail.mailbox m
        where m.account_id = p_account and m.deleted_at is null and cardinality(m.path) < cardinality(p_path) and m.path = p_path[1:cardinality(m.path)]
        order by cardinality(m.path) desc limit 1 for no key update;
        if v_above is null or mail.refused_v2(p_account, v_above, p_viewer, 64) <> 0 then
            return query select 10::smallint, null::bigint;
            return;
        end if;
    end if;
    return query select c.code, c.id from mail.create_mailbox_v2(p_account, p_incarnation, p_counter, p_path, p_special_use, p_ids, p_max) c;
end $$;

-- As delete_mailbox_as_v1, by rights_v2.
create function mail.delete_mailbox_as_v2(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_told bigint[], p_epochs bigint[], p_viewer bigint)
returns table (code smallint, id bigint, ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_refused smallint := 0;
begin
    perform mail.lock_tree(p_account);
    if mail.tree_done(p_account, p_incarnation, p_counter) is null then
        perform 1 from mail.mailbox m where m.account_id = p_account and m.path = p_path and m.deleted_at is null for no key update;
        v_refused := mail.refused_v2(p_account, p_path, p_viewer, 128);
    end if;
    if v_refused <> 0 then
        return query select v_refused, null::bigint, '{}'::bigint[], '{}'::bigint[], '{}'::text[];
        return;
    end if;
    return query select d.code, d.id, d.ids, d.epochs, d.owners from mail.delete_mailbox_v3(p_account, p_incarnation, p_counter, p_path, p_told, p_epochs) d;
end $$;

-- As rename_mailbox_as_v1, by rights_v2.
create function mail.rename_mailbox_as_v2(
    p_account bigint, p_incarnation bigint, p_counter bigint, p_from text[], p_to text[], p_ids bigint[], p_told bigint[], p_epochs bigint[], p_viewer bigint)
returns table (code smallint, ended bigint[], ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_above text[];
    v_refused smallint := 0;
begin
    perform mail.lock_tree(p_account);
    if mail.tree_done(p_account, p_incarnation, p_counter) is null then
        -- All that the rename will lock, too, in one order.
        perform 1 from mail.mailbox m
        where m.account_id = p_account and m.deleted_at is null
            and (m.path[1:cardinality(p_from)] = p_from or (cardinality(m.path) < cardinality(p_to) and m.path = p_to[1:cardinality(m.path)]))
        order by m.id for no key update;
        select m.path into v_above from mail.mailbox m
        where m.account_id = p_account and m.deleted_at is null and cardinality(m.path) < cardinality(p_to) and m.path = p_to[1:cardinality(m.path)]
        order by cardinality(m.path) desc limit 1;
        v_refused := mail.refused_v2(p_account, p_from, p_viewer, 128);
        if v_refused = 0 and (v_above is null or mail.refused_v2(p_account, v_above, p_viewer, 64) <> 0) then
            v_refused := 10;
        end if;
    end if;
    if v_refused <> 0 then
        return query select v_refused, '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::text[];
        return;
    end if;
    return query select r.code, r.ended, r.ids, r.epochs, r.owners
        from mail.rename_mailbox_v3(p_account, p_incarnation, p_counter, p_from, p_to, p_ids, p_told, p_epochs) r;
end $$;

-- Tells the owners of mailboxes that one of two tenants has given rights on to accounts of the other, up to p_limit of them behind a place in their order, that what those count for is
-- another now: as set_acl_v1 does, the epoch rises, and an owner reads the list again. The last of them, and how many; none: there are no more.
create function mail.tell_sharing_v1(p_tenant bigint, p_other bigint, p_account bigint, p_mailbox bigint, p_limit integer)
returns table (account_id bigint, mailbox_id bigint, told integer)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    x record;
    r record;
    n integer := 0;
begin
    for x in
        select distinct a.account_id, a.mailbox_id from mail.acl a join mail.account g on g.account_id = a.grantee_id
        where ((a.tenant_id = p_tenant and g.tenant_id = p_other) or (a.tenant_id = p_other and g.tenant_id = p_tenant)) and (a.account_id, a.mailbox_id) > (p_account, p_mailbox)
        order by 1, 2 limit p_limit
    loop
        n := n + 1;
        account_id := x.account_id;
        mailbox_id := x.mailbox_id;
        update mail.mailbox m set epoch = m.epoch + 1, highest_modseq = m.highest_modseq + 1
        where m.account_id = x.account_id and m.id = x.mailbox_id and m.deleted_at is null returning m.epoch - 1 as epoch, m.highest_modseq into r;
        if found then
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
            values (x.account_id, x.mailbox_id, r.highest_modseq, 20, '{}', 'mailcluster admin', 'sharing', 0, 0);
            perform pg_notify('mailcluster_owner', json_build_object('mailbox', x.account_id || '/' || x.mailbox_id, 'epoch', r.epoch, 'end', false)::text);
        end if;
    end loop;
    if n > 0 then
        told := n;
        return next;
    end if;
end $$;
