using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>Mail for accounts that had no filters: their owners are asked to store it only where that is still so.</summary>
public sealed class UnfilteredDeliveryTests : IAsyncLifetime
{
    private static readonly AccountId Alice = new(1);

    private readonly FakeFilters _filters = new();
    private LmtpDoor _door = null!;

    public async ValueTask InitializeAsync()
    {
        _door = await LmtpDoor.OpenAsync(filters: _filters);
        _door.Alice.AddFolder(11, "Lists");
    }

    public ValueTask DisposeAsync() => _door.DisposeAsync();

    [Fact]
    public async Task A_filter_that_is_new_is_found_by_the_commit_and_asked_for_first_until_it_is_gone()
    {
        using LmtpClient client = await _door.GreetAsync();
        await DeliverAsync(client, "alice@demo.test");
        Assert.Equal((0, true), (_filters.Asked, Assert.Single(_door.Mailbox(10).Appends).Request.Unfiltered));
        _filters.Active[Alice] = "require \"fileinto\"; fileinto \"Lists\";";
        for (int i = 1; i <= 2; i++)
        {
            await DeliverAsync(client, "alice@demo.test");
            Assert.Equal((i, i, 1), (_filters.Asked, _door.Mailbox(11).Appends.Count, _door.Mailbox(10).Appends.Count));
        }
        _filters.Active.TryRemove(Alice, out _);
        // Asked once more, as is right for what had one; from then on the commit is.
        foreach (bool unfiltered in new[] { false, true })
        {
            await DeliverAsync(client, "alice@demo.test");
            Assert.Equal((3, unfiltered), (_filters.Asked, _door.Mailbox(10).Appends.Last().Request.Unfiltered));
        }
        Assert.Equal(3, _door.Mailbox(10).Appends.Count);
    }

    [Fact]
    public async Task Of_several_recipients_only_who_has_a_filter_is_asked_for()
    {
        using LmtpClient client = await _door.GreetAsync();
        await DeliverAsync(client, "alice@demo.test", "bob@demo.test");
        Assert.Equal((0, 0, 1), (_filters.Asked, Claim(10), Claim(20)));
        _filters.Active[Alice] = "require \"fileinto\"; fileinto \"Lists\";";
        await DeliverAsync(client, "bob@demo.test", "alice@demo.test");
        Assert.Equal((1, 0, 1), (_filters.Asked, Claim(20), Claim(11)));
        // Known by now: one question for all.
        await DeliverAsync(client, "bob@demo.test", "alice@demo.test");
        Assert.Equal((2, false, 1, 2), (_filters.Asked, _door.Mailbox(20).Appends.Last().Request.Unfiltered, _door.Mailbox(10).Appends.Count, _door.Mailbox(11).Appends.Count));

        int Claim(long mailbox) => _door.Mailbox(mailbox).Appends.Last().Request.Messages.Single().Claim;
    }

    [Fact]
    public async Task An_owner_that_does_not_look_for_filters_finds_no_body_and_they_are_asked_for()
    {
        // As one of the release before: its claims are not those that were made.
        _door.Mailbox(10).OnAppend = static r => r.Unfiltered ? new MailError(MailErrorCode.BodyGone, "") : new AppendResult(1, UidSet.Single(1), 2, false);
        using LmtpClient client = await _door.GreetAsync();
        await DeliverAsync(client, "alice@demo.test");
        Assert.Equal((1, 2, false), (_filters.Asked, _door.Mailbox(10).Appends.Count, _door.Mailbox(10).Appends.Last().Request.Unfiltered));
    }

    [Fact]
    public async Task Other_refusals_are_answered_as_ever()
    {
        _door.Mailbox(10).OnAppend = static _ => new MailError(MailErrorCode.OverQuota, "full");
        using LmtpClient client = await _door.GreetAsync();
        await DeliverAsync(client, "552 5.2.2 ", ["alice@demo.test"]);
        Assert.Equal((0, 1), (_filters.Asked, _door.Mailbox(10).Appends.Count));
    }

    private static Task DeliverAsync(LmtpClient client, params string[] recipients) => DeliverAsync(client, "250 2.1.5 ", recipients);

    private static async Task DeliverAsync(LmtpClient client, string reply, string[] recipients)
    {
        await client.SayAsync("MAIL FROM:<s@x.test>", "250 ");
        foreach (string recipient in recipients)
            await client.SayAsync($"RCPT TO:<{recipient}>", "250 ");
        await client.SayAsync("DATA", "354 ");
        await client.SendAsync("a\r\n.\r\n");
        foreach (string _ in recipients)
            await client.ExpectAsync(reply);
    }
}
