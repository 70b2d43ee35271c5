using System.Net;
using System.Net.Sockets;
using System.Text;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>How much of RFC 7162 a session makes use of, where the server offers it.</summary>
internal enum Resync
{
    None,
    CondStore,
    QResync,
}

/// <summary>How an attempt to log in ended.</summary>
internal enum LogIn
{
    In,

    /// <summary>Nobody answers there.</summary>
    Unreachable,

    /// <summary>With BYE, or with NO at LOGIN.</summary>
    Refused,

    /// <summary>The connection ended without a word.</summary>
    Dropped,
}

/// <summary>Connects and logs in.</summary>
internal static class Connector
{
    private static readonly TimeSpan ConnectBound = TimeSpan.FromSeconds(10);

    /// <summary>A connection; null where nobody answers there in time.</summary>
    public static async Task<TcpClient?> DialAsync(EndPoint server, TimeSpan patience)
    {
        var tcp = new TcpClient { NoDelay = true };
        using var bound = new CancellationTokenSource(patience);
        try
        {
            if (server is IPEndPoint ip)
                await tcp.ConnectAsync(ip, bound.Token);
            else
                await tcp.ConnectAsync(((DnsEndPoint)server).Host, ((DnsEndPoint)server).Port, bound.Token);
            return tcp;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            tcp.Dispose();
            return null;
        }
    }

    /// <summary>A session that is logged in; null where nobody answers there, or the log-in was refused (RFC 9051 §6.2.3).</summary>
    public static async Task<ImapSession?> OpenAsync(SessionContext context, EndPoint server, string user, string password, Resync resync) =>
        (await TryOpenAsync(context, server, user, password, resync)).Session;

    /// <summary>The same, and why not.</summary>
    public static async Task<(ImapSession? Session, LogIn How)> TryOpenAsync(SessionContext context, EndPoint server, string user, string password, Resync resync)
    {
        ImapSession? session = await ConnectAsync(context, server, user);
        if (session is null)
            return (null, LogIn.Unreachable);
        if (!await session.GreetAsync())
            return (null, Why(session));
        // Literals keep the password out of transcripts.
        Answer login = await session.RunAsync(new Command("LOGIN") { Act = static _ => new Read("LOGIN", null) }
            .And(" ").Literal(Encoding.UTF8.GetBytes(user)).And(" ").Literal(Encoding.UTF8.GetBytes(password)));
        if (login.IsOk && login.CodeOf("CAPABILITY") is null)
            await session.RunAsync(new Command("CAPABILITY") { Act = static _ => new Read("CAPABILITY", null) });
        if (login.IsOk && !session.HasEnded)
            await EnableAsync(session, resync);
        if (login.IsOk && !session.HasEnded)
            return (session, LogIn.In);
        session.Dispose();
        return (null, login.Outcome == Outcome.No ? LogIn.Refused : Why(session));
    }

    private static LogIn Why(ImapSession session) => session.Bye is null ? LogIn.Dropped : LogIn.Refused;

    private static async Task<ImapSession?> ConnectAsync(SessionContext context, EndPoint server, string user)
    {
        using var bound = new CancellationTokenSource(ConnectBound);
        try
        {
            return new ImapSession(await ImapWire.ConnectAsync(server, bound.Token), context, user, server.ToString()!);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    private static async Task EnableAsync(ImapSession session, Resync resync)
    {
        string capability = resync == Resync.QResync ? "QRESYNC" : "CONDSTORE";
        if (resync == Resync.None || !session.Can("ENABLE") || !session.Can(capability))
            return;
        Answer enabled = await session.RunAsync(new Command("ENABLE", capability) { Act = static _ => new Read("ENABLE", null) });
        session.Model.HasQResync = enabled.IsOk && resync == Resync.QResync;
    }
}
