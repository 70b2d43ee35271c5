-- Emails that come back to an account which had let them go.

-- As before, safe from copies that come from other accounts: such a copy keeps the id of its email, and where the account has a row of that id it only locks it. Rows that somebody has locked are
-- passed over; others are locked first and looked at anew by a later statement, which sees every message that was committed before the lock. Who comes after the lock waits, and puts the row there again.
create or replace function mail.remove_emails(p_accounts bigint[], p_emails bigint[]) returns integer
language plpgsql volatile as $$
declare
    v_accounts bigint[];
    v_emails bigint[];
    v_bodies bigint[];
begin
    select array_agg(o.account_id), array_agg(o.id) into v_accounts, v_emails from (
        select e.account_id, e.id from mail.email e join unnest(p_accounts, p_emails) as x(account_id, id) on e.account_id = x.account_id and e.id = x.id
        where not exists (select 1 from mail.message m where m.account_id = e.account_id and m.email_id = e.id)
            and not exists (select 1 from mail.expunged y where y.account_id = e.account_id and y.email_id = e.id)
        for update of e skip locked) o;
    with gone as (
        delete from mail.email e using unnest(v_accounts, v_emails) as x(account_id, id)
        where e.account_id = x.account_id and e.id = x.id
            and not exists (select 1 from mail.message m where m.account_id = e.account_id and m.email_id = e.id)
            and not exists (select 1 from mail.expunged y where y.account_id = e.account_id and y.email_id = e.id)
        returning e.body_id
    )
    select array_agg(body_id) into v_bodies from gone;
    -- A statement of its own: it no longer sees the emails that went.
    insert into mail.body_marked (body_id)
    select distinct b from unnest(v_bodies) b
    where not exists (select 1 from mail.email e where e.body_id = b) and not exists (select 1 from mail.body_staged s where s.body_id = b)
    on conflict do nothing;
    update mail.body b set state = 1 where b.id = any(v_bodies) and exists (select 1 from mail.body_marked m where m.body_id = b.id);
    return coalesce(array_length(v_bodies, 1), 0);
end $$;
