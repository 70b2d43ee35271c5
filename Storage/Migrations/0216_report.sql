-- What operators may ask PostgreSQL with queries of their own. Tables change from release to release; of these views names and meanings stay, and columns are only added at the end.
-- They show no secrets and no content of mail, run with their owner's rights, and need no others: grant usage on schema report, and select on its views, to a role for reports.
create schema report;

-- Tenants with what their accounts have stored together, and their limits (null: none).
create view report.tenant as
select t.id as tenant_id, t.name as tenant, t.enabled, s.accounts, s.messages, s.bytes, m.max_messages, m.max_bytes, t.created
from directory.tenant t left join mail.tenant m on m.tenant_id = t.id cross join lateral (
    select count(*) as accounts, coalesce(sum(a.messages), 0)::bigint as messages, coalesce(sum(a.bytes), 0)::bigint as bytes from mail.account a where a.tenant_id = t.id) s;

-- Accounts, what they have stored, and their limits (null: none). delivery: on, deferred (4xx), refused (5xx).
create view report.account as
select a.id as account_id, a.user_name, a.tenant_id, t.name as tenant, a.login, (array['on', 'deferred', 'refused'])[a.delivery + 1] as delivery, m.messages, m.bytes, m.max_messages, m.max_bytes,
    a.created, a.last_login, a.last_address
from directory.account a join directory.tenant t on t.id = a.tenant_id left join mail.account m on m.account_id = a.id;

-- Mailboxes with their counters. mailbox: the path with '/' between its segments, whatever delimiter clients see.
create view report.mailbox as
select m.account_id, m.id as mailbox_id, a.user_name, array_to_string(m.path, '/') as mailbox, m.path, m.special_use, m.uidvalidity, m.uidnext, m.highest_modseq, m.messages, m.unseen, m.deleted, m.bytes, m.created
from mail.mailbox m join directory.account a on a.id = m.account_id where m.deleted_at is null;

-- Messages with the flags that their account's user sees. IMAP's EMAILID is M and email_id, its THREADID T and thread_id (RFC 8474).
create view report.message as
select m.account_id, m.mailbox_id, a.user_name, array_to_string(b.path, '/') as mailbox, m.uid, f.modseq,
    array_remove(array[case when f.flags & 1 <> 0 then '\Seen' end, case when f.flags & 2 <> 0 then '\Answered' end, case when f.flags & 4 <> 0 then '\Flagged' end,
        case when f.flags & 8 <> 0 then '\Deleted' end, case when f.flags & 16 <> 0 then '\Draft' end], null) as flags,
    coalesce((select array_agg(k.name order by k.name) from mail.keyword k where k.account_id = m.account_id and k.mailbox_id = m.mailbox_id and k.id = any(f.keywords)), '{}') as keywords,
    m.size, m.internal_date, m.save_date, m.email_id, m.thread_id
from mail.message m join mail.message_flags f on f.account_id = m.account_id and f.mailbox_id = m.mailbox_id and f.uid = m.uid
join mail.mailbox b on b.account_id = m.account_id and b.id = m.mailbox_id and b.deleted_at is null join directory.account a on a.id = m.account_id;

-- Who changed what, for as long as the log reaches back (Maintenance:ExpungedDays). mailbox: its name now, or when it was deleted; null where that is not known any more.
create view report.change as
select c.account_id, c.mailbox_id, a.user_name, array_to_string(coalesce(b.path, g.path), '/') as mailbox, c.at,
    coalesce((array['added', 'flags', 'expunged', 'copied in', 'moved in', 'moved out'])[c.kind], case c.kind when 20 then 'rights' else 'kind ' || c.kind end) as what, c.uids, c.modseq, c.actor, c.session, c.address
from mail.change c join directory.account a on a.id = c.account_id left join mail.mailbox b on b.account_id = c.account_id and b.id = c.mailbox_id
left join mail.mailbox_gone g on g.account_id = c.account_id and g.mailbox_id = c.mailbox_id;

-- Expunged messages that can be restored (admin mailbox restore). mailbox: as in report.change.
create view report.expunged as
select x.account_id, x.mailbox_id, a.user_name, array_to_string(coalesce(b.path, g.path), '/') as mailbox, b.id is null as mailbox_deleted, x.uid, x.at, e.size, e.internal_date, x.email_id
from mail.expunged x join mail.email e on e.account_id = x.account_id and e.id = x.email_id join directory.account a on a.id = x.account_id
left join mail.mailbox b on b.account_id = x.account_id and b.id = x.mailbox_id and b.deleted_at is null
left join mail.mailbox_gone g on g.account_id = x.account_id and g.mailbox_id = x.mailbox_id;

-- Who is logged in, as of some seconds ago; mailbox: the one that is selected.
create view report.session as
select s.account_id, s.user_name, t.name as tenant, s.protocol, s.address, s.client, s.operator, s.node, s.since, array_to_string(b.path, '/') as mailbox, s.selected_at
from directory.session s join directory.front_end f on f.node = s.node and f.seen > now() - interval '20 seconds' join directory.tenant t on t.id = s.tenant_id
left join mail.mailbox b on b.account_id = s.mailbox_account_id and b.id = s.mailbox_id;
