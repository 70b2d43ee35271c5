using CsCheck;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

public sealed class MailboxViewTests
{
    [Fact]
    public void Ghosts_keep_their_numbers_until_they_may_be_told()
    {
        MailboxSnapshot five = Of(5);
        var view = new MailboxView(five);
        MailboxSnapshot now = Expunge(five, 2, 4);

        ViewChange held = view.Follow(now, tellExpunged: false);
        Assert.True(held.Expunged.IsEmpty);
        Assert.Equal("2,4", view.Ghosts.ToString());
        Assert.Equal("1:5", UidSet.FromUids(view.Messages.Messages().Select(m => m.Uid)).ToString());
        Assert.Equal("4", view.Resolve(SequenceSet.Parse("4"), uid: false, UidSet.Empty).ToString());

        ViewChange told = view.Follow(now, tellExpunged: true);
        Assert.Equal([2u, 3u], told.ExpungedNumbers());
        Assert.Equal("1,3,5", UidSet.FromUids(view.Messages.Messages().Select(m => m.Uid)).ToString());
    }

    [Fact]
    public void A_message_that_comes_back_among_those_that_are_known_moves_their_numbers()
    {
        MailboxSnapshot five = Of(5);
        var view = new MailboxView(Expunge(five, 3));
        Assert.True(view.Follow(five, tellExpunged: true).MovesNumbers);
        Assert.False(view.Follow(Add(five, 6), tellExpunged: true).MovesNumbers);
        Assert.False(new MailboxView(Expunge(five, 1, 2, 3, 4, 5)).Follow(five, tellExpunged: true).MovesNumbers);
    }

    [Fact]
    public void A_view_filled_after_SELECT_shows_what_SELECT_told()
    {
        MailboxSnapshot atSelect = Of(4);
        MailboxStatus told = StatusOf(atSelect);
        MailboxSnapshot now = Expunge(Flag(Add(Expunge(atSelect, 2), 5), 3), 1);

        MailboxView view = MailboxView.AsTold(told, now, UidSet.FromUids([1, 2]))!;
        Assert.Equal(4, view.Messages.Count);
        ViewChange change = view.Follow(now, tellExpunged: true);
        Assert.Equal([1u, 1u], change.ExpungedNumbers());
        Assert.Equal("5", change.Added.ToString());
        Assert.Equal("3", change.Changed.ToString());
    }

    [Fact]
    public void Counters_that_do_not_agree_with_the_rows_are_found_out() =>
        Assert.Null(MailboxView.AsTold(StatusOf(Of(4)), Expunge(Of(4), 2), UidSet.Empty));

    [Fact]
    public void Numbers_above_the_last_are_bad_and_UIDs_are_passed_over()
    {
        var view = new MailboxView(Expunge(Of(5), 3));
        Assert.Throws<ImapSyntaxException>(() => view.Resolve(SequenceSet.Parse("5"), uid: false, UidSet.Empty));
        Assert.Throws<ImapSyntaxException>(() => new MailboxView(Of(0)).Resolve(SequenceSet.Parse("*"), uid: false, UidSet.Empty));
        Assert.Equal("4:5", view.Resolve(SequenceSet.Parse("3:9"), uid: true, UidSet.Empty).ToString());
        Assert.Equal("5", view.Resolve(SequenceSet.Parse("9:*"), uid: true, UidSet.Empty).ToString());
        Assert.Equal("2,4", view.Resolve(SequenceSet.SavedResult, uid: false, UidSet.FromUids([2, 3, 4])).ToString());
        Assert.True(new MailboxView(Of(0)).Resolve(SequenceSet.Parse("1:*"), uid: true, UidSet.Empty).IsEmpty);
    }

    /// <summary>A client that only applies what it is told always has the same messages under the same numbers as the view.</summary>
    [Fact]
    public void What_is_told_keeps_a_naive_client_in_step() =>
        Gen.Select(Gen.Int[0, 3], Gen.UInt[1, 20], Gen.Bool).List[1, 40].Sample(steps =>
        {
            MailboxSnapshot now = Of(6);
            var view = new MailboxView(now);
            List<uint> client = [.. now.Messages().Select(m => m.Uid)];
            foreach ((int kind, uint pick, bool tell) in steps)
            {
                now = kind switch
                {
                    0 => Add(now, now.UidNext),
                    1 when now.Count > 0 => Expunge(now, now[(int)pick % now.Count].Uid),
                    2 when now.Count > 0 => Flag(now, now[(int)pick % now.Count].Uid),
                    _ => now,
                };
                ViewChange change = view.Follow(now, tell);
                foreach (uint number in change.ExpungedNumbers())
                    client.RemoveAt((int)number - 1);
                client.AddRange(change.Added.Uids());
                if (!client.SequenceEqual(view.Messages.Messages().Select(m => m.Uid)))
                    return false;
            }
            view.Follow(now, tellExpunged: true);
            return view.Ghosts.IsEmpty && view.Messages.Count == now.Count;
        });

    private static MailboxSnapshot Of(int count) =>
        MailboxSnapshot.OfRows(1, 10, (uint)count + 1, Enumerable.Range(1, count).Select(uid => Row((uint)uid, 10)));

    private static MessageRow Row(uint uid, long modSeq) => new(uid, new EmailId(uid), 100, 0, 0, 0, FlagList.None, modSeq, 0);

    private static MailboxSnapshot Add(MailboxSnapshot now, uint uid) => Apply(now, m => new MessagesAdded(m, [Row(uid, m)]));

    private static MailboxSnapshot Flag(MailboxSnapshot now, uint uid) =>
        Apply(now, m => new FlagsChanged(m, UidSet.Single(uid), StoreMode.Add, new FlagList(SystemFlags.Seen, [])));

    private static MailboxSnapshot Expunge(MailboxSnapshot now, params uint[] uids) => Apply(now, m => new MessagesExpunged(m, UidSet.FromUids(uids)));

    private static MailboxSnapshot Apply(MailboxSnapshot now, Func<long, MailboxEffect> effect) =>
        now.Apply(new MailboxDelta(now.Epoch, now.ModSeq, now.ModSeq + 1, [effect(now.ModSeq + 1)]));

    private static MailboxStatus StatusOf(MailboxSnapshot s) => new(new MailboxId(1), 1, s.UidNext, s.ModSeq, s.Count, 0, 0, 0, 0);
}
