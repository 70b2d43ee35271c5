using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>What an administrator does to accounts reaches their sessions at once.</summary>
public sealed class AdministrationTests(MailServer server)
{
    [Fact]
    public async Task A_new_password_ends_the_sessions_and_the_old_one_is_refused()
    {
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await c.Run("a SELECT INBOX");
        await c.Send("b IDLE");
        await c.Expect("+ …");

        Assert.True((await server.Accounts.SetVerifierAsync(user, ScramVerifier.Create("another"))).IsOk);

        await c.Expect("* BYE …");
        await c.Closed();
        await using ImapClient again = await ImapClient.ConnectAsync(server.Imap);
        await again.Send($"a LOGIN {user} \"{MailServer.Password}\"");
        await again.No("a", "[AUTHENTICATIONFAILED] …");
        await again.Send($"b LOGIN {user} another");
        await again.Ok("b");
    }

    [Fact]
    public async Task An_account_that_is_switched_off_or_deleted_has_no_sessions()
    {
        string off = await server.AccountAsync(), deleted = await server.AccountAsync(), other = await server.AccountAsync();
        await using ImapClient a = await ImapClient.LoggedInAsync(server.Imap, off, MailServer.Password);
        await using ImapClient b = await ImapClient.LoggedInAsync(server.Imap, deleted, MailServer.Password);
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, other, MailServer.Password);

        Assert.True((await server.Accounts.SetStateAsync(off, login: false, delivery: null)).IsOk);
        await a.Expect("* BYE …");
        Assert.True((await server.Accounts.DeleteAsync(deleted)).IsOk);
        await b.Expect("* BYE …");

        await c.Run("a NOOP");
        await using ImapClient again = await ImapClient.ConnectAsync(server.Imap);
        await again.Send($"a LOGIN {off} \"{MailServer.Password}\"", $"b LOGIN {deleted} \"{MailServer.Password}\"");
        await again.No("a", "[AUTHORIZATIONFAILED] …");
        await again.No("b", "[AUTHENTICATIONFAILED] …");
    }

    [Fact]
    public async Task Sessions_are_listed_and_one_can_be_ended()
    {
        string user = await server.AccountAsync();
        await using ImapClient one = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await using ImapClient two = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await one.Run("a SELECT INBOX");

        IReadOnlyList<ListedSession> listed = [];
        await Eventually.Async("both sessions are listed", async () => (listed = await ListAsync(user)).Count == 2);
        Assert.All(listed, s => Assert.Equal(("imap", "127.0.0.1"), (s.Protocol, s.Address)));
        AccountId account = listed[0].Account;
        await server.Events.KickAsync(account, null, new SessionFilter(SessionId: listed.MinBy(static s => s.Since)!.SessionId));

        await one.Expect("* BYE …");
        await two.Run("a NOOP");
        await Eventually.Async("one is left in the list", async () => (await ListAsync(user)).Count == 1);
    }

    private Task<IReadOnlyList<ListedSession>> ListAsync(string user) => server.SessionTable.ListAsync(user, null, null, null, "", "", 10);
}
