-- Gives a mailbox the keywords that one operation is about to use, all together: keyword_ids looks for a free number name by name, and each time through all of them. Keywords that no message
-- has make room. False where there is none: then nothing was changed. An operation that is known needs none, nor does a mailbox that is gone.
create function mail.add_keywords_v1(p_account bigint, p_mailbox bigint, p_incarnation bigint, p_counter bigint, p_names text[], p_max integer) returns boolean
language plpgsql volatile as $$
declare
    v_missing text[];
    v_free smallint[];
begin
    -- As a commit does, before it reads.
    perform from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.deleted_at is null for no key update;
    if not found or exists (
            select 1 from mail.operation o where o.account_id = p_account and o.incarnation = p_incarnation and o.counter = p_counter
                and o.at > now() - interval '12 hours' and o.at < now() + interval '1 hour') then
        return true;
    end if;
    v_missing := array(
        select w.n from (
            select distinct on (lower(u.n collate "C")) u.n, u.i from unnest(p_names) with ordinality as u(n, i) order by lower(u.n collate "C"), u.i) w
        where not exists (
            select 1 from mail.keyword k where k.account_id = p_account and k.mailbox_id = p_mailbox and lower(k.name) = lower(w.n collate "C")));
    if (select count(*) from mail.keyword k where k.account_id = p_account and k.mailbox_id = p_mailbox) + cardinality(v_missing) > p_max then
        if cardinality(v_missing) + (
                select count(*) from mail.keyword k where k.account_id = p_account and k.mailbox_id = p_mailbox
                    and (lower(k.name) in (select lower(n collate "C") from unnest(p_names) n)
                        or k.id in (select unnest(f.keywords) from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox))) > p_max then
            return false;
        end if;
        delete from mail.keyword k where k.account_id = p_account and k.mailbox_id = p_mailbox
            and lower(k.name) not in (select lower(n collate "C") from unnest(p_names) n)
            and k.id not in (select unnest(f.keywords) from mail.message_flags f where f.account_id = p_account and f.mailbox_id = p_mailbox and f.keywords is not null);
    end if;
    v_free := array(
        select g::smallint from generate_series(1, p_max + 1) g except select k.id from mail.keyword k where k.account_id = p_account and k.mailbox_id = p_mailbox
        order by 1 limit cardinality(v_missing));
    insert into mail.keyword (account_id, mailbox_id, id, name) select p_account, p_mailbox, v_free[i], v_missing[i] from generate_subscripts(v_missing, 1) i;
    return true;
end $$;
