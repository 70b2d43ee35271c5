-- An owner may say what its mailbox is called, so that a name is found without asking the rows. So that whatever starts after the OK of a RENAME or DELETE sees it,
-- owners are told before the name changes, and nothing is changed about a mailbox that was claimed since.

-- As rename_mailbox_v1, once the owners of all mailboxes that it renames were told. p_told, p_epochs: the mailboxes whose owners were, and under which claims.
-- code 4: nothing was done; ids, epochs and owners are those that are still to be told.
create function mail.rename_mailbox_v2(
    p_account bigint, p_incarnation bigint, p_counter bigint, p_from text[], p_to text[], p_ids bigint[], p_told bigint[], p_epochs bigint[])
returns table (code smallint, ended bigint[], ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_inbox constant boolean := p_from = array['INBOX'];
    r record;
begin
    perform mail.lock_tree(p_account);
    if mail.tree_done(p_account, p_incarnation, p_counter) is null then
        -- Under their locks nobody claims them until this is done.
        perform 1 from mail.mailbox m
        where m.account_id = p_account and m.deleted_at is null and (m.path = p_from or (not v_inbox and m.path[1:array_length(p_from, 1)] = p_from))
        order by m.id for no key update;
        select array_agg(m.id) as ids, array_agg(m.epoch) as epochs, array_agg(m.owner) as owners into r
        from mail.mailbox m left join unnest(p_told, p_epochs) as t(id, epoch) on t.id = m.id
        where m.account_id = p_account and m.deleted_at is null and (m.path = p_from or (not v_inbox and m.path[1:array_length(p_from, 1)] = p_from))
            and m.owner is not null and t.epoch is distinct from m.epoch;
        if r.ids is not null then
            return query select 4::smallint, '{}'::bigint[], r.ids, r.epochs, r.owners;
            return;
        end if;
    end if;
    return query select d.code, d.ended, '{}'::bigint[], '{}'::bigint[], '{}'::text[]
        from mail.rename_mailbox_v1(p_account, p_incarnation, p_counter, p_from, p_to, p_ids) d;
end $$;

-- As delete_mailbox_v1, once the mailbox's owner was told; see rename_mailbox_v2. code 4: nothing was done; id, epoch and owner are to be told.
create function mail.delete_mailbox_v2(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_told bigint[], p_epochs bigint[])
returns table (code smallint, id bigint, ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    r record;
begin
    perform mail.lock_tree(p_account);
    if mail.tree_done(p_account, p_incarnation, p_counter) is null then
        select m.id, m.epoch, m.owner into r from mail.mailbox m
        where m.account_id = p_account and m.path = p_path and m.deleted_at is null for no key update;
        if r.owner is not null and not exists (select 1 from unnest(p_told, p_epochs) as t(id, epoch) where t.id = r.id and t.epoch = r.epoch) then
            return query select 4::smallint, null::bigint, array[r.id], array[r.epoch], array[r.owner];
            return;
        end if;
    end if;
    return query select d.code, d.id, '{}'::bigint[], '{}'::bigint[], '{}'::text[] from mail.delete_mailbox_v1(p_account, p_incarnation, p_counter, p_path) d;
end $$;
