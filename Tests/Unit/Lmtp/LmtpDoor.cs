using System.Net;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Lmtp;
using MailCluster.Lmtp.Filtering;
using MailCluster.Net;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>
/// The real door on a loopback port before a cluster of plain objects: alice (1) and bob (2) of tenant 1, carol (3) of tenant 2,
/// the alias team@demo.test = alice, bob.
/// </summary>
internal sealed class LmtpDoor : IAsyncDisposable
{
    private readonly NetServer _server;
    private readonly FakeFilters? _filters;
    private readonly MailClusterClient _cluster;

    private LmtpDoor(LmtpOptions options, FakeBodies bodies, ListenerOptions listener, MailClusterOptions cluster, FakeFilters? filters, FilterOptions? filtering)
    {
        Bodies = bodies;
        _filters = filters;
        var grains = new FakeGrains { Mailboxes = key => Mailboxes.GetValueOrDefault(key.Mailbox.Value) ?? Add(key) };
        grains.Put<IDirectoryGrain>(0L, Directory);
        Accounts = [.. new[] { ("alice", 1L), ("bob", 1L), ("carol", 2L) }.Select((a, i) => new FakeAccount(FakeAccount.SettingsOf(i + 1, a.Item2, a.Item1 + "@demo.test")))];
        foreach (FakeAccount account in Accounts)
        {
            AccountSettings settings = account.Current;
            grains.Put<IAccountGrain>(settings.Account.Value, account);
            Directory.Users[settings.User] = new AccountRef(settings.Account, settings.Tenant, settings.User);
        }
        Directory.Aliases["team@demo.test"] = [Directory.Users["alice@demo.test"], Directory.Users["bob@demo.test"]];
        _cluster = new MailClusterClient(grains, bodies, new LocalMailboxes(), cluster);
        _server = new NetServer();
        Protocol = new LmtpProtocol(_cluster, options with { HostName = "mx.test" }, Log, filters: filters, filtering: filtering);
        Listener = listener;
    }

    public FakeDirectory Directory { get; } = new();

    public FakeBodies Bodies { get; }

    public FakeAccount[] Accounts { get; }

    public FakeAccount Alice => Accounts[0];

    public FakeAccount Bob => Accounts[1];

    public Dictionary<long, FakeMailbox> Mailboxes { get; } = [];

    public CapturedLog Log { get; } = new();

    public LmtpProtocol Protocol { get; }

    public NetServer Server => _server;

    private ListenerOptions Listener { get; }

    public IPEndPoint EndPoint { get; private set; } = null!;

    public static async Task<LmtpDoor> OpenAsync(LmtpOptions? options = null, FakeBodies? bodies = null, bool tls = false, TimeSpan? retryFor = null, FakeFilters? filters = null, FilterOptions? filtering = null)
    {
        var door = new LmtpDoor(options ?? new LmtpOptions(), bodies ?? new FakeBodies(), Doors.Loopback,
            TestCluster.Impatient with { RetryFor = retryFor ?? TimeSpan.FromSeconds(1) }, filters, filtering);
        door.EndPoint = await door._server.ListenAsync(door.Listener, door.Protocol, tls ? Doors.Certificate : null);
        return door;
    }

    /// <summary>The mailbox of a number; INBOX is ten times the account's.</summary>
    public FakeMailbox Mailbox(long id) => Mailboxes.GetValueOrDefault(id) ?? Add(new MailboxKey(new AccountId(id / 10), new MailboxId(id)));

    /// <summary>What was delivered to a mailbox: prefix and body.</summary>
    public (string Prefix, string Body)[] Delivered(long id) =>
        [.. Mailbox(id).Appends.Select(a => (Encoding.UTF8.GetString(a.Request.Messages[0].Prefix), Encoding.Latin1.GetString(Bodies.Stored[a.Request.Messages[0].Body.Value])))];

    public async Task<LmtpClient> ConnectAsync()
    {
        var client = new LmtpClient(await Peer.ConnectAsync(EndPoint));
        await client.ExpectAsync("220 mx.test LMTP MailCluster");
        return client;
    }

    /// <summary>Connected, and LHLO said.</summary>
    public async Task<LmtpClient> GreetAsync()
    {
        LmtpClient client = await ConnectAsync();
        await client.SendAsync("LHLO client.test\r\n");
        while ((await client.ReplyAsync())![3] == '-')
        {
        }
        return client;
    }

    /// <summary>A transaction is open for these recipients.</summary>
    public async Task<LmtpClient> BeginAsync(params string[] recipients)
    {
        LmtpClient client = await GreetAsync();
        await client.SayAsync("MAIL FROM:<s@x.test>", "250 2.1.0 ");
        foreach (string recipient in recipients)
            await client.SayAsync($"RCPT TO:<{recipient}>", $"250 2.1.5 <{recipient}>");
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    private FakeMailbox Add(MailboxKey key)
    {
        lock (Mailboxes)
            return Mailboxes[key.Mailbox.Value] = new FakeMailbox { Key = key, Filtered = () => _filters?.Has(key.Account, key.Account.Value == 3 ? new TenantId(2) : new TenantId(1)) == true };
    }
}

internal sealed class LmtpClient(Peer peer) : IDisposable
{
    public Peer Peer => peer;

    public Task SendAsync(string text) => peer.SendAsync(Encoding.UTF8.GetBytes(text));

    public Task SendRawAsync(byte[] bytes) => peer.SendAsync(bytes);

    public Task<string?> ReplyAsync() => peer.LineAsync();

    public async Task ExpectAsync(string beginning)
    {
        string? reply = await peer.LineAsync();
        Assert.StartsWith(beginning, reply ?? "(closed)");
    }

    public async Task SayAsync(string command, string beginning)
    {
        await SendAsync(command + "\r\n");
        await ExpectAsync(beginning);
    }

    public async Task ExpectClosedAsync() => Assert.True(await peer.IsClosedAsync());

    public void Dispose() => peer.Dispose();
}
