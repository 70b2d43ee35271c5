using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>TLS as openssl's own client sees it.</summary>
public sealed class OpensslTests(MailServer server)
{
    // OpenSSL itself refuses versions before 1.2 unless its security level is lowered.
    private static readonly string[] Old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];

    private const string Commands = "a CAPABILITY\r\nb LOGOUT\r\n";

    [Theory]
    [InlineData("-tls1_2", "TLSv1.2")]
    [InlineData("-tls1_3", "TLSv1.3")]
    public async Task Starttls_and_tls_from_the_first_byte(string option, string version)
    {
        await server.AccountAsync();
        foreach (string[] door in new[] { (string[])["-connect", server.Imap.ToString(), "-starttls", "imap"], ["-connect", server.Imaps.ToString()] })
        {
            string output = await Program.SucceedAsync("openssl", ["s_client", .. door, option, "-brief", "-ign_eof"], Commands);
            Assert.Contains("Protocol version: " + version, output);
            // What was told before TLS is told anew, without STARTTLS.
            Assert.Contains("* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN\r\na OK CAPABILITY completed\r\n", output);
            Assert.Contains("* BYE Logging out\r\nb OK LOGOUT completed\r\n", output);
        }
    }

    [Fact]
    public async Task Older_versions_are_refused()
    {
        await server.AccountAsync();
        foreach (string[] door in new[] { (string[])["-connect", server.Imap.ToString(), "-starttls", "imap"], ["-connect", server.Imaps.ToString()] })
        {
            (int code, string output) = await Program.RunAsync("openssl", ["s_client", .. door, .. Old, "-brief", "-ign_eof"], Commands);
            Assert.NotEqual(0, code);
            Assert.Contains("alert protocol version", output);
            Assert.DoesNotContain("CAPABILITY completed", output);
        }
        // The doors are as open as before.
        await using ImapClient c = await ImapClient.ConnectAsync(server.Imap);
        await c.Run("a NOOP");
    }

    [Fact]
    public async Task LMTP_speaks_tls()
    {
        await server.AccountAsync();
        string output = await Program.SucceedAsync("openssl", ["s_client", "-connect", server.Lmtp.ToString(), "-starttls", "lmtp", "-brief", "-ign_eof"], "NOOP\r\nQUIT\r\n");
        Assert.Contains("250 2.0.0 ", output);
        Assert.Contains("221 2.0.0 Bye", output);
    }
}
