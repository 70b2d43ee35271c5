-- What each delivery asks. As plain statements with arrays these were planned anew each time, since PostgreSQL takes an array that it does not know for one of ten and a plan for all arrays for a
-- dearer one: three quarters of what they cost it.

-- The account and the aliases that addresses lead to; none for an address that nobody has.
create function directory.recipients_v1(p_addresses text[])
returns table (address text, account_id bigint, tenant_id bigint, targets text[])
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query select x.address, a.id, a.tenant_id, l.targets from unnest(p_addresses) as x(address)
    left join lateral (select a.id, a.tenant_id from directory.account a where a.user_name = x.address offset 0) a on true
    left join lateral (select l.targets from directory.alias l where l.address = x.address offset 0) l on true
    where a.id is not null or l.targets is not null;
end $$;

-- The filters of accounts that have any: name and hash of the active script, hashes of what its tenant runs before and after.
create function mail.filters_v1(p_accounts bigint[], p_tenants bigint[])
returns table (account_id bigint, name text, own uuid, before uuid, after uuid)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query select x.account, o.name, o.hash, b.hash, a.hash from unnest(p_accounts, p_tenants) as x(account, tenant)
    left join (mail.sieve s join mail.sieve_script o on o.account_id = s.account_id and o.name = s.active) on s.account_id = x.account
    left join directory.sieve_script b on b.tenant_id = x.tenant and b.name = 'before'
    left join directory.sieve_script a on a.tenant_id = x.tenant and a.name = 'after'
    where coalesce(o.hash, b.hash, a.hash) is not null;
end $$;
