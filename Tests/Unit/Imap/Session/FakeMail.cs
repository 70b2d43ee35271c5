using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Net;
using MailCluster.Tests.Support;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>
/// A mail store of one account in memory behind a real IMAP door on loopback: owners that do what their contracts say, without a cluster or a database.
/// User: alice, password: secret.
/// </summary>
internal sealed class FakeMail : IAsyncDisposable
{
    public static readonly AccountId Account = new(1);

    private readonly NetServer _net = new();
    private readonly MailClusterClient _cluster;
    private IPEndPoint _door = null!;

    private FakeMail(ImapOptions? options, TimeProvider? time)
    {
        Local = new LocalMailboxes();
        Owner = new FakeAccount(this);
        IGrainFactory grains = DispatchProxy.Create<IGrainFactory, Grains>();
        ((Grains)(object)grains).Mail = this;
        _cluster = new MailClusterClient(grains, Bodies, Local, new MailClusterOptions { RetryFor = TimeSpan.FromMilliseconds(50) });
        Protocol = new ImapProtocol(_cluster, options, time: time);
        Owner.Add(MailboxPath.Inbox);
    }

    public ImapProtocol Protocol { get; }

    public LocalMailboxes Local { get; }

    public FakeAccount Owner { get; }

    public FakeBodies Bodies { get; } = new();

    public ConcurrentDictionary<MailboxKey, FakeMailbox> Mailboxes { get; } = new();

    public FakeMailbox Inbox => Mailboxes[new MailboxKey(Account, new MailboxId(1))];

    public LiveSessions Sessions => _cluster.Sessions;

    public NetServer Net => _net;

    public static async Task<FakeMail> StartAsync(
        ImapOptions? options = null, bool tls = false, Func<ListenerOptions, ListenerOptions>? listener = null, TimeProvider? time = null)
    {
        var mail = new FakeMail(options, time);
        var listen = new ListenerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        mail._door = await mail._net.ListenAsync(listener?.Invoke(listen) ?? listen, mail.Protocol, tls ? new SelfSignedCertificate("mail.test", "127.0.0.1") : null);
        return mail;
    }

    public Task<ImapClient> ConnectAsync() => ImapClient.ConnectAsync(_door);

    public Task<ImapClient> LogInAsync() => ImapClient.LoggedInAsync(_door, "alice", "secret");

    /// <summary>Sessions 1 to n with INBOX selected.</summary>
    public async Task<ImapClient[]> SelectedAsync(int count)
    {
        var clients = new ImapClient[count + 1];
        for (int i = 1; i <= count; i++)
        {
            clients[i] = await LogInAsync();
            await clients[i].Run("s SELECT INBOX");
        }
        return clients;
    }

    public async ValueTask DisposeAsync()
    {
        await _net.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    /// <summary>IGrainFactory: the three kinds of owners.</summary>
    public class Grains : DispatchProxy
    {
        internal FakeMail Mail { get; set; } = null!;

        protected override object? Invoke(MethodInfo? method, object?[]? args)
        {
            Type? kind = method!.IsGenericMethod ? method.GetGenericArguments()[0] : null;
            if (kind == typeof(IDirectoryGrain))
                return Mail.Owner;
            if (kind == typeof(IAccountGrain))
                return Mail.Owner;
            if (kind == typeof(IMailboxGrain))
                return Mail.Mailboxes.GetOrAdd(MailboxKey.Parse((string)args![0]!), key => new FakeMailbox(Mail, key) { Gone = true });
            throw new NotSupportedException(method.Name);
        }
    }
}
