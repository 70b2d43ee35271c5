using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Net;
using MailCluster.Pop3;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Cluster;
using Microsoft.Extensions.Logging;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>
/// A mail store of one account in memory behind real IMAP and POP3 doors on loopback: owners that do what their contracts say, without a cluster or a database.
/// User: alice, password: secret; operator: ops, password: master.
/// </summary>
internal sealed class FakeMail : IAsyncDisposable
{
    public static readonly AccountId Account = new(1);

    private readonly NetServer _net;
    private readonly MailClusterClient _cluster;
    private IPEndPoint _door = null!;
    private IPEndPoint _pop3 = null!;

    private FakeMail(ImapOptions? options, Pop3Options? pop3, TimeProvider? time, ILoggerFactory? logs, NetServerOptions? net, int slice, bool annotations)
    {
        _net = new NetServer(net);
        Local = new LocalMailboxes();
        Owner = new FakeAccount(this);
        IGrainFactory grains = DispatchProxy.Create<IGrainFactory, Grains>();
        ((Grains)(object)grains).Mail = this;
        _cluster = new MailClusterClient(grains, Bodies, Local, new MailClusterOptions { RetryFor = TimeSpan.FromSeconds(1), WatchFor = TimeSpan.FromMilliseconds(100), SliceMessages = slice });
        Protocol = new ImapProtocol(_cluster, options, time: time, annotations: annotations ? Annotations : null);
        Pop3 = new Pop3Protocol(_cluster, pop3, logs, time);
        Owner.Add(MailboxPath.Inbox);
    }

    /// <summary>Where clients connect to.</summary>
    public IPEndPoint Door => _door;

    public ImapProtocol Protocol { get; }

    public Pop3Protocol Pop3 { get; }

    public LocalMailboxes Local { get; }

    public FakeAccount Owner { get; }

    public FakeBodies Bodies { get; } = new();

    public FakeAnnotations Annotations { get; } = new();

    public ConcurrentDictionary<MailboxKey, FakeMailbox> Mailboxes { get; } = new();

    public FakeMailbox Inbox => Mailboxes[new MailboxKey(Account, new MailboxId(1))];

    public LiveSessions Sessions => _cluster.Sessions;

    public AccountWatches Accounts => _cluster.Accounts;

    public NetServer Net => _net;

    public static async Task<FakeMail> StartAsync(
        ImapOptions? options = null, bool tls = false, Func<ListenerOptions, ListenerOptions>? listener = null, TimeProvider? time = null, Pop3Options? pop3 = null,
        ILoggerFactory? logs = null, NetServerOptions? net = null, int slice = 2000, bool annotations = false)
    {
        var mail = new FakeMail(options, pop3, time, logs, net, slice, annotations);
        var listen = new ListenerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        listen = listener?.Invoke(listen) ?? listen;
        ICertificateSource? certificate = tls ? new SelfSignedCertificate("mail.test", "127.0.0.1") : null;
        mail._door = await mail._net.ListenAsync(listen, mail.Protocol, certificate);
        mail._pop3 = await mail._net.ListenAsync(listen, mail.Pop3, certificate);
        return mail;
    }

    public IPEndPoint Pop3Door => _pop3;

    public Task<ImapClient> ConnectPop3Async() => ImapClient.ConnectPop3Async(_pop3);

    /// <summary>A POP3 connection that begins with a PROXY header.</summary>
    public async Task<ImapClient> ConnectPop3Async(string proxyHeader)
    {
        ImapClient client = await ImapClient.ConnectSilentlyAsync(_pop3);
        await client.SendRaw(proxyHeader);
        await client.Expect("+OK …");
        return client;
    }

    public Task<ImapClient> LogInByPop3Async() => ImapClient.Pop3Async(_pop3, "alice", "secret");

    /// <summary>Messages in INBOX, as if delivered.</summary>
    public async Task FillAsync(params string[] messages)
    {
        foreach (string message in messages)
        {
            byte[] body = Encoding.Latin1.GetBytes(message);
            await Inbox.Append(new AppendRequest(
                _cluster.NextOperation(), new Actor("test", "test", null), [new NewMessage(Bodies.Add(body), 0, [], (uint)body.Length, 0, 0, new FlagList(SystemFlags.None, []), [])]));
        }
    }

    public Task<ImapClient> ConnectAsync() => ImapClient.ConnectAsync(_door);

    /// <summary>The greeting is still to be read.</summary>
    public Task<ImapClient> ConnectSilentlyAsync() => ImapClient.ConnectSilentlyAsync(_door);

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

    /// <summary>IGrainFactory: the three kinds of owners; an observer is the object itself.</summary>
    public class Grains : DispatchProxy
    {
        internal FakeMail Mail { get; set; } = null!;

        protected override object? Invoke(MethodInfo? method, object?[]? args)
        {
            Type? kind = method!.IsGenericMethod ? method.GetGenericArguments()[0] : null;
            if (kind == typeof(IDirectoryGrain))
                return Mail.Owner;
            if (kind == typeof(IAccountGrain) || kind == typeof(IAccountEvents))
                return Mail.Owner;
            if (kind == typeof(IAccountObserver))
                return args![0];
            if (kind == typeof(IOperatorGrain))
                return new FakeOperator("master", new TenantId(1));
            if (kind == typeof(IMailboxGrain))
                return Mail.Mailboxes.GetOrAdd(MailboxKey.Parse((string)args![0]!), key => new FakeMailbox(Mail, key) { Gone = true });
            throw new NotSupportedException(method.Name);
        }
    }
}
