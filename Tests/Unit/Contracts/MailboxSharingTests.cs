using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Contracts;

/// <summary>Rights, and versions as those see them with whom a mailbox is shared.</summary>
public sealed class MailboxSharingTests
{
    private static readonly AccountId Bob = new(2), Carol = new(3);

    private static MailboxSnapshot Of(int count, SystemFlags flags = SystemFlags.None) => MailboxSnapshot.OfRows(1, 10, (uint)count + 1,
        Enumerable.Range(1, count).Select(i => new MessageRow((uint)i, new EmailId(i), 100, 0, 0, 0, new FlagList(flags, []), 1, 0)));

    private static MailboxSnapshot After(MailboxSnapshot before, Func<long, MailboxEffect> effect) =>
        before.Apply(new MailboxDelta(before.Epoch, before.ModSeq, before.ModSeq + 1, [effect(before.ModSeq + 1)]));

    private static UidSet Uids(params uint[] uids) => UidSet.FromUids(uids);

    private static UidSet SeenIn(MailboxSnapshot version) =>
        UidSet.FromUids(version.Messages().Where(static m => (m.SystemFlags & SystemFlags.Seen) != 0).Select(static m => m.Uid));

    [Fact]
    public void A_full_list_of_rights_can_still_be_changed()
    {
        var full = new MailboxAcl([.. Enumerable.Range(1, MailboxAcl.MaxEntries).Select(static i => new AclEntry(new AccountId(i), false, MailRights.Read))]);
        Assert.True(full.HasRoomFor(Bob, negative: false));
        Assert.False(full.HasRoomFor(Bob, negative: true));
        Assert.False(full.HasRoomFor(new AccountId(MailboxAcl.MaxEntries + 1), negative: false));
        Assert.True(full.With(Bob, false, StoreMode.Replace, MailRights.None).HasRoomFor(Bob, negative: true));
    }

    [Fact]
    public void What_a_viewer_stores_is_his_own_where_it_is_Seen_and_everybodys_where_it_is_not()
    {
        MailboxSnapshot version = After(Of(1200, SystemFlags.Seen), modSeq => new FlagsChanged(modSeq, Uids(1, 600), StoreMode.Add, new FlagList(SystemFlags.Seen | SystemFlags.Flagged, ["k"]), Bob));
        Assert.Equal(Uids(1, 600), SeenIn(version.For(Bob)));
        Assert.Equal(UidSet.Empty, SeenIn(version.For(Carol)));
        Assert.Equal(1200, SeenIn(version).Cardinality);
        Assert.All((MailboxSnapshot[])[version, version.For(Bob), version.For(Carol)], v => Assert.Equal(2, v.Messages().Count(static m => m.Has("k") && (m.SystemFlags & SystemFlags.Flagged) != 0)));
        Assert.Equal(1198, version.For(Bob).Totals.Unseen);
        Assert.Equal(11, version.For(Carol).Messages().First().ModSeq);
        // Of the view only what changed is another object.
        MailboxSnapshot next = After(version, modSeq => new FlagsChanged(modSeq, Uids(1), StoreMode.Remove, new FlagList(SystemFlags.Seen, []), Bob));
        Assert.NotSame(version.For(Bob).Chunks[0], next.For(Bob).Chunks[0]);
        Assert.Same(version.For(Bob).Chunks[1], next.For(Bob).Chunks[1]);
        Assert.Equal(Uids(1), SnapshotDiff.Between(version.For(Bob), next.For(Bob)).Changed);
        Assert.Equal(Uids(600), SeenIn(next.For(Bob)));
        // A replacement without \Seen takes his away, and the owner's stays.
        next = After(next, modSeq => new FlagsChanged(modSeq, Uids(600, 601), StoreMode.Replace, new FlagList(SystemFlags.Draft, []), Bob));
        Assert.Equal(UidSet.Empty, SeenIn(next.For(Bob)));
        Assert.Equal(1200, SeenIn(next).Cardinality);
        Assert.True(next.TryFind(600, out MessageRef replaced) && replaced.SystemFlags == (SystemFlags.Seen | SystemFlags.Draft) && replaced.Keywords.Count == 0);
    }

    [Fact]
    public void What_he_may_not_change_stays()
    {
        var mask = (MailRights.Seen | MailRights.DeleteMessages).Flags();
        MailboxSnapshot version = After(Of(2, SystemFlags.Flagged), modSeq => new FlagsChanged(modSeq, Uids(1), StoreMode.Replace, new FlagList(SystemFlags.Seen | SystemFlags.Deleted, []), Bob, mask));
        Assert.True(version.For(Bob).TryFind(1, out MessageRef message) && message.SystemFlags == (SystemFlags.Seen | SystemFlags.Deleted | SystemFlags.Flagged));
        version = After(version, modSeq => new MessagesAdded(modSeq, [new MessageRow(3, new EmailId(3), 1, 0, 0, 0, FlagList.None, modSeq, 0)], Carol, Uids(3)));
        Assert.Equal(Uids(3), SeenIn(version.For(Carol)));
        Assert.Equal(Uids(1), SeenIn(version.For(Bob)));
        version = After(version, modSeq => new MessagesExpunged(modSeq, Uids(3)));
        Assert.Equal((2, 2), ((int)version.For(Carol).Totals.Unseen, version.For(Carol).Count));
    }

    [Fact]
    public void Lines_add_up_and_negative_ones_take_away()
    {
        MailboxAcl acl = MailboxAcl.Empty.With(MailboxAcl.Anyone, false, StoreMode.Replace, MailRights.Lookup | MailRights.Read | MailRights.Seen)
            .With(Bob, false, StoreMode.Add, MailRights.Write).With(Bob, true, StoreMode.Replace, MailRights.Seen);
        Assert.Equal(MailRights.Lookup | MailRights.Read | MailRights.Write, acl.RightsOf(Bob));
        Assert.Equal(MailRights.Lookup | MailRights.Read | MailRights.Seen, acl.RightsOf(Carol));
        acl = acl.With(Bob, true, StoreMode.Remove, MailRights.All).With(MailboxAcl.Anyone, false, StoreMode.Replace, MailRights.None);
        Assert.Equal(new AclEntry(Bob, false, MailRights.Write), Assert.Single(acl.Entries));
        MailboxSnapshot version = After(Of(1), modSeq => new RightsChanged(modSeq, acl));
        Assert.Same(acl, version.For(Bob).Sharing.Acl);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("lrswida", "lrswitead")]
    [InlineData("lrswikda", "lrswikteacd")]
    [InlineData("naetxkpiwsrl", "lrswipkxteancd")]
    [InlineData("c", "kxc")]
    [InlineData("x", "xc")]
    [InlineData("e", "ed")]
    public void Letters(string written, string told) => Assert.Equal(told, MailRightsText.Parse(written)!.Value.ToLetters());

    [Theory]
    [InlineData("q")]
    [InlineData("L")]
    [InlineData("lr0")]
    [InlineData("+l")]
    public void No_letters(string written) => Assert.Null(MailRightsText.Parse(written));
}
