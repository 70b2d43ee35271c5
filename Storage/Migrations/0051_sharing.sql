-- Mailboxes that accounts of one tenant share (RFC 4314), and what each of them has seen there.

-- One line of a mailbox's list of rights. The mailbox's own account has all rights and no line.
create table mail.acl (
    account_id bigint not null,
    mailbox_id bigint not null,
    -- Of both accounts: nothing is shared across tenants.
    tenant_id  bigint not null,
    -- 0: every account of the tenant ("anyone").
    grantee_id bigint not null,
    -- These rights are taken away, whoever grants them.
    negative   boolean not null,
    -- 1 l, 2 r, 4 s, 8 w, 16 i, 32 p, 64 k, 128 x, 256 t, 512 e, 1024 a.
    rights     integer not null,
    primary key (account_id, mailbox_id, grantee_id, negative)
);
-- Finds what is shared with an account.
create index acl_grantee on mail.acl (tenant_id, grantee_id);

-- Mailboxes of others that a user is subscribed to; they need not exist.
create table mail.shared_subscription (
    account_id bigint not null,
    owner_id   bigint not null,
    path       text[] not null,
    primary key (account_id, owner_id, path)
);

-- Nobody's own: its mailboxes are listed as shared ones, not as another user's.
alter table mail.account add column shared_store boolean not null default false;

-- How the namespaces of others' and of shared mailboxes begin, without the delimiter; null: Other Users, Shared Folders; empty: there is none.
alter table directory.tenant add column other_users text;
alter table directory.tenant add column shared_folders text;

-- What an account may do with a mailbox.
create function mail.rights_v1(p_account bigint, p_mailbox bigint, p_viewer bigint) returns integer
language sql stable as $$
    select case when p_viewer = p_account then 2047 else coalesce((
        select coalesce(bit_or(a.rights) filter (where not a.negative), 0) & ~coalesce(bit_or(a.rights) filter (where a.negative), 0)
        from mail.acl a join mail.account v on v.account_id = p_viewer and v.tenant_id = a.tenant_id
        where a.account_id = p_account and a.mailbox_id = p_mailbox and a.grantee_id in (p_viewer, 0)), 0) end;
$$;

-- How many messages of a mailbox an account that is not the mailbox's has not seen, of p_messages that there are.
create function mail.unseen_v1(p_account bigint, p_mailbox bigint, p_viewer bigint, p_messages bigint) returns bigint
language sql stable as $$
    select p_messages - (
        select count(*) from mail.seen_by b cross join lateral unnest(b.uids) u
        join mail.message m on m.account_id = b.account_id and m.mailbox_id = b.mailbox_id and m.uid >= lower(u) and m.uid < upper(u)
        where b.account_id = p_account and b.mailbox_id = p_mailbox and b.viewer_id = p_viewer);
$$;

-- As create_mailbox_v1; what it makes inherits the rights of what it stands below (RFC 4314 §4).
create function mail.create_mailbox_v2(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_special_use text[], p_ids bigint[], p_max integer)
returns table (code smallint, id bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    r record;
    i integer;
begin
    select * into r from mail.create_mailbox_v1(p_account, p_incarnation, p_counter, p_path, p_special_use, p_ids, p_max);
    if r.code = 0 then
        for i in 2..array_length(p_path, 1) loop
            insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights)
            select p_account, m.id, a.tenant_id, a.grantee_id, a.negative, a.rights
            from mail.mailbox m
            join mail.mailbox p on p.account_id = p_account and p.path = p_path[1:i - 1] and p.deleted_at is null
            join mail.acl a on a.account_id = p_account and a.mailbox_id = p.id
            where m.account_id = p_account and m.id = p_ids[i] and m.deleted_at is null
            on conflict do nothing;
        end loop;
    end if;
    return query select r.code, r.id;
end $$;

-- Takes away what is left of shared mailboxes and accounts that are gone, up to p_limit of each; how many.
create function mail.sweep_sharing_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    n integer;
    total integer := 0;
begin
    delete from mail.acl a where (a.account_id, a.mailbox_id, a.grantee_id, a.negative) in (
        select x.account_id, x.mailbox_id, x.grantee_id, x.negative from mail.acl x
        where not exists (select 1 from mail.mailbox m where m.account_id = x.account_id and m.id = x.mailbox_id and m.deleted_at is null)
            or (x.grantee_id <> 0 and not exists (select 1 from mail.account c where c.account_id = x.grantee_id))
        limit p_limit);
    get diagnostics n = row_count;
    total := total + n;
    delete from mail.shared_subscription s where (s.account_id, s.owner_id, s.path) in (
        select x.account_id, x.owner_id, x.path from mail.shared_subscription x
        where not exists (select 1 from mail.account c where c.account_id = x.account_id) or not exists (select 1 from mail.account c where c.account_id = x.owner_id)
        limit p_limit);
    get diagnostics n = row_count;
    return total + n;
end $$;

-- An administrator's change of a line of a mailbox's list of rights: p_mode 0 sets, 1 adds, 2 takes away. It raises the epoch, so that an owner that has the list in memory
-- loses its claim, and tells that owner.
create function mail.set_acl_v1(p_account bigint, p_mailbox bigint, p_grantee bigint, p_negative boolean, p_mode smallint, p_rights integer) returns void
language plpgsql volatile as $$
declare
    r record;
    v_rights integer;
begin
    select m.epoch, m.highest_modseq into r from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    if not found then
        return;
    end if;
    select coalesce(max(a.rights), 0) into v_rights from mail.acl a
    where a.account_id = p_account and a.mailbox_id = p_mailbox and a.grantee_id = p_grantee and a.negative = p_negative;
    v_rights := case p_mode when 0 then p_rights when 1 then v_rights | p_rights else v_rights & ~p_rights end;
    delete from mail.acl a where a.account_id = p_account and a.mailbox_id = p_mailbox and a.grantee_id = p_grantee and a.negative = p_negative;
    insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights)
    select p_account, p_mailbox, a.tenant_id, p_grantee, p_negative, v_rights from mail.account a where a.account_id = p_account and v_rights <> 0;
    update mail.mailbox m set epoch = m.epoch + 1, highest_modseq = m.highest_modseq + 1 where m.account_id = p_account and m.id = p_mailbox;
    insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
    values (p_account, p_mailbox, r.highest_modseq + 1, 20, '{}', 'mailcluster admin', 'acl', 0, 0);
    perform pg_notify('mailcluster_owner', json_build_object('mailbox', p_account || '/' || p_mailbox, 'epoch', r.epoch, 'end', false)::text);
end $$;
