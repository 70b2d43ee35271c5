-- As stage_end_v1, and looks whether all chunks are there: PostgreSQL may have crashed since some of them were stored, and forgotten the last ones, because
-- nobody waited for the disk. False: chunks are missing, or the collector has taken them away; what is left is collected.
create function mail.stage_end_v2(p_id bigint, p_tenant bigint, p_size bigint, p_crc32c integer, p_claims integer, p_no integer, p_data bytea, p_content bytea)
returns boolean
language plpgsql volatile as $$
begin
    if (select count(*) from mail.body_chunk c where c.body_id = p_id) <> p_no then
        return false;
    end if;
    return mail.stage_end_v1(p_id, p_tenant, p_size, p_crc32c, p_claims, p_no, p_data, p_content);
end $$;
