-- What a new owner needs where the old one froze, was cut off or died.

-- Ends the commit connections of silos that the membership calls dead: a backend whose result nobody reads keeps its row locks until then, and no time-out
-- ends it. Lanes name their silo in application_name, as it is composed here (63 octets at most). Returns how many there were.
-- With its owner's rights: the caller's role need not be allowed to look at, or end, other sessions.
create function mail.end_dead_backends_v1() returns integer
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    select count(*) filter (where pg_terminate_backend(a.pid))::integer
    from pg_stat_activity a join orleans.membership m
        on a.application_name = left('silo ' || m.generation || ' lane ' || m.address || ':' || m.port, 63)
    where m.status = 6 and a.datname = current_database();
$$;

-- As claim_v1, waiting for p_wait milliseconds, and with the owner of before: null, or the silo that claimed last.
create function mail.claim_v2(p_account bigint, p_mailbox bigint, p_owner text, p_wait integer)
returns table (epoch bigint, uidvalidity bigint, uidnext bigint, highest_modseq bigint, vanished_floor bigint, first_recent bigint,
               messages bigint, unseen bigint, deleted bigint, bytes bigint, previous text)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_previous text;
begin
    perform set_config('lock_timeout', p_wait || 'ms', true);
    select m.owner into v_previous from mail.mailbox m
    where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    return query update mail.mailbox m set epoch = m.epoch + 1, owner = p_owner
        where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null
        returning m.epoch, m.uidvalidity, m.uidnext, m.highest_modseq, m.vanished_floor, m.first_recent, m.messages, m.unseen, m.deleted, m.bytes, v_previous;
end $$;
