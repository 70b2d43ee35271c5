using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sasl;
using MailCluster.Tests.Unit.Cluster;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>A log-in without a door and without a cluster: one account.</summary>
internal sealed class SaslStage : IAsyncDisposable
{
    public static readonly SaslConnection Secure = new("imap", "s1", "192.0.2.1") { Secure = true, MayLogIn = true };

    /// <summary>TLS ends here, and the certificate's hash is known.</summary>
    public static readonly SaslConnection Bound = Secure with { ServerEndPoint = new byte[] { 1, 2, 3 } };

    private readonly MailClusterClient _cluster;

    public SaslStage(SaslOptions? options = null)
    {
        var grains = new FakeGrains();
        Directory.Operators.Add("ops");
        grains.Put<IOperatorGrain>("ops", new FakeOperator("hands", new TenantId(1)));
        Directory.Users["alice@demo.test"] = new AccountRef(new AccountId(1), new TenantId(1), "alice@demo.test");
        grains.Put<IDirectoryGrain>(0L, Directory);
        grains.Put<IAccountGrain>(1L, Alice);
        _cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient, Log);
        Server = new SaslServer(_cluster, options);
    }

    public FakeDirectory Directory { get; } = new();

    public FakeAccount Alice { get; } = new(FakeAccount.SettingsOf(1, 1, "alice@demo.test"));

    public CapturedLog Log { get; } = new();

    public SaslServer Server { get; }

    /// <summary>The step after one response.</summary>
    public ValueTask<SaslStep> RunAsync(string mechanism, byte[] response) => Server.Begin(mechanism, Secure).Exchange!.NextAsync(response, CancellationToken.None);

    public LiveSessions Sessions => _cluster.Sessions;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}
