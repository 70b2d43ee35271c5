-- The row tells whether somebody may have the mailbox in memory: an owner that ends gives its claim back. STATUS of the others is answered from their rows.

-- As claim_v2, with what SELECT and a lookup by name need: the names of its keywords, used or not, and its path.
create function mail.claim_v3(p_account bigint, p_mailbox bigint, p_owner text, p_wait integer)
returns table (epoch bigint, tenant_id bigint, uidvalidity bigint, uidnext bigint, highest_modseq bigint, messages bigint, unseen bigint, deleted bigint,
               bytes bigint, first_recent bigint, previous text, path text[], keywords text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_previous text;
begin
    perform set_config('lock_timeout', p_wait || 'ms', true);
    select m.owner into v_previous from mail.mailbox m
    where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    return query update mail.mailbox m set epoch = m.epoch + 1, owner = p_owner from mail.account a
        where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null and a.account_id = m.account_id
        returning m.epoch, a.tenant_id, m.uidvalidity, m.uidnext, m.highest_modseq, m.messages, m.unseen, m.deleted, m.bytes, m.first_recent, v_previous, m.path,
            array(select k.name from mail.keyword k where k.account_id = m.account_id and k.mailbox_id = m.id order by k.id);
end $$;

-- Gives a claim back where nobody has claimed the mailbox since. Nobody waits for the disk: where it is lost the mailbox has an owner that does not live,
-- which costs whoever asks for it a look at the membership.
create function mail.release_v1(p_account bigint, p_mailbox bigint, p_epoch bigint, p_first_recent bigint) returns void
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '2s', true);
    update mail.mailbox m set owner = null, first_recent = p_first_recent
    where m.account_id = p_account and m.id = p_mailbox and m.epoch = p_epoch and m.owner is not null;
end $$;
