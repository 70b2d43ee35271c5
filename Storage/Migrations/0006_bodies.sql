-- Storing bodies. Each function is one autocommit statement, and none of them waits for the disk: the commit that makes a message refer to a body
-- comes later in the log, and flushing (or waiting for the standby) up to it covers all that is earlier. A crash in between takes a body that nothing refers to.

-- Stores a body of one chunk with its content and its claims 0 to p_claims - 1.
create function mail.stage_body_v1(p_id bigint, p_tenant bigint, p_size bigint, p_crc32c integer, p_claims integer, p_data bytea, p_content bytea) returns void
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into mail.body (id, tenant_id, size, crc32c) values (p_id, p_tenant, p_size, p_crc32c);
    insert into mail.body_chunk (body_id, no, data) values (p_id, 0, p_data);
    insert into mail.content (body_id, data) values (p_id, p_content);
    insert into mail.body_staged (body_id, claim) select p_id, c from generate_series(0, p_claims - 1) c;
end $$;

-- Stores a chunk of a body that is still arriving. The first one leaves claim -1, by which the collector finds uploads that never ended.
create function mail.stage_chunk_v1(p_id bigint, p_no integer, p_data bytea) returns void
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    if p_no = 0 then
        insert into mail.body_staged (body_id, claim) values (p_id, -1);
    end if;
    insert into mail.body_chunk (body_id, no, data) values (p_id, p_no, p_data);
end $$;

-- Ends an upload: its last chunk, body, content and claims. False: it took so long that the collector has taken its chunks away.
create function mail.stage_end_v1(p_id bigint, p_tenant bigint, p_size bigint, p_crc32c integer, p_claims integer, p_no integer, p_data bytea, p_content bytea)
returns boolean
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    delete from mail.body_staged s where s.body_id = p_id and s.claim = -1;
    if not found then
        return false;
    end if;
    insert into mail.body (id, tenant_id, size, crc32c) values (p_id, p_tenant, p_size, p_crc32c);
    insert into mail.body_chunk (body_id, no, data) values (p_id, p_no, p_data);
    insert into mail.content (body_id, data) values (p_id, p_content);
    insert into mail.body_staged (body_id, claim) select p_id, c from generate_series(0, p_claims - 1) c;
    return true;
end $$;

-- Gives up all claims that are left of a body, and removes it where no email refers to it; true when it is gone.
-- Only a claim makes an email refer to a body. The first statement waits for commits that are taking one, the next sees what they did.
create function mail.discard_body_v1(p_id bigint) returns boolean
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    delete from mail.body_staged s where s.body_id = p_id;
    if exists (select 1 from mail.email e where e.body_id = p_id) then
        return false;
    end if;
    delete from mail.body b where b.id = p_id;
    delete from mail.body_chunk c where c.body_id = p_id;
    delete from mail.content c where c.body_id = p_id;
    return true;
end $$;
