using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sasl;
using MailCluster.Tests.Unit.Cluster;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>A log-in without a door and without a cluster: one account.</summary>
internal sealed class SaslStage : IAsyncDisposable
{
    public static readonly SaslConnection Secure = new("imap", "s1", "192.0.2.1") { Secure = true, MayLogIn = true };

    private readonly MailClusterClient _cluster;

    public SaslStage()
    {
        var grains = new FakeGrains();
        var directory = new FakeDirectory();
        directory.Users["alice@demo.test"] = new AccountRef(new AccountId(1), new TenantId(1), "alice@demo.test");
        grains.Put<IDirectoryGrain>(0L, directory);
        grains.Put<IAccountGrain>(1L, new FakeAccount(FakeAccount.SettingsOf(1, 1, "alice@demo.test")));
        _cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient);
        Server = new SaslServer(_cluster);
    }

    public SaslServer Server { get; }

    /// <summary>The step after one response.</summary>
    public ValueTask<SaslStep> RunAsync(string mechanism, byte[] response) => Server.Begin(mechanism, Secure).Exchange!.NextAsync(response, CancellationToken.None);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}
