using System.Text;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

public sealed class LoginTests(MailServer server)
{
    [Fact]
    public async Task A_wrong_password_and_an_unknown_user_get_the_same_answer()
    {
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.ConnectAsync(server.Imap);
        await c.Send($"a LOGIN {user} wrong", $"b LOGIN nobody@test.example wrong");
        await c.Expect("a NO [AUTHENTICATIONFAILED] Authentication failed.", "b NO [AUTHENTICATIONFAILED] Authentication failed.");
        await c.Send($"c LOGIN {{{user.Length}}}");
        await c.Expect("+ OK");
        await c.Send($"{user} \"{MailServer.Password}\"");
        await c.Expect("c OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ …] Logged in");
    }

    [Fact]
    public async Task AUTHENTICATE_PLAIN_logs_in()
    {
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.ConnectAsync(server.Imap);
        await c.Send("a AUTHENTICATE PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{MailServer.Password}")));
        await c.Expect("a OK [CAPABILITY …] Logged in");
        await c.Send("b ID (\"name\" \"test\" \"version\" NIL)", "c LOGIN x y", "d NAMESPACE");
        await c.Expect("* ID (\"name\" \"MailCluster\"…)", "b OK …", "c BAD …", "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared Folders/\" \"/\"))", "d OK …");
    }

    [Fact]
    public async Task A_new_account_has_its_folders()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send("a LIST \"\" *");
        await c.Expect(
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"", "* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"", "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"",
            "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"", "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"", "* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"", "a OK …");
    }
}
