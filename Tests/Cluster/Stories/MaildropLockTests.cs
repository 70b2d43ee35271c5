using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>The lock of a maildrop, held through a front end that is killed.</summary>
[Collection(nameof(NodesCollection))]
public sealed class MaildropLockTests(MailNodes nodes)
{
    [Fact]
    public async Task The_lock_dies_with_its_front_end_and_holds_up_no_client_of_IMAP()
    {
        await nodes.WholeAsync();
        string user = await nodes.Accounts.AddAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, user, TestAccounts.Password);
        for (int i = 1; i <= 3; i++)
            await imap.Append("a", "INBOX", $"Subject: {i}\r\n\r\ntext\r\n");
        await imap.Run("s SELECT INBOX");
        ImapClient holder = await ImapClient.Pop3Async(nodes.FrontEnds[1].Pop3, user, TestAccounts.Password);
        await holder.Pop3("DELE 1", "+OK …");
        await holder.Pop3("DELE 3", "+OK …");
        await using (ImapClient refused = await ImapClient.ConnectPop3Async(nodes.FrontEnds[0].Pop3))
        {
            await refused.Pop3($"USER {user}", "+OK …");
            await refused.Pop3($"PASS {TestAccounts.Password}", "-ERR [IN-USE] …");
        }
        nodes.FrontEnds[1].Process!.Kill();
        await nodes.FrontEnds[1].Process!.WaitForExitAsync();
        await holder.DisposeAsync();
        // Whatever becomes of the lock: others log in by IMAP and change the mailbox.
        await using ImapClient other = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, user, TestAccounts.Password);
        await other.Run("s SELECT INBOX");
        await other.Run(@"f STORE 2 +FLAGS (\Deleted)");
        Assert.Contains("* 2 EXPUNGE", await other.Run("x EXPUNGE"));
        Assert.Contains("* 2 EXPUNGE", await imap.Run("n NOOP"));
        await imap.Append("b", "INBOX", "Subject: 4\r\n\r\ntext\r\n");
        await Eventually.Async("The lock outlives its front end", async () =>
        {
            await using ImapClient next = await ImapClient.ConnectPop3Async(nodes.FrontEnds[0].Pop3);
            await next.Pop3($"USER {user}", "+OK …");
            // What was marked there is still here: UPDATE was never begun.
            await next.Pop3($"PASS {TestAccounts.Password}", "+OK The maildrop has 3 messages …");
            await next.Pop3("QUIT", "+OK …");
            return true;
        });
    }
}
