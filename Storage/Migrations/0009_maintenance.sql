-- What the collector calls, in slices, while everything goes on. No function here takes a lock for long or reads a large table whole.

-- Bodies that were seen without email and claim; looked at again when no statement lives any more that could have known them.
create table mail.body_marked (
    body_id bigint primary key,
    at      timestamptz not null default now()
);
-- Finds those that have waited long enough.
create index body_marked_at on mail.body_marked (at);

-- Accounts that were deleted and whose threads still have to go.
create table mail.account_gone (
    account_id bigint primary key,
    at         timestamptz not null default now()
);

-- Makes the partitions of the tables that are split by day, and moves what arrived in a default partition for want of one. Returns the partitions made.
-- A partition is made apart and then attached: that waits for nobody who reads or writes the other partitions.
create function mail.ensure_partitions_v2(p_ahead integer) returns integer
language plpgsql volatile set timezone = 'UTC' set lock_timeout = '2s' as $$
declare
    t text;
    d date;
    v_name text;
    v_strays boolean;
    v_made integer := 0;
begin
    perform pg_advisory_xact_lock(hashtext('mail.ensure_partitions'));
    foreach t in array array['change', 'expunged', 'operation', 'delivery'] loop
        execute format('select exists (select 1 from mail.%I)', t || '_default') into v_strays;
        if v_strays then
            execute format('lock table mail.%I in access exclusive mode', t || '_default');
        end if;
        for d in execute format($q$
            select generate_series(current_date - 1, current_date + $1, interval '1 day')::date
            union select at::date from mail.%I order by 1 $q$, t || '_default') using p_ahead
        loop
            v_name := t || '_' || to_char(d, 'YYYYMMDD');
            continue when to_regclass('mail.' || v_name) is not null;
            execute format('create table mail.%I (like mail.%I including defaults)', v_name, t);
            if v_strays then
                execute format('with moved as (delete from mail.%I where at >= %L and at < %L returning *) insert into mail.%I select * from moved',
                    t || '_default', d::timestamptz, (d + 1)::timestamptz, v_name);
            end if;
            execute format('alter table mail.%I attach partition mail.%I for values from (%L) to (%L)', t, v_name, d::timestamptz, (d + 1)::timestamptz);
            v_made := v_made + 1;
        end loop;
    end loop;
    return v_made;
end $$;

-- The oldest daily partition of a table that ends before p_before; null for none.
create function mail.oldest_partition(p_table text, p_before date) returns text
language sql stable as $$
    select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = ('mail.' || p_table)::regclass and c.relname ~ '_\d{8}$' and to_date(right(c.relname, 8), 'YYYYMMDD') < p_before
    order by c.relname limit 1;
$$;

-- Drops the oldest partition of a table that ends before p_before; its name, null for none. Waits two seconds at most for those who use the table.
create function mail.drop_partition_v1(p_table text, p_before date) returns text
language plpgsql volatile set lock_timeout = '2s' as $$
declare
    v_name constant text := mail.oldest_partition(p_table, p_before);
begin
    if v_name is not null then
        execute format('drop table mail.%I', v_name);
    end if;
    return v_name;
end $$;

-- Raises the floors of mailboxes whose expunges stand in the oldest partition of the log that ends before p_before, up to p_limit mailboxes; how many there were.
-- When it returns 0, the partition can be dropped.
create function mail.raise_floors_v1(p_before date, p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_name constant text := mail.oldest_partition('change', p_before);
    v_count integer;
begin
    if v_name is null then
        return 0;
    end if;
    -- Locked in the lanes' order.
    execute format($q$
        with expunge as (
            select c.account_id, c.mailbox_id, max(c.modseq) as modseq from mail.%I c where c.kind in (3, 6) group by 1, 2
        ), lower as (
            select m.account_id, m.id, x.modseq from mail.mailbox m join expunge x on x.account_id = m.account_id and x.mailbox_id = m.id
            where m.vanished_floor < x.modseq order by m.account_id, m.id limit $1 for no key update of m
        )
        update mail.mailbox m set vanished_floor = greatest(m.vanished_floor, l.modseq) from lower l where m.account_id = l.account_id and m.id = l.id
        $q$, v_name) using p_limit;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- Removes emails of an account that no mailbox and no expunged message refers to, and marks their bodies where no other email has them.
create function mail.remove_emails(p_accounts bigint[], p_emails bigint[]) returns integer
language plpgsql volatile as $$
declare
    v_bodies bigint[];
begin
    with gone as (
        delete from mail.email e using unnest(p_accounts, p_emails) as x(account_id, id)
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

-- Forgets up to p_limit expunged messages of the oldest partition that ends before p_before, with their emails; how many there were.
-- When it returns 0, the partition is empty and can be dropped.
create function mail.expire_expunged_v1(p_before date, p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_name constant text := mail.oldest_partition('expunged', p_before);
    v_accounts bigint[];
    v_emails bigint[];
begin
    if v_name is null then
        return 0;
    end if;
    execute format($q$
        with slice as (delete from mail.%I where ctid = any(array(select ctid from mail.%I limit $1)) returning account_id, email_id)
        select array_agg(account_id), array_agg(email_id) from slice
        $q$, v_name, v_name) into v_accounts, v_emails using p_limit;
    perform mail.remove_emails(v_accounts, v_emails);
    return coalesce(array_length(v_emails, 1), 0);
end $$;

-- Looks at up to p_limit emails after (p_account, p_email) for those that nothing refers to, such as what a move to another account left, and removes them.
-- account_id, email_id: the last one looked at; no row at the end.
create function mail.sweep_emails_v1(p_account bigint, p_email bigint, p_limit integer)
returns table (account_id bigint, email_id bigint, removed integer)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    v_accounts bigint[];
    v_emails bigint[];
begin
    select array_agg(x.account_id order by x.account_id, x.id), array_agg(x.id order by x.account_id, x.id) into v_accounts, v_emails from (
        select e.account_id, e.id from mail.email e where (e.account_id, e.id) > (p_account, p_email) order by e.account_id, e.id limit p_limit) x;
    if v_emails is not null then
        return query select v_accounts[array_length(v_accounts, 1)], v_emails[array_length(v_emails, 1)], mail.remove_emails(v_accounts, v_emails);
    end if;
end $$;

-- Takes away up to p_limit claims that nobody came for, and uploads that never ended; marks their bodies. How many there were.
create function mail.expire_staged_v1(p_older interval, p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_bodies bigint[];
begin
    with expired as (
        select s.body_id, s.claim from mail.body_staged s where s.created < now() - p_older order by s.created limit p_limit for update skip locked
    ), gone as (
        delete from mail.body_staged s using expired x where s.body_id = x.body_id and s.claim = x.claim returning s.body_id
    )
    select array_agg(body_id) into v_bodies from gone;
    insert into mail.body_marked (body_id)
    select distinct b from unnest(v_bodies) b
    where not exists (select 1 from mail.email e where e.body_id = b) and not exists (select 1 from mail.body_staged s where s.body_id = b)
    on conflict do nothing;
    update mail.body b set state = 1 where b.id = any(v_bodies) and exists (select 1 from mail.body_marked m where m.body_id = b.id);
    return coalesce(array_length(v_bodies, 1), 0);
end $$;

-- Looks again at up to p_limit bodies that were marked p_wait ago: removes those that still nothing refers to, keeps the others. looked, removed: how many.
create function mail.collect_bodies_v1(p_wait interval, p_limit integer)
returns table (looked integer, removed integer)
language plpgsql volatile as $$
declare
    v_bodies bigint[];
    v_gone bigint[];
begin
    select array_agg(x.body_id) into v_bodies from (
        select m.body_id from mail.body_marked m where m.at <= now() - p_wait order by m.at limit p_limit for update skip locked) x;
    select array_agg(b) into v_gone from unnest(v_bodies) b
    where not exists (select 1 from mail.email e where e.body_id = b) and not exists (select 1 from mail.body_staged s where s.body_id = b);
    delete from mail.body b where b.id = any(v_gone);
    delete from mail.body_chunk c where c.body_id = any(v_gone);
    delete from mail.content c where c.body_id = any(v_gone);
    update mail.body b set state = 0 where b.id = any(v_bodies);
    delete from mail.body_marked m where m.body_id = any(v_bodies);
    return query select coalesce(array_length(v_bodies, 1), 0), coalesce(array_length(v_gone, 1), 0);
end $$;

-- Removes up to p_limit thread keys of a deleted account, and forgets the account when none are left; 0 when there is no deleted account.
create function mail.forget_accounts_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_account bigint;
    v_count integer;
begin
    select g.account_id into v_account from mail.account_gone g order by g.at limit 1 for update skip locked;
    if v_account is null then
        return 0;
    end if;
    delete from mail.thread t where t.account_id = v_account
        and t.key = any(array(select k.key from mail.thread k where k.account_id = v_account limit p_limit));
    get diagnostics v_count = row_count;
    if v_count < p_limit then
        delete from mail.account_gone g where g.account_id = v_account;
    end if;
    return v_count + 1;
end $$;
