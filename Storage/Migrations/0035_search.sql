-- Signatures of the text of emails, for SEARCH: a cache, which can be emptied at any time. A group is up to 512 emails of an account. bits has 64 bytes for each of
-- 2^n hash values: the emails that have a trigram with that hash. It stays uncompressed and out of line, so that a search reads only the slices of its trigrams.
create table mail.search_group (
    account_id  bigint not null,
    first_email bigint not null,
    -- Of the text and its hashes: groups of other formats are not read.
    format      integer not null,
    emails      bigint[] not null,
    bits        bytea not null,
    primary key (account_id, first_email, format)
) with (toast_tuple_target = 8160);
alter table mail.search_group alter column bits set storage external;

-- Looks at up to p_limit groups after (p_account, p_first) and removes those of an older format and those half of whose emails are gone: what is left of them is
-- indexed anew by the next search. account_id, first_email: the last one looked at; no row at the end.
create function mail.sweep_search_v1(p_account bigint, p_first bigint, p_format integer, p_limit integer)
returns table (account_id bigint, first_email bigint, removed integer)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    r record;
    v_removed integer := 0;
begin
    for r in
        select g.account_id, g.first_email, g.format, g.emails from mail.search_group g
        where (g.account_id, g.first_email) > (p_account, p_first) order by g.account_id, g.first_email limit p_limit
    loop
        account_id := r.account_id;
        first_email := r.first_email;
        if r.format < p_format or 2 * (
            select count(*) from unnest(r.emails) as x(id) join mail.email e on e.account_id = r.account_id and e.id = x.id) < cardinality(r.emails)
        then
            delete from mail.search_group g where g.account_id = r.account_id and g.first_email = r.first_email and g.format = r.format;
            v_removed := v_removed + 1;
        end if;
    end loop;
    if account_id is not null then
        removed := v_removed;
        return next;
    end if;
end $$;
