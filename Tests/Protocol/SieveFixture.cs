using System.Net;
using System.Text;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>A node whose filters may send mail, to a relay that fails when it is told to.</summary>
public sealed class SieveFixture : IAsyncLifetime
{
    public SieveFixture() => Server = MailServer.With(("Sieve:Relay", $"127.0.0.1:{Relay.Port}"), ("Sieve:RetrySeconds", 1), ("Sieve:JunkSeconds", 1));

    public TestRelay Relay { get; } = new();

    public MailServer Server { get; }

    public ValueTask InitializeAsync() => Server.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Relay.DisposeAsync();
    }

    /// <summary>A ManageSieve connection of a user; the greeting was read.</summary>
    public async Task<ImapClient> ManageAsync(string user)
    {
        ImapClient sieve = await ImapClient.ConnectSilentlyAsync(Server.Sieve);
        await OkAsync(sieve);
        await SayAsync(sieve, $"AUTHENTICATE \"PLAIN\" \"{Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{MailServer.Password}"))}\"");
        return sieve;
    }

    /// <summary>Sends a command and waits for its OK; the lines before it.</summary>
    public static async Task<List<string>> SayAsync(ImapClient sieve, string command)
    {
        await sieve.SendRaw(command + "\r\n");
        return await OkAsync(sieve);
    }

    /// <summary>Uploads a script and makes it the active one.</summary>
    public async Task ActivateAsync(string user, string script)
    {
        await using ImapClient sieve = await ManageAsync(user);
        script = script.ReplaceLineEndings("\r\n");
        await SayAsync(sieve, $"PUTSCRIPT \"main\" {{{Encoding.UTF8.GetByteCount(script)}+}}\r\n{script}");
        await SayAsync(sieve, "SETACTIVE \"main\"");
        await SayAsync(sieve, "LOGOUT");
    }

    /// <summary>Delivers a message and expects the reply.</summary>
    public Task DeliverAsync(string recipient, string message, string reply = "250 2.1.5 …", string sender = "s@x.test") => Server.DeliverAsync(recipient, message, reply, sender);

    private static async Task<List<string>> OkAsync(ImapClient sieve)
    {
        var lines = new List<string>();
        for (string line = await sieve.Line(); ; line = await sieve.Line())
        {
            if (line == "OK" || line.StartsWith("OK "))
                return lines;
            if (line.StartsWith("NO") || line.StartsWith("BYE"))
                Assert.Fail(sieve.Transcript);
            lines.Add(line);
        }
    }
}
