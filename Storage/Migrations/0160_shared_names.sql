-- What others than its owner do to the names of an account's mailboxes (RFC 4314 §4). What they may do is looked at under the locks under which it is done: no name can go to another mailbox, and
-- no list of rights can change, in between.

-- Why an account may not do all of p_needed with the mailbox of a name: 0 it may, 1 there is none that it may know of, 10 it may not. The caller has locked the mailbox.
create function mail.refused_v1(p_account bigint, p_path text[], p_viewer bigint, p_needed integer) returns smallint
language sql volatile as $$
    select case when x.rights & 1235 = 0 then 1 when x.rights & p_needed <> p_needed then 10 else 0 end::smallint
    from (select coalesce(max(mail.rights_v1(m.account_id, m.id, p_viewer)), 0) as rights
        from mail.mailbox m where m.account_id = p_account and m.path = p_path and m.deleted_at is null) x;
$$;

-- As create_mailbox_v2, for an account that needs k on the nearest mailbox above. code 10: it may not.
create function mail.create_mailbox_as_v1(
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
        if v_above is null or mail.refused_v1(p_account, v_above, p_viewer, 64) <> 0 then
            return query select 10::smallint, null::bigint;
            return;
        end if;
    end if;
    return query select c.code, c.id from mail.create_mailbox_v2(p_account, p_incarnation, p_counter, p_path, p_special_use, p_ids, p_max) c;
end $$;

-- As delete_mailbox_v3, for an account that needs x. code 10: it may not.
create function mail.delete_mailbox_as_v1(p_account bigint, p_incarnation bigint, p_counter bigint, p_path text[], p_told bigint[], p_epochs bigint[], p_viewer bigint)
returns table (code smallint, id bigint, ids bigint[], epochs bigint[], owners text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_refused smallint := 0;
begin
    perform mail.lock_tree(p_account);
    if mail.tree_done(p_account, p_incarnation, p_counter) is null then
        perform 1 from mail.mailbox m where m.account_id = p_account and m.path = p_path and m.deleted_at is null for no key update;
        v_refused := mail.refused_v1(p_account, p_path, p_viewer, 128);
    end if;
    if v_refused <> 0 then
        return query select v_refused, null::bigint, '{}'::bigint[], '{}'::bigint[], '{}'::text[];
        return;
    end if;
    return query select d.code, d.id, d.ids, d.epochs, d.owners from mail.delete_mailbox_v3(p_account, p_incarnation, p_counter, p_path, p_told, p_epochs) d;
end $$;

-- As rename_mailbox_v3, for an account that needs x on the mailbox, and k on the nearest one above the new name. code 10: it may not.
create function mail.rename_mailbox_as_v1(
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
        v_refused := mail.refused_v1(p_account, p_from, p_viewer, 128);
        if v_refused = 0 and (v_above is null or mail.refused_v1(p_account, v_above, p_viewer, 64) <> 0) then
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
