-- Annotations of messages that belong to nothing any more are looked for page by page.

-- Looks at some p_limit annotations of messages, from a mailbox and behind a UID of it on, in the order of the key, and takes away those whose mailbox, message or reader is gone: what nodes that know of no
-- annotations have expunged or moved away, what readers left that are gone, and all of a mailbox that was deleted. Where to go on (no account: that was the last), how many were looked at, each look at a mailbox
-- counted as one more, and how many were removed. Ends early where some were: it holds the lock of one mailbox at most.
create function mail.sweep_message_annotations_v2(p_account bigint, p_mailbox bigint, p_uid bigint, p_limit integer)
returns table (account_id bigint, mailbox_id bigint, uid bigint, looked integer, removed integer)
language plpgsql volatile set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    r record;
    v_account bigint := p_account;
    v_mailbox bigint := p_mailbox;
    v_uid bigint := p_uid;
    v_last bigint;
    v_found bigint;
    v_gone tid[];
    v_looked integer := 0;
    v_removed integer := 0;
begin
    while v_looked < p_limit and v_removed = 0 loop
        select u.account_id, u.mailbox_id, exists (select from mail.mailbox m where m.account_id = u.account_id and m.id = u.mailbox_id and m.deleted_at is null) as lives into r
        from mail.annotation_usage u where (u.account_id, u.mailbox_id) >= (v_account, v_mailbox) order by u.account_id, u.mailbox_id limit 1;
        if not found then
            return query select null::bigint, null::bigint, null::bigint, v_looked, v_removed;
            return;
        end if;
        if r.account_id <> v_account or r.mailbox_id <> v_mailbox then
            v_uid := 0;
        end if;
        v_account := r.account_id;
        v_mailbox := r.mailbox_id;
        if not r.lives then
            -- Nobody changes a mailbox that was deleted.
            delete from mail.message_annotation a where a.ctid = any (array(
                select x.ctid from mail.message_annotation x where x.account_id = r.account_id and x.mailbox_id = r.mailbox_id limit p_limit));
            get diagnostics v_removed = row_count;
            v_found := v_removed;
            if v_found < p_limit then
                delete from mail.annotation_usage u where u.account_id = r.account_id and u.mailbox_id = r.mailbox_id;
            end if;
        else
            select count(*), max(x.uid) into v_found, v_last from (
                select a.uid from mail.message_annotation a where a.account_id = r.account_id and a.mailbox_id = r.mailbox_id and a.uid > v_uid
                order by a.uid limit p_limit) x;
            -- Not by "not exists": a plan for that may read all messages that there are.
            v_gone := array(
                select a.ctid from mail.message_annotation a
                left join lateral (select m.uid from mail.message m where m.account_id = a.account_id and m.mailbox_id = a.mailbox_id and m.uid = a.uid offset 0) m on true
                left join lateral (select c.account_id from mail.account c where c.account_id = a.viewer_id offset 0) c on true
                where a.account_id = r.account_id and a.mailbox_id = r.mailbox_id and a.uid > v_uid and a.uid <= v_last and (m.uid is null or a.viewer_id <> 0 and c.account_id is null));
            if cardinality(v_gone) > 0 then
                perform 1 from mail.mailbox m where m.account_id = r.account_id and m.id = r.mailbox_id for no key update;
                -- Nothing is set any more of what is gone.
                with gone as (
                    delete from mail.message_annotation a where a.ctid = any (v_gone)
                    returning a.viewer_id, coalesce(octet_length(a.entry) + octet_length(a.value), 0) as bytes
                ), paid as (
                    update mail.annotation_usage u set bytes = u.bytes - x.bytes
                    from (select case g.viewer_id when 0 then r.account_id else g.viewer_id end as payer, sum(g.bytes) as bytes from gone g group by 1) x
                    where u.account_id = r.account_id and u.mailbox_id = r.mailbox_id and u.payer_id = x.payer
                )
                select count(*) into v_removed from gone;
            end if;
            v_uid := v_last;
        end if;
        v_looked := v_looked + v_found + 1;
        if v_found < p_limit then
            v_mailbox := v_mailbox + 1;
            v_uid := 0;
        end if;
    end loop;
    return query select v_account, v_mailbox, v_uid, v_looked, v_removed;
end $$;
