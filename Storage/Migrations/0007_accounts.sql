-- What happens to an account's mail when the directory renames or deletes the account. Locks are taken in the lanes' order: mailboxes by id, account, tenant.

-- The mail of a renamed account. The old address keeps its history for whoever gets it next; a mailbox whose name had a UIDVALIDITY at the new
-- address that is not smaller gets a new one, and its sessions end.
create function mail.rename_account_v1(p_account bigint, p_user_name text) returns void
language plpgsql volatile as $$
declare
    r record;
    v_old text;
    v_history bigint;
    v_validity bigint;
begin
    perform mail.lock_tree(p_account);
    perform 1 from mail.mailbox m where m.account_id = p_account and m.deleted_at is null order by m.id for no key update;
    select a.user_name into v_old from mail.account a where a.account_id = p_account for no key update;
    for r in select m.id, m.path, m.uidvalidity from mail.mailbox m where m.account_id = p_account and m.deleted_at is null order by m.id loop
        perform mail.remember_name(p_account, r.path, r.uidvalidity);
    end loop;
    update mail.account a set user_name = p_user_name where a.account_id = p_account;
    for r in select m.id, m.path, m.uidvalidity from mail.mailbox m where m.account_id = p_account and m.deleted_at is null order by m.id loop
        select max(h.uidvalidity) into v_history from mail.name_history h where h.user_name = p_user_name and h.path = r.path;
        if p_user_name <> v_old and v_history >= r.uidvalidity then
            v_validity := mail.next_uidvalidity(p_account, r.path);
            update mail.mailbox m set uidvalidity = v_validity, epoch = m.epoch + 1 where m.account_id = p_account and m.id = r.id;
        end if;
    end loop;
end $$;

-- Takes an account's mail away: from now on its commits are refused, its quota is free. Messages go later, in slices, as those of deleted mailboxes do.
create function mail.delete_account_v1(p_account bigint) returns void
language plpgsql volatile as $$
declare
    r record;
begin
    perform mail.lock_tree(p_account);
    for r in
        select m.id, m.path, m.uidvalidity from mail.mailbox m
        where m.account_id = p_account and m.deleted_at is null order by m.id for no key update
    loop
        perform mail.remember_name(p_account, r.path, r.uidvalidity);
        update mail.mailbox m set deleted_at = now(), epoch = m.epoch + 1, messages = 0, unseen = 0, deleted = 0, bytes = 0
        where m.account_id = p_account and m.id = r.id;
    end loop;
    delete from mail.account a where a.account_id = p_account returning a.tenant_id, a.messages, a.bytes into r;
    update mail.tenant t set messages = t.messages - r.messages, bytes = t.bytes - r.bytes where t.charged and t.tenant_id = r.tenant_id;
    delete from mail.subscription s where s.account_id = p_account;
end $$;
