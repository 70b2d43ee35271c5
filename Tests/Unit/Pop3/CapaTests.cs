using System.Reflection;
using MailCluster.Pop3;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

/// <summary>What CAPA tells in each state, and that there is a test of each.</summary>
public sealed class CapaTests
{
    private static readonly (string Line, string Tests)[] LoggedIn =
    [
        ("TOP", nameof(TransactionTests)), ("UIDL", nameof(UidlTests)), ("PIPELINING", nameof(TransactionTests)), ("RESP-CODES", nameof(AuthorizationTests)),
        ("AUTH-RESP-CODE", nameof(AuthorizationTests)), ("USER", nameof(AuthorizationTests)), ("SASL SCRAM-SHA-256 PLAIN LOGIN", nameof(AuthorizationTests)), ("STLS", nameof(AuthorizationTests)),
        ("UTF8 USER", nameof(Utf8Tests)), ("LANG", nameof(Utf8Tests)), ("LOGIN-DELAY 900", nameof(AuthorizationTests)), ("EXPIRE NEVER", nameof(TransactionTests)),
        ("IMPLEMENTATION MailCluster-1.2.3", nameof(CapaTests)),
    ];

    [Fact]
    public async Task Nothing_is_told_that_no_test_covers()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true, pop3: new Pop3Options { LoginDelay = TimeSpan.FromMinutes(15), Version = "1.2.3" });
        await using ImapClient c = await mail.LogInByPop3Async();
        Assert.Equal(LoggedIn.Select(static l => l.Line), await c.Pop3Lines("CAPA"));
        HashSet<string> classes = [.. Assembly.GetExecutingAssembly().GetTypes().Where(static t => t.GetMethods().Any(static m => m.IsDefined(typeof(FactAttribute)))).Select(static t => t.Name)];
        Assert.All(LoggedIn, l => Assert.Contains(l.Tests, classes));
    }

    [Fact]
    public async Task No_version_before_a_log_in_and_no_STLS_under_TLS()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true, pop3: new Pop3Options { Version = "1.2.3" });
        await using ImapClient c = await mail.ConnectPop3Async();
        string[] before = ["TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "USER", "SASL SCRAM-SHA-256 PLAIN LOGIN", "STLS", "UTF8 USER", "LANG", "EXPIRE NEVER"];
        Assert.Equal(before, await c.Pop3Lines("CAPA"));
        await c.Pop3("STLS", "+OK Begin TLS negotiation");
        await c.StartTls();
        IEnumerable<string> under = before.Except(["STLS"]).Select(static l => l.StartsWith("SASL", StringComparison.Ordinal) ? "SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN" : l);
        Assert.Equal(under, await c.Pop3Lines("capa"));
    }

    [Fact]
    public async Task Without_TLS_no_password_is_asked_for_from_elsewhere()
    {
        // A trusted proxy says that the client is not on this machine.
        await using FakeMail mail = await FakeMail.StartAsync(tls: true, listener: static l => l with { ProxyProtocol = true, TrustedNetworks = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });
        await using ImapClient c = await mail.ConnectPop3Async("PROXY TCP4 192.0.2.7 192.0.2.1 4711 110\r\n");
        IReadOnlyList<string> capabilities = await c.Pop3Lines("CAPA");
        Assert.DoesNotContain("USER", capabilities);
        Assert.DoesNotContain(capabilities, static line => line.StartsWith("SASL", StringComparison.Ordinal));
        await c.Pop3("USER alice", "-ERR Use STLS before you send a password");
        await c.Pop3("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "-ERR Use STLS before you log in");
        await c.Pop3("STLS", "+OK …");
        await c.StartTls();
        await c.Pop3("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "+OK …");
    }
}
