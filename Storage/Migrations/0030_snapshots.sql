-- Packed versions of large mailboxes, so that who becomes the owner of one need not read a row for each message. A cache: written after a load, never waited for, never believed
-- without being compared with the mailbox's row; what changed since is read from the rows that the log of changes names. Both tables may be emptied at any time; not logged, so that
-- PostgreSQL empties them after a crash.
create unlogged table mail.snapshot (
    account_id   bigint not null,
    mailbox_id   bigint not null,
    -- The version that the pages hold.
    modseq       bigint not null,
    -- Another one with each version: who adds to a version that was replaced meanwhile adds nothing.
    stamp        bigint not null,
    pages        integer not null,
    -- The combinations of keywords that the pages refer to by number, from 1; each with blanks between.
    keyword_sets text[] not null,
    primary key (account_id, mailbox_id)
) with (fillfactor = 50);

-- The pages of a version, from 0: some hundred messages each, in the order of their UIDs; the first byte tells the format, the last four are a checksum.
create unlogged table mail.snapshot_page (
    account_id bigint not null,
    mailbox_id bigint not null,
    no         integer not null,
    data       bytea not null,
    primary key (account_id, mailbox_id, no)
) with (toast_tuple_target = 8160);
-- Packed already.
alter table mail.snapshot_page alter column data set storage external;

-- Stores a version, or of one that stands there as p_based_on only the pages that differ. False: the caller is not the owner, or the version is another one.
create function mail.save_snapshot_v1(
    p_account bigint, p_mailbox bigint, p_epoch bigint, p_based_on bigint, p_modseq bigint, p_stamp bigint, p_pages integer, p_keyword_sets text[], p_no integer[], p_data bytea[])
returns boolean
language plpgsql volatile as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    -- Until the end of this, nobody takes the mailbox's row away; commits do not wait.
    perform 1 from mail.mailbox m where m.account_id = p_account and m.id = p_mailbox and m.epoch = p_epoch and m.deleted_at is null for key share;
    if not found then
        return false;
    end if;
    if p_based_on is null then
        insert into mail.snapshot as s (account_id, mailbox_id, modseq, stamp, pages, keyword_sets)
        values (p_account, p_mailbox, p_modseq, p_stamp, p_pages, p_keyword_sets)
        on conflict (account_id, mailbox_id) do update
            set modseq = excluded.modseq, stamp = excluded.stamp, pages = excluded.pages, keyword_sets = excluded.keyword_sets;
        delete from mail.snapshot_page p where p.account_id = p_account and p.mailbox_id = p_mailbox;
    else
        update mail.snapshot s set modseq = p_modseq, stamp = p_stamp, pages = p_pages, keyword_sets = p_keyword_sets
        where s.account_id = p_account and s.mailbox_id = p_mailbox and s.stamp = p_based_on;
        if not found then
            return false;
        end if;
        delete from mail.snapshot_page p where p.account_id = p_account and p.mailbox_id = p_mailbox and (p.no = any(p_no) or p.no >= p_pages);
    end if;
    insert into mail.snapshot_page (account_id, mailbox_id, no, data)
    select p_account, p_mailbox, x.no, x.data from unnest(p_no, p_data) x(no, data);
    return true;
end $$;

-- Pages go with their mailbox's row, whatever removes that.
create function mail.forget_snapshot() returns trigger
language plpgsql as $$
begin
    delete from mail.snapshot s where s.account_id = old.account_id and s.mailbox_id = old.id;
    delete from mail.snapshot_page p where p.account_id = old.account_id and p.mailbox_id = old.id;
    return null;
end $$;
create trigger forget_snapshot after delete on mail.mailbox for each row execute function mail.forget_snapshot();
