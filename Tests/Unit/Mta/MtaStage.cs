using System.Net;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Mta.DovecotAuth;
using MailCluster.Mta.Policy;
using MailCluster.Mta.Socketmap;
using MailCluster.Net;
using MailCluster.Sasl;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Mta;

/// <summary>
/// The services for mail servers on loopback, before a cluster of plain objects: ann (1) and bob (2) of demo.test, password "secret", and the alias
/// team@demo.test = ann, bob, far@away.test.
/// </summary>
internal sealed class MtaStage : IAsyncDisposable
{
    private readonly NetServer _net = new();
    private readonly MailClusterClient _cluster;

    public MtaStage()
    {
        var grains = new FakeGrains();
        grains.Put<IDirectoryGrain>(0L, Directory);
        foreach (FakeAccount account in (FakeAccount[])[Ann, Bob])
        {
            AccountSettings settings = account.Current;
            grains.Put<IAccountGrain>(settings.Account.Value, account);
            Directory.Users[settings.User] = new AccountRef(settings.Account, settings.Tenant, settings.User);
        }
        Directory.Domains.Add("demo.test");
        Directory.Aliases["team@demo.test"] = [Directory.Users["ann@demo.test"], Directory.Users["bob@demo.test"]];
        Directory.Targets["team@demo.test"] = ["ann@demo.test", "bob@demo.test", "far@away.test"];
        _cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient with { RetryFor = TimeSpan.FromSeconds(1) }, Log);
    }

    public FakeDirectory Directory { get; } = new();

    public FakeAccount Ann { get; } = new(FakeAccount.SettingsOf(1, 1, "ann@demo.test"));

    public FakeAccount Bob { get; } = new(FakeAccount.SettingsOf(2, 1, "bob@demo.test"));

    public CapturedLog Log { get; } = new();

    public DovecotAuthProtocol Auth => field ??= new(new SaslServer(_cluster));

    public int Sessions => _cluster.Sessions.Count;

    public Task<Peer> PolicyAsync() => ConnectAsync(new PolicyProtocol(_cluster));

    public Task<Peer> SocketmapAsync() => ConnectAsync(new SocketmapProtocol(_cluster));

    /// <summary>Connected, and what the server says first was read.</summary>
    public async Task<Peer> AuthAsync()
    {
        Peer peer = await ConnectAsync(Auth);
        while (await peer.LineAsync() != "DONE")
        {
        }
        await peer.SendAsync("VERSION\t1\t1\nCPID\t4711\n");
        return peer;
    }

    public async Task<Peer> ConnectAsync(IProtocol protocol)
    {
        IPEndPoint door = await _net.ListenAsync(Doors.Loopback, protocol);
        return await Peer.ConnectAsync(door);
    }

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public async ValueTask DisposeAsync()
    {
        await _net.DisposeAsync();
        await _cluster.DisposeAsync();
    }
}
