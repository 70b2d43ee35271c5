-- Annotations of mailboxes and of the server (RFC 5464), and the limits that quotas can have besides messages and octets (RFC 9208).

-- Null: as the silos' options say.
alter table mail.account add column max_mailboxes integer;
alter table mail.account add column max_annotation_bytes bigint;

-- May set quotas of its tenant's accounts and what the tenant's users read as the server's shared annotations.
alter table directory.account add column manages boolean not null default false;

-- One row an annotation. Private ones stand in the account of the user whose they are, also those on mailboxes of others; shared ones in that of the mailbox.
create table mail.annotation (
    account_id bigint not null,
    -- The mailbox; 0: the server.
    owner_id   bigint not null,
    mailbox_id bigint not null,
    -- In lower case: /private/… or /shared/….
    entry      text collate "C" not null,
    value      bytea not null,
    primary key (account_id, owner_id, mailbox_id, entry)
);
-- Finds what all users have noted on a mailbox.
create index annotation_mailbox on mail.annotation (owner_id, mailbox_id);

-- What a tenant's users read as the server's shared annotations.
create table mail.tenant_annotation (
    tenant_id bigint not null,
    entry     text collate "C" not null,
    value     bytea not null,
    primary key (tenant_id, entry)
);

-- Sets annotations of a mailbox, or of the server (p_mailbox 0): all or none. A null value takes an entry away. Private entries are p_viewer's, shared ones p_account's.
-- code: 0 done, 1 no such mailbox, 2 more than p_max on this mailbox, 3 the account that pays would have more octets than it may.
create function mail.set_annotations_v1(
    p_account bigint, p_mailbox bigint, p_viewer bigint, p_entries text[], p_values bytea[], p_max integer, p_max_bytes bigint)
returns smallint
language plpgsql volatile as $$
declare
    r record;
begin
    if p_mailbox <> 0 then
        perform 1 from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for key share;
        if not found then
            return 1;
        end if;
    end if;
    -- Who pays, in the order of locks.
    perform 1 from mail.account a where a.account_id in (p_account, p_viewer) order by a.account_id for no key update;
    delete from mail.annotation n using unnest(p_entries, p_values) as x(entry, value)
    where n.account_id = case when x.entry like '/private/%' then p_viewer else p_account end and n.owner_id = p_account and n.mailbox_id = p_mailbox and n.entry = x.entry;
    insert into mail.annotation (account_id, owner_id, mailbox_id, entry, value)
    select case when x.entry like '/private/%' then p_viewer else p_account end, p_account, p_mailbox, x.entry, x.value
    from unnest(p_entries, p_values) as x(entry, value) where x.value is not null
    on conflict (account_id, owner_id, mailbox_id, entry) do update set value = excluded.value;
    for r in
        select a.account_id, a.max_annotation_bytes,
            (select count(*) from mail.annotation n where n.account_id = a.account_id and n.owner_id = p_account and n.mailbox_id = p_mailbox) as here,
            (select coalesce(sum(octet_length(n.entry) + octet_length(n.value)), 0) from mail.annotation n where n.account_id = a.account_id) as bytes
        from mail.account a where a.account_id in (p_account, p_viewer)
    loop
        if r.here > p_max and exists (select 1 from unnest(p_values) v where v is not null) then
            raise exception using errcode = 'MC002';
        elsif r.bytes > coalesce(r.max_annotation_bytes, p_max_bytes) and exists (select 1 from unnest(p_values) v where v is not null) then
            raise exception using errcode = 'MC003';
        end if;
    end loop;
    return 0;
exception
    when sqlstate 'MC002' then
        return 2;
    when sqlstate 'MC003' then
        return 3;
end $$;

-- As delete_mailbox_v2; with the mailbox go its annotations and its list of rights (RFC 4314 §4).
create function mail.delete_mailbox_v3(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_told bigint[], p_epochs bigint[])
returns table (code smallint, id bigint, ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    r record;
begin
    select * into r from mail.delete_mailbox_v2(p_account, p_incarnation, p_counter, p_path, p_told, p_epochs);
    if r.code = 0 then
        delete from mail.annotation n where n.owner_id = p_account and n.mailbox_id = r.id;
        delete from mail.acl a where a.account_id = p_account and a.mailbox_id = r.id;
    end if;
    return query select r.code, r.id, r.ids, r.epochs, r.owners;
end $$;

-- As rename_mailbox_v2; annotations and rights follow the mailbox, and those of INBOX stay with INBOX, too (RFC 5464 §4.1).
create function mail.rename_mailbox_v3(
    p_account bigint, p_incarnation bigint, p_counter bigint, p_from text[], p_to text[], p_ids bigint[], p_told bigint[], p_epochs bigint[])
returns table (code smallint, ended bigint[], ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    r record;
begin
    select * into r from mail.rename_mailbox_v2(p_account, p_incarnation, p_counter, p_from, p_to, p_ids, p_told, p_epochs);
    if r.code = 0 and p_from = array['INBOX'] then
        -- A retry finds another INBOX than that of its ids, and copies nothing.
        insert into mail.annotation (account_id, owner_id, mailbox_id, entry, value)
        select n.account_id, n.owner_id, i.id, n.entry, n.value
        from mail.mailbox i
        join mail.mailbox o on o.account_id = p_account and o.path = p_to and o.deleted_at is null
        join mail.annotation n on n.owner_id = p_account and n.mailbox_id = o.id
        where i.account_id = p_account and i.id = p_ids[1] and i.path = p_from and i.deleted_at is null
        on conflict do nothing;
        insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights)
        select a.account_id, i.id, a.tenant_id, a.grantee_id, a.negative, a.rights
        from mail.mailbox i
        join mail.mailbox o on o.account_id = p_account and o.path = p_to and o.deleted_at is null
        join mail.acl a on a.account_id = p_account and a.mailbox_id = o.id
        where i.account_id = p_account and i.id = p_ids[1] and i.path = p_from and i.deleted_at is null
        on conflict do nothing;
    end if;
    return query select r.code, r.ended, r.ids, r.epochs, r.owners;
end $$;

-- Takes away annotations whose account or mailbox is gone, up to p_limit; how many.
create function mail.sweep_annotations_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    n integer;
begin
    delete from mail.annotation a where (a.account_id, a.owner_id, a.mailbox_id, a.entry) in (
        select x.account_id, x.owner_id, x.mailbox_id, x.entry from mail.annotation x
        where not exists (select 1 from mail.account c where c.account_id = x.account_id)
            or (x.mailbox_id <> 0 and not exists (select 1 from mail.mailbox m where m.account_id = x.owner_id and m.id = x.mailbox_id and m.deleted_at is null))
        limit p_limit);
    get diagnostics n = row_count;
    return n;
end $$;
