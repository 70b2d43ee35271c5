-- Reports of spam and ham: what users move into and out of their Junk mailboxes is found in the log of changes, behind the commits, and told to the tenant's spam filter.

-- Where a tenant's reports go: the message is posted there. header: a line to send along, such as a password.
create table directory.junk_report (
    tenant_id bigint primary key,
    spam_url  text not null,
    ham_url   text not null,
    header    text,
    since     timestamptz not null default now()
);

-- How far the log of changes of a Junk mailbox was read.
create table mail.junk_watch (
    account_id bigint not null,
    mailbox_id bigint not null,
    modseq     bigint not null,
    primary key (account_id, mailbox_id)
) with (fillfactor = 80);

-- Reports that wait. What a user moves to and fro is told once each way.
create table mail.junk_waiting (
    account_id bigint not null,
    email_id   bigint not null,
    spam       boolean not null,
    tenant_id  bigint not null,
    created    timestamptz not null default now(),
    -- When the next attempt begins; while one is under way: when it is lost.
    due        timestamptz not null default now(),
    attempt    integer not null default 0,
    primary key (account_id, email_id, spam)
) with (fillfactor = 70);
-- Finds what is due.
create index junk_waiting_due on mail.junk_waiting (due);

-- Finds Junk mailboxes, account by account. Counters change nothing of it, so that their updates stay HOT.
create index mailbox_junk on mail.mailbox (account_id, id) where deleted_at is null and special_use @> '{\\Junk}';

-- Looks at up to p_limit Junk mailboxes after (p_account, p_mailbox) for what was moved in (spam) and out of them to a mailbox that is not Trash (ham) since the last time.
-- Of one tenant no more than p_most reports wait; what is beyond is left out. last_account, last_mailbox: the last one looked at; no row at the end. reports: new ones.
create function mail.junk_scan_v1(p_account bigint, p_mailbox bigint, p_limit integer, p_most integer)
returns table (last_account bigint, last_mailbox bigint, reports integer)
language plpgsql volatile as $$
declare
    r record;
    v_found integer := 0;
    v_count integer;
begin
    for r in
        select m.account_id, m.id, m.highest_modseq, a.tenant_id, t.tenant_id is not null as wanted, w.modseq,
            case when m.created > t.since then 0 else m.highest_modseq end as first_modseq
        from mail.mailbox m join mail.account a on a.account_id = m.account_id
        left join directory.junk_report t on t.tenant_id = a.tenant_id
        left join mail.junk_watch w on w.account_id = m.account_id and w.mailbox_id = m.id
        where m.deleted_at is null and m.special_use @> '{\\Junk}' and (m.account_id, m.id) > (p_account, p_mailbox)
        order by m.account_id, m.id limit p_limit
    loop
        last_account := r.account_id;
        last_mailbox := r.id;
        continue when not r.wanted or r.modseq >= r.highest_modseq;
        if r.modseq is null then
            insert into mail.junk_watch (account_id, mailbox_id, modseq) values (r.account_id, r.id, r.first_modseq) on conflict do nothing;
            continue when r.first_modseq > 0;
            r.modseq := 0;
        end if;
        if (select count(*) from (select 1 from mail.junk_waiting j where j.tenant_id = r.tenant_id limit p_most) x) < p_most then
            insert into mail.junk_waiting (account_id, email_id, spam, tenant_id)
            select r.account_id, x.email_id, x.spam, r.tenant_id from (
                -- By MOVE, or by COPY of a client that knows no better.
                select distinct y.email_id, true as spam
                from mail.change c join mail.message y on y.account_id = c.account_id and y.mailbox_id = c.mailbox_id and c.uids @> y.uid
                where c.account_id = r.account_id and c.mailbox_id = r.id and c.modseq > r.modseq and c.modseq <= r.highest_modseq and c.kind in (4, 5)
                union
                -- Where it is now tells whether it was taken for good mail. By MOVE: the other half of the same change says where that was.
                select distinct y.email_id, false
                from mail.change c join mail.change d on d.account_id = c.account_id and d.at = c.at and d.kind = 5 and d.incarnation = c.incarnation and d.counter = c.counter
                join mail.mailbox b on b.account_id = d.account_id and b.id = d.mailbox_id
                join mail.message y on y.account_id = d.account_id and y.mailbox_id = d.mailbox_id and d.uids @> y.uid
                where c.account_id = r.account_id and c.mailbox_id = r.id and c.modseq > r.modseq and c.modseq <= r.highest_modseq and c.kind = 6
                    and not b.special_use && '{\\Trash,\\Junk}' and b.deleted_at is null
                union
                -- By COPY and EXPUNGE.
                select distinct e.email_id, false
                from mail.change c join mail.expunged e on e.account_id = c.account_id and e.mailbox_id = c.mailbox_id and c.uids @> e.uid
                join mail.message y on y.account_id = e.account_id and y.email_id = e.email_id
                join mail.mailbox b on b.account_id = y.account_id and b.id = y.mailbox_id
                where c.account_id = r.account_id and c.mailbox_id = r.id and c.modseq > r.modseq and c.modseq <= r.highest_modseq and c.kind = 3
                    and not b.special_use && '{\\Trash,\\Junk}' and b.deleted_at is null
                limit 1000
            ) x
            on conflict do nothing;
            get diagnostics v_count = row_count;
            v_found := v_found + v_count;
        end if;
        update mail.junk_watch w set modseq = r.highest_modseq where w.account_id = r.account_id and w.mailbox_id = r.id and w.modseq < r.highest_modseq;
    end loop;
    if last_account is not null then
        reports := v_found;
        return next;
    end if;
end $$;

-- Takes up to p_limit reports that are due for p_lease, with where they go.
create function mail.junk_take_v1(p_limit integer, p_lease interval)
returns table (account_id bigint, email_id bigint, spam boolean, attempt integer, created timestamptz, url text, header text)
language plpgsql volatile as $$
#variable_conflict use_column
begin
    return query
    with chosen as (
        select j.account_id, j.email_id, j.spam from mail.junk_waiting j where j.due <= now() order by j.due limit p_limit for update skip locked
    )
    update mail.junk_waiting j set due = now() + p_lease, attempt = j.attempt + 1
    from chosen c
    where j.account_id = c.account_id and j.email_id = c.email_id and j.spam = c.spam
    returning j.account_id, j.email_id, j.spam, j.attempt, j.created,
        (select case when j.spam then t.spam_url else t.ham_url end from directory.junk_report t where t.tenant_id = j.tenant_id),
        (select t.header from directory.junk_report t where t.tenant_id = j.tenant_id);
end $$;
