using System.Net;
using System.Reflection;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>What CAPABILITY tells in each state, and that there are tests of each capability: the classes say which by <see cref="CoversAttribute"/>.</summary>
public sealed class CapabilityTests
{
    [Fact]
    public async Task Nothing_is_told_in_any_state_that_no_test_covers_and_nothing_is_covered_that_is_not_told()
    {
        HashSet<string> covered = [];
        foreach (Type type in Assembly.GetExecutingAssembly().GetTypes())
        {
            if (type.GetCustomAttribute<CoversAttribute>() is not { } covers)
                continue;
            Assert.True(type.GetMethods().Any(static m => m.IsDefined(typeof(FactAttribute))), $"{type.Name} has no tests");
            covered.UnionWith(covers.Capabilities);
        }
        IReadOnlyDictionary<string, HashSet<string>> states = await StatesAsync();
        foreach ((string state, HashSet<string> told) in states)
        {
            Assert.NotEmpty(told);
            Assert.True(told.IsSubsetOf(covered), $"No test covers {string.Join(", ", told.Except(covered))}, told {state}");
        }
        Assert.Equal([], covered.Except(states.Values.SelectMany(static s => s)).Order());
    }

    /// <summary>DESIGN part 9: before a log-in only what works there.</summary>
    [Fact]
    public async Task What_is_told_before_a_log_in_works_before_it()
    {
        IReadOnlyDictionary<string, HashSet<string>> states = await StatesAsync();
        string[] always = ["IMAP4rev1", "IMAP4rev2", "LITERAL-", "SASL-IR", "ID", "ENABLE", "IDLE", "LANGUAGE"];
        foreach ((string state, HashSet<string> told) in states.Where(static s => s.Key.StartsWith("before", StringComparison.Ordinal)))
        {
            Assert.Superset(always.ToHashSet(), told);
            Assert.All(told.Except(always), name => Assert.True(
                name is "STARTTLS" or "LOGINDISABLED" or "IMAP4" || name.StartsWith("AUTH=", StringComparison.Ordinal), $"{name} is told {state}"));
        }
        Assert.DoesNotContain(states["before a log-in, in clear"], static n => n is "AUTH=PLAIN" or "AUTH=LOGIN");
        Assert.Contains("LOGINDISABLED", states["before a log-in, in clear"]);
        Assert.DoesNotContain("STARTTLS", states["before a log-in, under TLS"]);
        Assert.DoesNotContain("LITERAL-", states["logged in"]);
        Assert.DoesNotContain("COMPRESS=DEFLATE", states["compressed"]);
    }

    private static async Task<IReadOnlyDictionary<string, HashSet<string>>> StatesAsync()
    {
        var states = new Dictionary<string, HashSet<string>>();
        await using (FakeMail mail = await FakeMail.StartAsync(tls: true))
        {
            await using ImapClient c = await mail.ConnectAsync();
            states["before a log-in, on this machine"] = await AskAsync(c);
            await c.Run("a STARTTLS");
            await c.StartTls();
            states["before a log-in, under TLS"] = await AskAsync(c);
            await c.Run("a LOGIN alice secret");
            states["logged in"] = await AskAsync(c);
            await c.Run("a SELECT INBOX");
            states["selected"] = await AskAsync(c);
            await c.Run("a ENABLE IMAP4rev2 QRESYNC UIDONLY UTF8=ACCEPT");
            states["with all of it enabled"] = await AskAsync(c);
            await c.Run("a COMPRESS DEFLATE");
            c.StartDeflate();
            states["compressed"] = await AskAsync(c);
        }
        await using (FakeMail mail = await FakeMail.StartAsync())
        {
            mail.Owner.Account = mail.Owner.Account with { Manages = true, Shares = true };
            await using ImapClient c = await mail.LogInAsync();
            await using ImapClient operating = await mail.ConnectAsync();
            await operating.Run("a AUTHENTICATE PLAIN " + UnauthenticateTests.AsOperator("alice"));
            states["logged in as an operator"] = await AskAsync(operating);
            states["logged in as who manages a tenant whose accounts share mailboxes"] = await AskAsync(c);
        }
        await using (FakeMail mail = await FakeMail.StartAsync(
            tls: true, listener: static l => l with { ProxyProtocol = true, TrustedNetworks = [IPNetwork.Parse("127.0.0.0/8")] }))
        {
            await using ImapClient c = await mail.ConnectSilentlyAsync();
            await c.SendRaw("PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\n");
            await c.Expect("* OK …");
            states["before a log-in, in clear"] = await AskAsync(c);
        }
        await using (FakeMail mail = await FakeMail.StartAsync(new ImapOptions { Dialects = true, MessageLimit = 1000 }, annotations: true))
        {
            await using ImapClient c = await mail.ConnectAsync();
            states["before a log-in, with old dialects"] = await AskAsync(c);
            await c.Run("a LOGIN alice secret");
            states["with old dialects, a limit and annotations of messages"] = await AskAsync(c);
        }
        return states;
    }

    private static async Task<HashSet<string>> AskAsync(ImapClient client)
    {
        string line = Assert.Single(await client.Run("q CAPABILITY"));
        Assert.StartsWith("* CAPABILITY ", line);
        string[] names = line["* CAPABILITY ".Length..].Split(' ');
        Assert.Equal(names.Length, names.Distinct().Count());
        return [.. names.Select(static n => n.IndexOf('=') is var at and > 0 && char.IsDigit(n[^1]) && long.TryParse(n[(at + 1)..], out _) && !n.StartsWith("I18NLEVEL", StringComparison.Ordinal) ? n[..(at + 1)] : n)];
    }
}
