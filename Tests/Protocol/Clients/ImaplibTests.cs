using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>Python's imaplib: its script is beside this file.</summary>
public sealed class ImaplibTests(MailServer server)
{
    [Fact]
    public async Task A_session_of_every_kind_of_command()
    {
        string user = await server.AccountAsync();
        string script = Path.Combine(AppContext.BaseDirectory, "Clients", "imaplib_session.py");
        string output = await Program.SucceedAsync("python3", [script, server.Imap.Address.ToString(), server.Imap.Port.ToString(), user, MailServer.Password]);
        Assert.Equal("done\n", output);
    }
}
