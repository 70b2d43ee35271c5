-- What others than its owner have seen in a mailbox (mail.seen_by) keeps the UIDs of messages that are gone, which nobody asks for again; in a mailbox where much comes and goes it would grow for ever.

-- Takes away what accounts that are gone had seen, up to p_limit of them, and then makes one set of UIDs shorter that has many more ranges than its mailbox has messages: UIDs between
-- two neighbours that were seen count as seen, too, for there is none of them. How many were taken away or made shorter. A mailbox that somebody is changing waits for the next time.
create function mail.sweep_seen_v1(p_limit integer) returns integer
language plpgsql volatile as $$
declare
    r record;
    n integer;
begin
    delete from mail.seen_by b where (b.account_id, b.mailbox_id, b.viewer_id) in (
        select x.account_id, x.mailbox_id, x.viewer_id from mail.seen_by x
        where not exists (select 1 from mail.account c where c.account_id = x.viewer_id) limit p_limit);
    get diagnostics n = row_count;
    -- Its size is known without reading it: a range takes some 20 octets, compressed a quarter of that.
    for r in
        select b.account_id, b.mailbox_id, b.viewer_id from mail.seen_by b
        join mail.mailbox m on m.account_id = b.account_id and m.id = b.mailbox_id and m.deleted_at is null
        where pg_column_size(b.uids) > 5 * (m.messages + 64) and (select count(*) from unnest(b.uids)) > m.messages + 64
    loop
        perform 1 from mail.mailbox m where m.account_id = r.account_id and m.id = r.mailbox_id for no key update skip locked;
        if found then
            update mail.seen_by b set uids = coalesce((
                select range_agg(int8range(g.first, g.last, '[]')) from (
                    select min(x.uid) as first, max(x.uid) as last from (
                        select m.uid, m.uid <@ s.uids as seen, row_number() over (order by m.uid) - row_number() over (partition by m.uid <@ s.uids order by m.uid) as run
                        from mail.seen_by s join mail.message m on m.account_id = s.account_id and m.mailbox_id = s.mailbox_id
                        where s.account_id = r.account_id and s.mailbox_id = r.mailbox_id and s.viewer_id = r.viewer_id) x
                    where x.seen group by x.run) g), '{}')
            where b.account_id = r.account_id and b.mailbox_id = r.mailbox_id and b.viewer_id = r.viewer_id;
            return n + 1;
        end if;
    end loop;
    return n;
end $$;
