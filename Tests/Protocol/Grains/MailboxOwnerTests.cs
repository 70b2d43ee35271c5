using MailCluster.Contracts;
using Xunit;
using static MailCluster.Tests.Protocol.Grains.MailSilo;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>The owner of a mailbox on a real silo and a real PostgreSQL.</summary>
public sealed class MailboxOwnerTests(MailSilo silo) : IClassFixture<MailSilo>
{
    private static readonly UidSet _all = UidSet.FromRanges([new UidRange(1, uint.MaxValue)]);

    [Fact]
    public async Task An_append_claims_the_mailbox_and_loads_nothing()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        AppendResult result = Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(2)));
        Assert.Equal("1:2", result.Uids.ToString());
        MailboxSelected selected = Ok(await silo.Owner(inbox).Select(readOnly: false));
        Assert.Equal((1L, 2L, 2L, 1u), (selected.Epoch, selected.Status.Messages, selected.Status.Unseen, selected.RecentFrom));
        Assert.Equal(3u, Ok(await silo.Owner(inbox).Select(readOnly: false)).RecentFrom);
        Assert.False(silo.Local.TryGet(inbox, out _));
    }

    /// <summary>No notice of what the tenants say reaches this silo: the rows are asked whenever an account of another tenant comes, and a list in memory that says otherwise is given up.</summary>
    [Fact]
    public async Task Another_tenants_account_goes_by_what_the_tenants_say_now()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        long[] ids = await silo.Ids.NextAsync(2);
        var eve = new AccountId(ids[0]);
        await silo.ExecuteAsync("select mail.provision_v1(array[$1], array[2::bigint], array[$2], '[{\"path\": [\"INBOX\"]}]', array[$3])", ids[0], $"eve{ids[0]}@b.test", ids[1]);
        await silo.ExecuteAsync("insert into mail.tenant (tenant_id) values (1), (2) on conflict do nothing");
        await silo.ExecuteAsync("insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights) values ($1, $2, 1, $3, false, $4)", inbox.Account.Value, inbox.Mailbox.Value, eve.Value, (int)(MailRights.Lookup | MailRights.Read));
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        Ok(await silo.Owner(inbox).Sync(0, 0, null));
        AppendRequest append = await silo.AppendOfAsync();
        append = append with { Actor = append.Actor with { Account = eve } };
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal(MailErrorCode.NonExistent, (await RefusedAsync(() => silo.Owner(inbox).SelectAs(true, eve))).Code);
            Assert.Equal(AclStanding.Suspended, await InMemoryAsync());
            await silo.ExecuteAsync("insert into mail.tenant_sharing (tenant_id, with_id) values (1, 2), (2, 1)");
            MailboxSelected selected = await UntilDoneAsync(() => silo.Owner(inbox).SelectAs(true, eve));
            // Not what "anyone" may, which is everything here.
            Assert.Equal((MailRights.Lookup | MailRights.Read, true), (selected.Rights, selected.Foreign));
            Assert.Equal(AclStanding.Sharing, await InMemoryAsync());
            Assert.Equal(MailErrorCode.NoPermission, (await RefusedAsync(() => silo.Owner(inbox).Append(append))).Code);
            await silo.ExecuteAsync("delete from mail.tenant_sharing where tenant_id = $1", (long)(1 + round));
            Assert.Equal(MailErrorCode.NonExistent, (await RefusedAsync(() => silo.Owner(inbox).Append(append))).Code);
            await silo.ExecuteAsync("delete from mail.tenant_sharing");
        }

        async Task<AclStanding> InMemoryAsync() =>
            (await UntilDoneAsync(() => silo.Owner(inbox).Sync(0, 0, null))).Sharing!.Acl.Entries.Single(e => e.Grantee == eve).Standing;
    }

    /// <summary>The front end did not hear what became of its calls, and the mailbox is deleted before it asks again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repetition_finds_what_was_done_to_a_mailbox_that_was_deleted_since(bool purged)
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(4)));
        Ok(await silo.Owner(inbox).Sync(0, 0, null));
        AppendRequest append = await silo.AppendOfAsync(2);
        (CopyRequest copy, CopyRequest move) = (silo.CopyOf(inbox, UidSet.Single(1), move: false), silo.CopyOf(inbox, UidSet.Single(2), move: true));
        ReplaceRequest replace = await silo.ReplaceOfAsync(inbox, 3);
        uint validity = Ok(await silo.Owner(work).Append(append)).UidValidity;
        Ok(await silo.Owner(work).CopyFrom(copy));
        Ok(await silo.Owner(work).CopyFrom(move));
        ReplaceResult replaced = Ok(await silo.Owner(work).Replace(replace));

        await silo.ExecuteAsync(purged ? "delete from mail.mailbox where account_id = $1 and id = $2" : "update mail.mailbox set deleted_at = now() where account_id = $1 and id = $2", work.Account.Value, work.Mailbox.Value);
        await silo.Owner(work).End(MailboxEnd.Deleted);
        validity = purged ? 0 : validity;
        AppendResult appended = await UntilDoneAsync(() => silo.Owner(work).Append(append));
        Assert.Equal((validity, "1:2", 2L), (appended.UidValidity, appended.Uids.ToString(), appended.ModSeq));
        CopyResult copied = await UntilDoneAsync(() => silo.Owner(work).CopyFrom(copy));
        Assert.Equal((validity, "1", "3", (long?)null), (copied.UidValidity, copied.SourceUids.ToString(), copied.Uids.ToString(), copied.SourceModSeq));
        CopyResult moved = await UntilDoneAsync(() => silo.Owner(work).CopyFrom(move));
        Assert.Equal((validity, "2", "4"), (moved.UidValidity, moved.SourceUids.ToString(), moved.Uids.ToString()));
        Assert.Equal(replaced with { UidValidity = validity }, await UntilDoneAsync(() => silo.Owner(work).Replace(replace)));
        await silo.MemoryIsRightAsync(inbox);

        // What nobody has done nobody will.
        AppendRequest late = await silo.AppendOfAsync();
        Assert.Equal((MailErrorCode.MailboxGone, true), await RefusedAsync(() => silo.Owner(work).Append(late)));
        CopyRequest lateMove = silo.CopyOf(inbox, UidSet.Single(4), move: true);
        Assert.Equal((MailErrorCode.MailboxGone, true), await RefusedAsync(() => silo.Owner(work).CopyFrom(lateMove)));
    }

    [Fact]
    public async Task A_repetition_finds_what_was_done_before_the_rights_for_it_were_withdrawn()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        (MailboxKey others, _) = await silo.AccountAsync();
        AppendRequest append = await silo.AppendOfAsync(), late = await silo.AppendOfAsync();
        Actor other = append.Actor with { Account = others.Account };
        Ok(await silo.Owner(inbox).Append(append with { Actor = other }));
        await silo.ExecuteAsync("update mail.acl set rights = $2 where account_id = $1", inbox.Account.Value, (int)MailRights.Lookup);
        await silo.Owner(inbox).End(MailboxEnd.OwnerChanged);
        Assert.Equal("1", (await UntilDoneAsync(() => silo.Owner(inbox).Append(append with { Actor = other }))).Uids.ToString());
        Assert.Equal((MailErrorCode.NoPermission, true), await RefusedAsync(() => silo.Owner(inbox).Append(late with { Actor = other })));
    }

    [Fact]
    public async Task A_move_is_repeated_after_its_source_was_deleted()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        Ok(await silo.Owner(work).Append(await silo.AppendOfAsync()));
        CopyRequest move = silo.CopyOf(work, UidSet.Single(1), move: true);
        Ok(await silo.Owner(inbox).CopyFrom(move));
        await silo.ExecuteAsync("delete from mail.mailbox where account_id = $1 and id = $2", work.Account.Value, work.Mailbox.Value);
        CopyResult again = Ok(await silo.Owner(inbox).CopyFrom(move));
        Assert.Equal(("1", "1"), (again.SourceUids.ToString(), again.Uids.ToString()));
    }

    /// <summary>Why a call is refused, when the owner that was ended is no more.</summary>
    private static async Task<(MailErrorCode Code, bool NotDone)> RefusedAsync<T>(Func<ValueTask<MailResult<T>>> call)
    {
        for (int attempt = 1; ; attempt++)
        {
            MailError error = (await call()).Error!;
            if (error.Code is not (MailErrorCode.StaleEpoch or MailErrorCode.Unavailable))
                return (error.Code, error.NotDone);
            Assert.True(attempt < 1000, $"{error} after {attempt} tries");
        }
    }

    [Fact]
    public async Task A_copy_is_made_page_by_page_and_follows_by_deltas()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        for (int i = 0; i < 3; i++)
            Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(400, SystemFlags.Seen, "Work")));
        MailboxSnapshot copy = await silo.CopyAsync(inbox, chunksPerPage: 1);
        Assert.Equal((1200, 3), (copy.Count, copy.Chunks.Count));

        SyncReply named = Ok(await silo.Owner(inbox).Sync(0, 0, null));
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(1, SystemFlags.Deleted, "work", "later")));
        Ok(await silo.Owner(inbox).Store(silo.StoreOf(UidSet.FromUids([1, 600]), StoreMode.Remove, SystemFlags.Seen, "WORK")));
        Ok(await silo.Owner(inbox).Expunge(silo.ExpungeOf()));
        // The version that was named can still be copied.
        Assert.Equal(512, Ok(await silo.Owner(inbox).GetChunks(named.Epoch, named.ModSeq, 1, 1)).Chunks[0].Count);
        Assert.Equal(MailErrorCode.StaleEpoch, (await silo.Owner(inbox).GetChunks(named.Epoch, named.ModSeq + 1, 0, 1)).Error?.Code);

        SyncReply reply = Ok(await silo.Owner(inbox).Sync(copy.Epoch, copy.ModSeq, null));
        Assert.Null(reply.Reload);
        Assert.Equal(3, reply.Deltas.Count);
        foreach (MailboxDelta delta in reply.Deltas)
            copy = copy.Apply(delta);
        Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? published));
        Assert.Equal(Texts(published), Texts(copy));
        Assert.Empty(Ok(await silo.Owner(inbox).Sync(copy.Epoch, copy.ModSeq, null)).Deltas);
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task A_move_is_published_at_both_ends_before_it_returns()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        (MailboxKey other, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(30, SystemFlags.Flagged, "Work")));
        foreach (MailboxKey mailbox in (MailboxKey[])[inbox, work, other])
            Ok(await silo.Owner(mailbox).Sync(0, 0, null));
        for (uint uid = 1; uid <= 20; uid++)
        {
            MailboxKey to = uid % 2 == 0 ? work : other;
            CopyResult moved = Ok(await silo.Owner(to).CopyFrom(silo.CopyOf(inbox, UidSet.Single(uid), move: true)));
            Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? source) && !source.TryFind(uid, out _));
            Assert.True(silo.Local.TryGet(to, out MailboxSnapshot? destination) && destination.TryFind(moved.Uids[0].First, out _));
        }
        // In all directions at once, also within one mailbox.
        MailboxKey[] all = [inbox, work, other];
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(() =>
        {
            CopyRequest request = silo.CopyOf(all[i % 3], UidSet.FromUids([(uint)(1 + i), (uint)(25 + (i % 7))]), move: true);
            return UntilDoneAsync(() => silo.Owner(all[i / 3 % 3]).CopyFrom(request));
        })));
        foreach (MailboxKey mailbox in all)
            await silo.MemoryIsRightAsync(mailbox);
        Assert.Equal(30L, await silo.ScalarAsync<long>("select count(*) from mail.message where account_id = any($1)", new[] { inbox.Account.Value, other.Account.Value }));
    }

    [Fact]
    public async Task A_move_is_seen_at_once_where_calls_do_not_reach_the_owner_of_its_source()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        (MailboxKey other, _) = await silo.AccountAsync();
        Ok(await silo.Owner(other).Append(await silo.AppendOfAsync()));
        SyncReply known = Ok(await silo.Owner(other).Sync(0, 0, null));
        // The owner of INBOX lives on this silo, and doors read what it has published; but the directory of grains has forgotten it, so that calls begin another activation.
        long epoch = (await silo.Store.ClaimAsync(inbox, (await silo.Store.OwnerAsync(other))!))!.Epoch;
        await silo.MoveAsync(other, known.Epoch, inbox, epoch, UidSet.Single(1));
        silo.Local.Publish(inbox, (await silo.Store.LoadAsync(inbox, epoch))!.Value.Snapshot);
        Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? published) && published.TryFind(1, out _));

        Assert.Equal(UidSet.Single(1), Ok(await silo.Owner(work).CopyFrom(silo.CopyOf(inbox, UidSet.Single(1), move: true))).SourceUids);
        Assert.False(silo.Local.TryGet(inbox, out published) && published.TryFind(1, out _));
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task A_replacement_is_published_at_both_ends_before_it_returns()
    {
        (MailboxKey drafts, MailboxKey sent) = await silo.AccountAsync();
        (MailboxKey other, _) = await silo.AccountAsync();
        Ok(await silo.Owner(drafts).Append(await silo.AppendOfAsync(30, SystemFlags.Draft)));
        MailboxKey[] all = [drafts, sent, other];
        foreach (MailboxKey mailbox in all)
            Ok(await silo.Owner(mailbox).Sync(0, 0, null));
        for (uint uid = 1; uid <= 21; uid++)
        {
            MailboxKey to = all[uid % 3];
            ReplaceRequest request = await silo.ReplaceOfAsync(drafts, uid, SystemFlags.Seen);
            ReplaceResult replaced = Ok(await silo.Owner(to).Replace(request));
            Assert.True(silo.Local.TryGet(drafts, out MailboxSnapshot? source) && !source.TryFind(uid, out _) && source.ModSeq >= replaced.SourceModSeq);
            Assert.True(silo.Local.TryGet(to, out MailboxSnapshot? destination) && destination.TryFind(replaced.Uid, out MessageRef added) && added.ModSeq == replaced.ModSeq);
            Assert.Equal(replaced, Ok(await silo.Owner(to).Replace(request)));
        }
        Assert.Equal(MailErrorCode.MessageGone, (await silo.Owner(sent).Replace(await silo.ReplaceOfAsync(drafts, 1))).Error?.Code);
        // Each of these is wanted by several at once, in all directions: one of them gets it.
        bool[] done = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            ReplaceRequest request = await silo.ReplaceOfAsync(drafts, (uint)(22 + (i % 12)));
            MailResult<ReplaceResult> result;
            do
                result = await silo.Owner(all[i % 3]).Replace(request);
            while (result.Error?.Code is MailErrorCode.Unavailable or MailErrorCode.StaleEpoch);
            Assert.True(result.IsOk || result.Error.Code == MailErrorCode.MessageGone);
            return result.IsOk;
        })));
        Assert.Equal(12, done.Count(static d => d));
        foreach (MailboxKey mailbox in all)
            await silo.MemoryIsRightAsync(mailbox);
        Assert.Equal(30L, await silo.ScalarAsync<long>("select count(*) from mail.message where account_id = any($1)", new[] { drafts.Account.Value, other.Account.Value }));
    }

    [Fact]
    public async Task What_is_removed_whatever_its_flags_is_published_and_a_retry_finds_it()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(6)));
        RemoveRequest remove = silo.RemoveOf(UidSet.FromUids([2, 3, 5, 8]));
        ExpungeResult removed = Ok(await silo.Owner(inbox).Remove(remove));
        Assert.Equal("2:3,5", removed.Uids.ToString());
        Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? now));
        Assert.Equal([1u, 4u, 6u], now.Messages().Select(static m => m.Uid));
        await silo.Owner(inbox).End(MailboxEnd.UidValidityChanged);
        Assert.Equal(removed, await UntilDoneAsync(() => silo.Owner(inbox).Remove(remove)));
        Assert.Equal(removed.Uids, Ok(await silo.Owner(inbox).Vanished(1)));
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task A_retry_finds_its_own_whether_the_first_try_is_under_way_or_its_owner_is_gone()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        AppendRequest append = await silo.AppendOfAsync(2);
        AppendResult[] results = [.. (await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => silo.Owner(inbox).Append(append).AsTask()))).Select(Ok)];
        Assert.All(results, r => Assert.Equal(results[0], r));
        CopyRequest move = silo.CopyOf(inbox, _all, move: true);
        CopyResult moved = Ok(await silo.Owner(work).CopyFrom(move));
        foreach (MailboxKey mailbox in (MailboxKey[])[inbox, work])
            await silo.Owner(mailbox).End(MailboxEnd.UidValidityChanged);
        AppendResult again = await UntilDoneAsync(() => silo.Owner(inbox).Append(append));
        Assert.Equal((results[0].Uids, results[0].ModSeq), (again.Uids, again.ModSeq));
        Assert.Equal(moved, await UntilDoneAsync(() => silo.Owner(work).CopyFrom(move)));
        Assert.Equal(0, (await silo.CopyAsync(inbox)).Count);
        Assert.Equal(2, (await silo.CopyAsync(work)).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retry_of_a_conditional_store_is_told_again_what_was_kept_back(bool ownerIsGone)
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(4)));
        StoreResult first = Ok(await silo.Owner(inbox).Store(silo.StoreOf(UidSet.FromUids([2, 3]), StoreMode.Add, SystemFlags.Flagged)));
        StoreRequest store = silo.StoreOf(UidSet.FromUids([1, 2, 9]), StoreMode.Replace, SystemFlags.Seen) with { UnchangedSince = first.ModSeq - 1 };
        StoreResult told = Ok(await silo.Owner(inbox).Store(store));
        Assert.Equal(("1", "2"), (told.Changed.ToString(), told.Modified.ToString()));
        if (ownerIsGone)
            await silo.Owner(inbox).End(MailboxEnd.UidValidityChanged);
        StoreResult again = await UntilDoneAsync(() => silo.Owner(inbox).Store(store));
        Assert.Equal(told, again);
        // One that changed nothing at all.
        StoreRequest none = silo.StoreOf(UidSet.Single(3), StoreMode.Replace, SystemFlags.Seen) with { UnchangedSince = first.ModSeq - 1 };
        for (int i = 0; i < 2; i++)
            Assert.Equal("3", (await UntilDoneAsync(() => silo.Owner(inbox).Store(none))).Modified.ToString());
    }

    [Fact]
    public async Task An_owner_that_another_has_taken_over_from_refuses_and_the_next_one_has_everything()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        MailboxSnapshot before = await silo.CopyAsync(inbox);
        long claimed = (await silo.Store.ClaimAsync(inbox, "127.0.0.1:1@1"))!.Epoch;
        Assert.True(claimed > before.Epoch);
        AppendRequest append = await silo.AppendOfAsync();
        Assert.Equal(MailErrorCode.StaleEpoch, (await silo.Owner(inbox).Append(append)).Error?.Code);
        Assert.False(silo.Local.TryGet(inbox, out _));
        Assert.Equal("4", (await UntilDoneAsync(() => silo.Owner(inbox).Append(append))).Uids.ToString());
        MailboxSnapshot after = await silo.CopyAsync(inbox);
        Assert.True(after.Epoch > claimed);
        Assert.Equal(Texts(before), Texts(after).Take(3));

        // Again and again, while many callers work.
        int left = 12;
        Task[] callers = [.. Enumerable.Range(0, 12).Select(caller => Task.Run(async () =>
        {
            for (int i = 0; i < 5; i++)
            {
                AppendRequest request = await silo.AppendOfAsync(1, SystemFlags.None, $"k{caller}");
                uint uid = (await UntilDoneAsync(() => silo.Owner(inbox).Append(request))).Uids[0].First;
                StoreRequest store = silo.StoreOf(UidSet.Single(uid), StoreMode.Add, SystemFlags.Flagged);
                await UntilDoneAsync(() => silo.Owner(inbox).Store(store));
            }
            Interlocked.Decrement(ref left);
        }))];
        for (int i = 0; i < 8 && Volatile.Read(ref left) > 0; i++)
        {
            await silo.Store.ClaimAsync(inbox, "127.0.0.1:1@1");
            await UntilDoneAsync(() => silo.Owner(inbox).Sync(0, 0, null));
        }
        await Task.WhenAll(callers);
        await silo.MemoryIsRightAsync(inbox);
        MailboxSnapshot all = await silo.CopyAsync(inbox);
        Assert.Equal(64, all.Count);
        Assert.Equal(60, all.Messages().Count(static m => m.SystemFlags == SystemFlags.Flagged));
    }

    [Fact]
    public async Task A_deleted_mailbox_is_gone_for_all_who_have_it()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        Ok(await silo.Owner(work).Append(await silo.AppendOfAsync()));
        Ok(await silo.Owner(work).Sync(0, 0, null));
        Task<MailboxEnd> ended = EndOfAsync(work);
        OperationId operation = silo.NextOperation();
        Assert.Null((await silo.Owner(inbox.Account).Delete(operation, MailboxPath.Of("Work"))).Error);
        Assert.Equal(MailboxEnd.Deleted, await ended);
        Assert.Null((await silo.Owner(inbox.Account).Delete(operation, MailboxPath.Of("Work"))).Error);
        Assert.False(silo.Local.TryGet(work, out _));
        Assert.Equal(MailErrorCode.MailboxGone, (await silo.Owner(work).Sync(0, 0, null)).Error?.Code);
        Assert.Equal(MailErrorCode.MailboxGone, (await silo.Owner(work).Append(await silo.AppendOfAsync())).Error?.Code);
        Assert.Equal(MailErrorCode.NonExistent, (await silo.Owner(inbox).CopyFrom(silo.CopyOf(work, _all, move: true))).Error?.Code);
    }

    [Fact]
    public async Task PostgreSQL_ends_connections_in_mid_commit_and_nothing_is_lost_or_stored_twice()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        (MailboxKey other, _) = await silo.AccountAsync();
        int left = 12, ended = 0;
        Task[] callers = [.. Enumerable.Range(0, 12).Select(caller => Task.Run(async () =>
        {
            MailboxKey mine = caller % 2 == 0 ? inbox : other;
            for (int i = 0; i < 8; i++)
            {
                AppendRequest append = await silo.AppendOfAsync(1, SystemFlags.None, $"k{caller}");
                uint uid = (await UntilDoneAsync(() => silo.Owner(mine).Append(append))).Uids[0].First;
                StoreRequest store = silo.StoreOf(UidSet.Single(uid), StoreMode.Add, SystemFlags.Seen);
                Assert.Equal(UidSet.Single(uid), (await UntilDoneAsync(() => silo.Owner(mine).Store(store))).Changed);
                CopyRequest move = silo.CopyOf(mine, UidSet.Single(uid), move: true);
                Assert.Equal(UidSet.Single(uid), (await UntilDoneAsync(() => silo.Owner(work).CopyFrom(move))).SourceUids);
            }
            Interlocked.Decrement(ref left);
        }))];
        while (Volatile.Read(ref left) > 0 && ended < 8)
        {
            ended += (int)await silo.ScalarAsync<long>(
                """
                select count(pg_terminate_backend(a.pid)) from (
                    select pid from pg_stat_activity where datname = current_database() and application_name like 'silo % lane %' and query like '%mail.commit_%' and state = 'active' limit 1) a
                """);
        }
        await Task.WhenAll(callers);
        Assert.True(ended > 0);
        foreach (MailboxKey mailbox in (MailboxKey[])[inbox, work, other])
            await silo.MemoryIsRightAsync(mailbox);
        MailboxSnapshot all = await silo.CopyAsync(work);
        Assert.Equal(Enumerable.Range(1, 96).Select(static u => (uint)u), all.Messages().Select(static m => m.Uid));
        Assert.Equal(96, all.Messages().Select(static m => m.Email).Distinct().Count());
        Assert.Equal((0, 0), ((await silo.CopyAsync(inbox)).Count, (await silo.CopyAsync(other)).Count));
    }

    private Task<MailboxEnd> EndOfAsync(MailboxKey mailbox)
    {
        var ended = new TaskCompletionSource<MailboxEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.Local.Ended += (key, reason) =>
        {
            if (key == mailbox)
                ended.TrySetResult(reason);
        };
        return ended.Task;
    }
}
