-- Filters of mail (Sieve): scripts, what they remember, and mail that has to leave.

-- An account that has scripts: which one is active, and why it failed last. Locked by every change of the account's scripts.
create table mail.sieve (
    account_id bigint primary key,
    active     text,
    failure    text,
    failed_at  timestamptz
) with (fillfactor = 50);

-- The scripts of an account. hash: the first 16 octets of SHA-256 of the source.
create table mail.sieve_script (
    account_id bigint not null,
    name       text not null,
    hash       uuid not null,
    source     bytea not null,
    changed    timestamptz not null default now(),
    primary key (account_id, name)
);

-- The scripts of a tenant: "before" and "after" are run around those of its accounts, others are there to be included.
create table directory.sieve_script (
    tenant_id bigint not null,
    name      text not null,
    hash      uuid not null,
    source    bytea not null,
    changed   timestamptz not null default now(),
    primary key (tenant_id, name)
);

-- What filters of an account remember until its time is over. kind: 1 a message (duplicate), 2 a reply to a sender (vacation), 3 a delivery that has come to its end.
create table mail.sieve_memory (
    account_id bigint not null,
    kind       smallint not null,
    key        uuid not null,
    until      timestamptz not null,
    primary key (account_id, kind, key)
) with (fillfactor = 80);
-- Finds what can be forgotten.
create index sieve_memory_until on mail.sieve_memory (until);

-- How much mail left for an account in a day.
create table mail.outgoing_day (
    account_id bigint not null,
    day        date not null,
    count      integer not null,
    primary key (account_id, day)
) with (fillfactor = 50);

-- Mail that waits to leave. operation and ordinal name it: the delivery, and which of its messages. head is sent first, then the body from body_offset on.
-- kind: 1 redirect, 2 vacation, 3 reject, 4 notify, 5 report. required: the message would be lost with it.
create table mail.outbox (
    account_id  bigint not null,
    operation   uuid not null,
    ordinal     smallint not null,
    tenant_id   bigint not null,
    kind        smallint not null,
    sender      text not null,
    recipients  text[] not null,
    head        bytea not null,
    body_id     bigint,
    -- A claim of its own on the body, above all those of deliveries; it never expires.
    claim       integer,
    body_offset bigint not null default 0,
    body_size   bigint not null default 0,
    utf8        boolean not null,
    required    boolean not null,
    created     timestamptz not null default now(),
    -- When the next attempt begins; while one is under way: when it is lost.
    due         timestamptz not null default now(),
    attempt     integer not null default 0,
    taken_by    text,
    error       text,
    primary key (account_id, operation, ordinal)
) with (fillfactor = 70);
-- Finds what is due.
create index outbox_due on mail.outbox (due);

-- Numbers of claims on bodies that are made after staging: those of deliveries count from 0.
create sequence mail.late_claim as integer minvalue 1000000 cycle;

-- Makes or replaces a script. 0 done, 4 too many scripts, 5 too large together. p_dry: changes nothing.
create function mail.sieve_put_v1(p_account bigint, p_name text, p_hash uuid, p_source bytea, p_octets bigint, p_max_scripts integer, p_max_octets bigint, p_dry boolean)
returns smallint
language plpgsql volatile as $$
declare
    v_count bigint;
    v_octets bigint;
begin
    if not p_dry then
        insert into mail.sieve (account_id) values (p_account) on conflict do nothing;
        perform 1 from mail.sieve s where s.account_id = p_account for no key update;
    end if;
    select count(*), coalesce(sum(length(s.source)), 0) into v_count, v_octets from mail.sieve_script s where s.account_id = p_account and s.name <> p_name;
    if v_count >= p_max_scripts then
        return 4;
    elsif v_octets + p_octets > p_max_octets then
        return 5;
    elsif not p_dry then
        insert into mail.sieve_script (account_id, name, hash, source) values (p_account, p_name, p_hash, p_source)
        on conflict (account_id, name) do update set hash = excluded.hash, source = excluded.source, changed = now();
        -- What failed was another script.
        update mail.sieve s set failure = null, failed_at = null where s.account_id = p_account and s.active = p_name and s.failure is not null;
    end if;
    return 0;
end $$;

-- Makes a script the active one, or none (null). 0 done, 1 there is no such script.
create function mail.sieve_activate_v1(p_account bigint, p_name text) returns smallint
language plpgsql volatile as $$
begin
    insert into mail.sieve (account_id) values (p_account) on conflict do nothing;
    perform 1 from mail.sieve s where s.account_id = p_account for no key update;
    if p_name is not null and not exists (select 1 from mail.sieve_script s where s.account_id = p_account and s.name = p_name) then
        return 1;
    end if;
    update mail.sieve s set active = p_name, failure = null, failed_at = null where s.account_id = p_account and s.active is distinct from p_name;
    return 0;
end $$;

-- Deletes a script. 0 done, 1 there is none, 2 it is active.
create function mail.sieve_delete_v1(p_account bigint, p_name text) returns smallint
language plpgsql volatile as $$
begin
    perform 1 from mail.sieve s where s.account_id = p_account for no key update;
    if exists (select 1 from mail.sieve s where s.account_id = p_account and s.active = p_name) then
        return 2;
    end if;
    delete from mail.sieve_script s where s.account_id = p_account and s.name = p_name;
    return case when found then 0 else 1 end;
end $$;

-- Renames a script, which stays active where it is. 0 done, 1 there is none, 3 the name is taken.
create function mail.sieve_rename_v1(p_account bigint, p_from text, p_to text) returns smallint
language plpgsql volatile as $$
begin
    perform 1 from mail.sieve s where s.account_id = p_account for no key update;
    if not exists (select 1 from mail.sieve_script s where s.account_id = p_account and s.name = p_from) then
        return 1;
    elsif exists (select 1 from mail.sieve_script s where s.account_id = p_account and s.name = p_to) then
        return 3;
    end if;
    update mail.sieve_script s set name = p_to where s.account_id = p_account and s.name = p_from;
    update mail.sieve s set active = p_to where s.account_id = p_account and s.active = p_from;
    return 0;
end $$;

-- Makes further claims on a body, which something must keep while this runs; their numbers. Null: the body is gone.
create function mail.claim_body_v1(p_body bigint, p_count integer) returns integer[]
language sql volatile as $$
    with made as (
        insert into mail.body_staged (body_id, claim)
        select b.id, nextval('mail.late_claim') from mail.body b, generate_series(1, p_count) where b.id = p_body
        returning claim
    )
    select array_agg(claim) from made
$$;

-- As discard_body_v1, but what was claimed after staging keeps its body.
create function mail.discard_body_v2(p_id bigint) returns boolean
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    delete from mail.body_staged s where s.body_id = p_id and s.claim < 1000000;
    if exists (select 1 from mail.email e where e.body_id = p_id) or exists (select 1 from mail.body_staged s where s.body_id = p_id) then
        return false;
    end if;
    delete from mail.body b where b.id = p_id;
    delete from mail.body_chunk c where c.body_id = p_id;
    delete from mail.content c where c.body_id = p_id;
    return true;
end $$;

-- Ends a delivery: remembers, puts mail into the outbox, and notes that it was done, all or nothing. Arrays of equal length describe what to remember (r_) and mail (o_);
-- recipients are separated by line feeds; o_once is null, or what must not be remembered yet. 0 done, 1 done before, 2 required mail is above the day's limit, 3 a body is gone.
create function mail.filter_commit_v1(
    p_account bigint, p_tenant bigint, p_delivery uuid, p_most_a_day integer,
    r_kind smallint[], r_key uuid[], r_for interval[],
    o_ordinal smallint[], o_kind smallint[], o_sender text[], o_recipients text[], o_head bytea[], o_body bigint[], o_offset bigint[], o_size bigint[], o_utf8 boolean[],
    o_once_kind smallint[], o_once_key uuid[], o_once_for interval[], o_required boolean[])
returns smallint
language plpgsql volatile as $$
declare
    v_left integer;
    v_sent integer := 0;
    v_required integer;
    v_claim integer;
begin
    insert into mail.sieve_memory as m (account_id, kind, key, until) values (p_account, 3, p_delivery, now() + interval '2 days')
    on conflict (account_id, kind, key) do update set until = excluded.until where m.until <= now();
    if not found then
        return 1;
    end if;
    if cardinality(o_kind) > 0 then
        insert into mail.outgoing_day (account_id, day, count) values (p_account, current_date, 0) on conflict do nothing;
        select p_most_a_day - d.count into v_left from mail.outgoing_day d where d.account_id = p_account and d.day = current_date for no key update;
        select count(*) into v_required from unnest(o_required) r where r;
        if v_required > v_left then
            delete from mail.sieve_memory m where m.account_id = p_account and m.kind = 3 and m.key = p_delivery;
            return 2;
        end if;
        for i in 1..cardinality(o_kind) loop
            -- What is not required leaves room for what is.
            if not o_required[i] then
                continue when v_left - v_sent - v_required <= 0;
            else
                v_required := v_required - 1;
            end if;
            if o_once_key[i] is not null then
                insert into mail.sieve_memory as m (account_id, kind, key, until) values (p_account, o_once_kind[i], o_once_key[i], now() + o_once_for[i])
                on conflict (account_id, kind, key) do update set until = excluded.until where m.until <= now();
                continue when not found;
            end if;
            v_claim := null;
            if o_body[i] is not null then
                perform 1 from mail.body b where b.id = o_body[i];
                if not found then
                    raise exception 'body gone' using errcode = 'MC001';
                end if;
                v_claim := nextval('mail.late_claim');
                insert into mail.body_staged (body_id, claim, created) values (o_body[i], v_claim, 'infinity');
            end if;
            insert into mail.outbox (account_id, operation, ordinal, tenant_id, kind, sender, recipients, head, body_id, claim, body_offset, body_size, utf8, required)
            values (p_account, p_delivery, o_ordinal[i], p_tenant, o_kind[i], o_sender[i], string_to_array(o_recipients[i], E'\n'), o_head[i], o_body[i], v_claim,
                o_offset[i], o_size[i], o_utf8[i], o_required[i]);
            v_sent := v_sent + 1;
        end loop;
        update mail.outgoing_day d set count = d.count + v_sent where d.account_id = p_account and d.day = current_date;
    end if;
    insert into mail.sieve_memory as m (account_id, kind, key, until)
    select p_account, x.kind, x.key, now() + max(x.duration) from unnest(r_kind, r_key, r_for) as x(kind, key, duration) group by x.kind, x.key order by 2, 3
    on conflict (account_id, kind, key) do update set until = excluded.until;
    return 0;
exception
    when sqlstate 'MC001' then
        return 3;
end $$;

-- Takes up to p_limit messages that are due for p_lease, at most p_each of one account.
create function mail.outbox_take_v1(p_sender text, p_limit integer, p_each integer, p_lease interval)
returns setof mail.outbox
language plpgsql volatile as $$
begin
    return query
    with candidates as (
        select o.account_id, o.operation, o.ordinal, row_number() over (partition by o.account_id order by o.due, o.created) as n, o.due
        from (select * from mail.outbox x where x.due <= now() order by x.due limit p_limit * 20) o
    ), chosen as (
        select o.account_id, o.operation, o.ordinal from mail.outbox o join candidates c using (account_id, operation, ordinal)
        where c.n <= p_each and o.due <= now() order by c.due limit p_limit for update of o skip locked
    )
    update mail.outbox o set due = now() + p_lease, attempt = o.attempt + 1, taken_by = p_sender from chosen c
    where o.account_id = c.account_id and o.operation = c.operation and o.ordinal = c.ordinal returning o.*;
end $$;

-- A message was sent or given up; false: it is another sender's by now.
create function mail.outbox_end_v1(p_account bigint, p_operation uuid, p_ordinal smallint, p_attempt integer) returns boolean
language plpgsql volatile as $$
declare
    r record;
begin
    delete from mail.outbox o where o.account_id = p_account and o.operation = p_operation and o.ordinal = p_ordinal and o.attempt = p_attempt
    returning o.body_id, o.claim into r;
    if not found then
        return false;
    end if;
    if r.body_id is not null then
        -- None where a message has taken it.
        delete from mail.body_staged s where s.body_id = r.body_id and s.claim = r.claim;
        insert into mail.body_marked (body_id) select r.body_id
        where not exists (select 1 from mail.email e where e.body_id = r.body_id) and not exists (select 1 from mail.body_staged s where s.body_id = r.body_id)
        on conflict do nothing;
        update mail.body b set state = 1 where b.id = r.body_id and exists (select 1 from mail.body_marked m where m.body_id = b.id);
    end if;
    return true;
end $$;

-- Forgets up to p_limit rows whose time is over; how many.
create function mail.forget_filters_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    v_count integer;
begin
    delete from mail.sieve_memory m where m.ctid = any(array(select x.ctid from mail.sieve_memory x where x.until < now() limit p_limit for update skip locked));
    get diagnostics v_count = row_count;
    if v_count = 0 then
        delete from mail.outgoing_day d where d.ctid = any(array(select x.ctid from mail.outgoing_day x where x.day < current_date - 2 limit p_limit));
        get diagnostics v_count = row_count;
    end if;
    return v_count;
end $$;
