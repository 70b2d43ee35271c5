-- POP3: the lock of the maildrop, and unique-ids that messages had where they were imported from.

-- Whether one POP3 session of an account shuts out another (RFC 1939 section 4); IMAP is never shut out.
alter table directory.tenant add column pop3_lock boolean not null default true;

-- Whether some message of the mailbox may have a pop3_uidl: most mailboxes have none, and none of their rows need be read to know it.
alter table mail.mailbox add column pop3_uidls boolean not null default false;

-- Gives messages the unique-ids (RFC 1939 section 7) that they had elsewhere, all or none, under the mailbox's lock. One that a message has is given again without effect.
-- outcome: 0 done, 1 no such mailbox, 2 no such message, 3 the message has another, 4 another message of the mailbox has it, 5 it is twice in what is given. at: which of them, from 1.
create function mail.import_uidls_v1(p_account bigint, p_mailbox bigint, p_uids bigint[], p_uidls text[])
returns table (outcome integer, at bigint)
language plpgsql volatile set lock_timeout = '5s' as $$
begin
    perform 1 from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    if not found then
        return query select 1, 0::bigint;
        return;
    end if;
    update mail.mailbox m set pop3_uidls = true where m.account_id = p_account and m.id = p_mailbox and not m.pop3_uidls;
    return query
        select case when m.uid is null then 2 when m.pop3_uidl <> g.uidl then 3 when o.uid is not null then 4 else 5 end, g.i
        from (select u.uid, u.uidl, u.i, row_number() over (partition by u.uidl order by u.i) > 1 or row_number() over (partition by u.uid order by u.i) > 1 as again
              from unnest(p_uids, p_uidls) with ordinality as u(uid, uidl, i)) g
        left join mail.message m on m.account_id = p_account and m.mailbox_id = p_mailbox and m.uid = g.uid
        left join mail.message o on o.account_id = p_account and o.mailbox_id = p_mailbox and o.pop3_uidl = g.uidl and o.uid <> g.uid
        where m.uid is null or m.pop3_uidl <> g.uidl or o.uid is not null or g.again
        order by g.i limit 1;
    if found then
        return;
    end if;
    update mail.message m set pop3_uidl = g.uidl from unnest(p_uids, p_uidls) as g(uid, uidl)
    where m.account_id = p_account and m.mailbox_id = p_mailbox and m.uid = g.uid and m.pop3_uidl is null;
    return query select 0, 0::bigint;
end $$;
