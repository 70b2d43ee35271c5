using System.Collections.Concurrent;
using System.Net;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.ManageSieve;
using MailCluster.Net;
using MailCluster.Sasl;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.ManageSieve;

/// <summary>The real door on a loopback port, before scripts in memory and one account: alice@demo.test, password "secret".</summary>
internal sealed class SieveDoor : IAsyncDisposable
{
    private readonly NetServer _server = new();
    private readonly MailClusterClient _cluster;
    private readonly ManageSieveProtocol _protocol;
    private IPEndPoint _endPoint = null!;

    private SieveDoor(ManageSieveOptions options, TimeProvider? time)
    {
        var grains = new FakeGrains();
        var directory = new FakeDirectory();
        directory.Users["alice@demo.test"] = new AccountRef(new AccountId(1), new TenantId(1), "alice@demo.test");
        grains.Put<IDirectoryGrain>(0L, directory);
        grains.Put<IAccountGrain>(1L, Account);
        _cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient);
        _protocol = new ManageSieveProtocol(Scripts, new SaslServer(_cluster), options, time: time);
    }

    public FakeScripts Scripts { get; } = new();

    public FakeAccount Account { get; } = new(FakeAccount.SettingsOf(1, 1, "alice@demo.test"));

    public static async Task<SieveDoor> OpenAsync(ManageSieveOptions? options = null, bool tls = false, TimeProvider? time = null)
    {
        var door = new SieveDoor(options ?? new ManageSieveOptions { Outgoing = true }, time);
        door._endPoint = await door._server.ListenAsync(Doors.Loopback, door._protocol, tls ? Doors.Certificate : null);
        return door;
    }

    /// <summary>Connected; the greeting was read.</summary>
    public async Task<Peer> ConnectAsync()
    {
        Peer peer = await Peer.ConnectAsync(_endPoint);
        await UntilOkAsync(peer);
        return peer;
    }

    public async Task<Peer> LoggedInAsync()
    {
        Peer peer = await ConnectAsync();
        await SayAsync(peer, $"AUTHENTICATE \"PLAIN\" \"{Convert.ToBase64String("\0alice@demo.test\0secret"u8)}\"", "OK");
        return peer;
    }

    public Task DrainAsync() => _server.DrainAsync(TimeSpan.FromSeconds(10));

    /// <summary>The lines up to OK, NO or BYE, with it.</summary>
    public static async Task<List<string>> UntilOkAsync(Peer peer)
    {
        var lines = new List<string>();
        do
            lines.Add(await peer.LineAsync() ?? "(closed)");
        while (lines[^1] is not "(closed)" && !new[] { "OK", "NO", "BYE" }.Any(s => lines[^1] == s || lines[^1].StartsWith(s + " ")));
        return lines;
    }

    /// <summary>Sends a line, and expects the beginning of its last line; the lines before it.</summary>
    public static async Task<List<string>> SayAsync(Peer peer, string command, string answer)
    {
        await peer.SendAsync(Encoding.UTF8.GetBytes(command + "\r\n"));
        List<string> lines = await UntilOkAsync(peer);
        Assert.StartsWith(answer, lines[^1]);
        return lines[..^1];
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _cluster.DisposeAsync();
    }
}

/// <summary>Scripts in memory.</summary>
internal sealed class FakeScripts : IScriptStore
{
    public ConcurrentDictionary<string, byte[]> Sources { get; } = new();

    public string? Active { get; set; }

    public string? Failure { get; set; }

    public Exception? Outage { get; set; }

    public ValueTask<ScriptList> ListAsync(AccountId account, CancellationToken cancellationToken) => Outage is { } outage ? throw outage : new(new ScriptList(
        [.. Sources.OrderBy(static s => s.Key, StringComparer.Ordinal).Select(s => new ScriptInfo(s.Key, s.Key == Active, s.Value.Length))], Failure,
        Failure is null ? null : new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero)));

    public ValueTask<StoredScript?> GetAsync(AccountId account, string name, CancellationToken cancellationToken) =>
        new(Sources.TryGetValue(name, out byte[]? source) ? new StoredScript(name, Guid.Empty, source) : null);

    public ValueTask<ScriptError?> HaveSpaceAsync(AccountId account, string name, long octets, ScriptQuota quota, CancellationToken cancellationToken) => new(
        Sources.Count(s => s.Key != name) >= quota.Scripts ? ScriptError.TooManyScripts
        : Sources.Where(s => s.Key != name).Sum(static s => s.Value.LongLength) + octets > quota.Octets ? ScriptError.TooMuch : null);

    public async ValueTask<ScriptError?> PutAsync(AccountId account, string name, byte[] source, ScriptQuota quota, CancellationToken cancellationToken)
    {
        if (await HaveSpaceAsync(account, name, source.Length, quota, cancellationToken) is { } error)
            return error;
        Sources[name] = source;
        return null;
    }

    public ValueTask<ScriptError?> SetActiveAsync(AccountId account, string? name, CancellationToken cancellationToken)
    {
        if (name is not null && !Sources.ContainsKey(name))
            return new(ScriptError.NonExistent);
        Active = name;
        return new((ScriptError?)null);
    }

    public ValueTask<ScriptError?> DeleteAsync(AccountId account, string name, CancellationToken cancellationToken) =>
        new(name == Active ? ScriptError.Active : Sources.TryRemove(name, out _) ? null : ScriptError.NonExistent);

    public ValueTask<ScriptError?> RenameAsync(AccountId account, string from, string to, CancellationToken cancellationToken)
    {
        if (!Sources.TryGetValue(from, out byte[]? source))
            return new(ScriptError.NonExistent);
        if (!Sources.TryAdd(to, source))
            return new(ScriptError.AlreadyExists);
        Sources.TryRemove(from, out _);
        Active = Active == from ? to : Active;
        return new((ScriptError?)null);
    }

    public ValueTask<ScriptList> ListAsync(TenantId tenant, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask PutAsync(TenantId tenant, string name, byte[] source, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<ScriptError?> DeleteAsync(TenantId tenant, string name, CancellationToken cancellationToken) => throw new NotSupportedException();
}
