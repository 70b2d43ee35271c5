-- Retention to the second: what the collector calls where expunges are kept for less than a day.

-- Forgets up to p_limit messages that were expunged longer than p_older ago, with their emails; how many there were.
create function mail.forget_expunged_v1(p_older interval, p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_accounts bigint[];
    v_emails bigint[];
begin
    with old as (
        select x.account_id, x.mailbox_id, x.uid, x.at from mail.expunged x where x.at < now() - p_older limit p_limit
    ), gone as (
        delete from mail.expunged x using old o
        where x.account_id = o.account_id and x.mailbox_id = o.mailbox_id and x.uid = o.uid and x.at = o.at returning x.account_id, x.email_id
    )
    select array_agg(g.account_id), array_agg(g.email_id) into v_accounts, v_emails from gone g;
    perform mail.remove_emails(v_accounts, v_emails);
    return coalesce(array_length(v_emails, 1), 0);
end $$;

-- Removes up to p_limit changes that are older than p_older from the log, and raises the floors of their mailboxes to the last expunge among them;
-- how many there were. No change goes without its floor: both are one statement, on mailboxes that are locked.
create function mail.trim_changes_v1(p_older interval, p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_before constant timestamptz := now() - p_older;
    v_accounts bigint[];
    v_mailboxes bigint[];
    v_count integer;
begin
    -- In the lanes' order.
    select array_agg(x.account_id order by x.account_id, x.mailbox_id), array_agg(x.mailbox_id order by x.account_id, x.mailbox_id)
    into v_accounts, v_mailboxes from (
        select distinct c.account_id, c.mailbox_id from (
            select o.account_id, o.mailbox_id from mail.change o where o.at < v_before limit p_limit) c) x;
    if v_accounts is null then
        return 0;
    end if;
    perform 1 from mail.mailbox m join unnest(v_accounts, v_mailboxes) as k(account_id, id) on m.account_id = k.account_id and m.id = k.id
    order by m.account_id, m.id for no key update of m;
    with gone as (
        delete from mail.change c using unnest(v_accounts, v_mailboxes) as k(account_id, id)
        where c.account_id = k.account_id and c.mailbox_id = k.id and c.at < v_before returning c.account_id, c.mailbox_id, c.kind, c.modseq
    ), floors as (
        update mail.mailbox m set vanished_floor = greatest(m.vanished_floor, x.modseq)
        from (select g.account_id, g.mailbox_id, max(g.modseq) as modseq from gone g where g.kind in (3, 6) group by 1, 2) x
        where m.account_id = x.account_id and m.id = x.mailbox_id
    )
    select count(*) into v_count from gone;
    return v_count;
end $$;
