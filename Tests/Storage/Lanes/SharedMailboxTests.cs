using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Commits by accounts that share a mailbox: what the statement writes is what its effects make of the version in memory.</summary>
public sealed class SharedMailboxTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private readonly Random _random = new(11);

    [Fact]
    public async Task The_rows_are_what_the_effects_make_of_the_version_for_each_viewer()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test"), carol = await AccountAsync("carol@a.test");
        Owned mailbox = await MailboxAsync(alice);
        MailboxSnapshot version = await LoadAsync(mailbox);
        for (int round = 0; round < 150; round++)
        {
            AccountId? viewer = ((AccountId?[])[null, bob, carol])[_random.Next(3)];
            MailboxEffect? effect = _random.Next(8) switch
            {
                0 or 1 => await AppendAsync(mailbox, viewer),
                2 => await SetRightsAsync(mailbox, version, _random.Next(2) == 0 ? bob : MailboxAcl.Anyone),
                _ => await StoreAsync(mailbox, viewer, version),
            };
            if (effect is null)
                continue;
            version = version.Apply(new MailboxDelta(version.Epoch, version.ModSeq, effect.ModSeq, [effect]));
            if (round % 10 == 9)
                await AgreeAsync(mailbox, version, alice, bob, carol);
        }
        await AgreeAsync(mailbox, version, alice, bob, carol);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Copies_and_moves_take_along_what_who_makes_them_has_seen()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned shared = await MailboxAsync(alice), done = await MailboxAsync(alice, "Done"), own = await MailboxAsync(bob);
        BodyId body = await StageAsync(4);
        await DoneAsync(await AppendOfAsync(shared, Message(body, 0, flags: SystemFlags.Seen), Message(body, 1), Message(body, 2, flags: SystemFlags.Deleted, keywords: ["k"]), Message(body, 3)));
        await DoneAsync(Store(shared, bob, Uids(2, 3), StoreMode.Add, SystemFlags.Seen));

        // To his own: what he has seen is \Seen. The owner's is not asked about.
        CommitOutcome copied = await DoneAsync(Transfer(shared, Uids(1, 2, 3), own, move: false, viewer: null, sourceViewer: bob));
        Assert.Equal((SystemFlags[])[SystemFlags.None, SystemFlags.Seen, SystemFlags.Seen | SystemFlags.Deleted], copied.Added.Select(static a => a.Flags.System));
        // From there to where it is shared: his \Seen, nobody else's; what he may not set is left out.
        CommitOutcome back = await DoneAsync(Transfer(own, Uids(1, 2, 3), shared, move: true, viewer: bob, sourceViewer: null, mask: MailRights.Seen.Flags()));
        Assert.Equal((SystemFlags.None, 0), (back.Added[2].Flags.System, back.Added[2].Flags.Keywords.Count));
        Assert.Equal(Uids(6, 7), back.Modified);
        // Inside the owner's account both go along.
        CommitOutcome moved = await DoneAsync(Transfer(shared, Uids(1, 2, 3), done, move: true, viewer: bob, sourceViewer: bob));
        Assert.Equal(Uids(2, 3), moved.Modified);
        Assert.Equal((SystemFlags[])[SystemFlags.Seen, SystemFlags.None, SystemFlags.Deleted], moved.Added.Select(static a => a.Flags.System));
        MailboxSnapshot there = await LoadAsync(done), here = await LoadAsync(shared);
        Assert.Equal(Uids(2, 3), Seen(there.For(bob)));
        Assert.Equal(Uids(1), Seen(there));
        Assert.Equal(Uids(6, 7), Seen(here.For(bob)));
        Assert.Equal(UidSet.Empty, Seen(here));
        Assert.Equal(2L, await ScalarAsync<long>("select mail.unseen_v1($1, $2, $3, m.messages) from mail.mailbox m where m.account_id = $1 and m.id = $2", alice.Value, shared.Key.Mailbox.Value, bob.Value));
        await CountersAreRightAsync();
    }

    private async Task<MailboxEffect> AppendAsync(Owned mailbox, AccountId? viewer)
    {
        var flags = (SystemFlags)_random.Next(32);
        CommitOperation plain = await AppendOfAsync(mailbox, Message(await StageAsync(), flags: flags), Message(await StageAsync()));
        CommitOutcome outcome = await DoneAsync(new CommitOperation
        {
            Kind = plain.Kind, Mailbox = plain.Mailbox, Epoch = plain.Epoch, Tenant = plain.Tenant, Id = plain.Id, Actor = plain.Actor, Messages = plain.Messages, Emails = plain.Emails, Viewer = viewer,
        });
        uint first = outcome.Uids[0].First;
        MessageRow[] rows = [.. plain.Messages.Select((m, i) => new MessageRow((uint)(first + i), new EmailId(plain.Emails[i]), m.Size, m.InternalDate, m.ZoneMinutes, outcome.SaveDate,
            viewer is null ? m.Flags : m.Flags with { System = m.Flags.System & ~SystemFlags.Seen }, outcome.ModSeq, outcome.Threads[i]))];
        return new MessagesAdded(outcome.ModSeq, rows, viewer, viewer is not null && (flags & SystemFlags.Seen) != 0 ? UidSet.Single(first) : UidSet.Empty);
    }

    private async Task<MailboxEffect?> StoreAsync(Owned mailbox, AccountId? viewer, MailboxSnapshot version)
    {
        FlagMask mask = viewer is null ? FlagMask.All : ((MailRights)_random.Next(2048)).Flags();
        FlagList flags = mask.Of(new FlagList((SystemFlags)_random.Next(32), _random.Next(3) == 0 ? ["k" + _random.Next(3)] : []));
        UidSet uids = UidSet.FromRanges([new UidRange((uint)_random.Next(1, 40), (uint)_random.Next(40, 80))]);
        var mode = (StoreMode)_random.Next(3);
        CommitOutcome outcome = await DoneAsync(new CommitOperation
        {
            Kind = CommitKind.Store, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids, Mode = mode, Flags = flags,
            Viewer = viewer, Mask = mask, UnchangedSince = _random.Next(3) == 0 ? version.ModSeq - 2 : null,
        });
        return outcome.Uids.IsEmpty ? null : new FlagsChanged(outcome.ModSeq, outcome.Uids, mode, flags, viewer, mask);
    }

    private async Task<MailboxEffect> SetRightsAsync(Owned mailbox, MailboxSnapshot version, AccountId grantee)
    {
        (bool negative, StoreMode mode, MailRights rights) = (_random.Next(2) == 0, (StoreMode)_random.Next(3), (MailRights)_random.Next(2048));
        CommitOutcome outcome = await DoneAsync(new CommitOperation
        {
            Kind = CommitKind.SetRights, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone,
            Grantee = grantee, Negative = negative, Mode = mode, Rights = rights,
        });
        Assert.Equal(version.ModSeq + 1, outcome.ModSeq);
        return new RightsChanged(outcome.ModSeq, version.Sharing.Acl.With(grantee, negative, mode, rights));
    }

    private async Task AgreeAsync(Owned mailbox, MailboxSnapshot version, params AccountId[] viewers)
    {
        MailboxSnapshot rows = await LoadAsync(mailbox);
        Assert.Equal(version.ModSeq, rows.ModSeq);
        foreach (AccountId viewer in viewers)
        {
            (MailboxSnapshot expected, MailboxSnapshot actual) = viewer == mailbox.Key.Account ? (version, rows) : (version.For(viewer), rows.For(viewer));
            Assert.Equal(expected.Messages().Select(Text), actual.Messages().Select(Text));
            Assert.Equal(expected.Totals, actual.Totals);
            MailRights rights = viewer == mailbox.Key.Account ? MailRights.All : version.Sharing.Acl.RightsOf(viewer);
            Assert.Equal(rights, await Mailboxes.RightsAsync(mailbox.Key, viewer));
            Assert.Equal(expected.Totals.Unseen, (await Tree.FindRowAsync(mailbox.Key.Account, MailboxPath.Inbox, viewer: viewer == mailbox.Key.Account ? null : viewer))!.Info.Status!.Unseen);
        }
        Assert.Equal(version.Sharing.Acl.Entries.OrderBy(static e => e.ToString()), rows.Sharing.Acl.Entries.OrderBy(static e => e.ToString()));
    }

    private CommitOperation Store(Owned mailbox, AccountId viewer, UidSet uids, StoreMode mode, SystemFlags flags) => new()
    {
        Kind = CommitKind.Store, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids, Mode = mode,
        Flags = new FlagList(flags, []), Viewer = viewer,
    };

    private CommitOperation Transfer(Owned from, UidSet uids, Owned to, bool move, AccountId? viewer, AccountId? sourceViewer, FlagMask? mask = null) => new()
    {
        Kind = move ? CommitKind.Move : CommitKind.Copy, Mailbox = to.Key, Source = from.Key, Epoch = to.Epoch, Tenant = to.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids,
        Viewer = viewer, SourceViewer = sourceViewer, Mask = mask ?? FlagMask.All,
    };

    private static UidSet Seen(MailboxSnapshot version) => UidSet.FromUids(version.Messages().Where(static m => (m.SystemFlags & SystemFlags.Seen) != 0).Select(static m => m.Uid));

    private static string Text(MessageRef m) => $"{m.Uid} {m.SystemFlags} {string.Join(' ', m.Keywords.Order(StringComparer.Ordinal))} {m.ModSeq}";
}
