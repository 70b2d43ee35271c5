using System.Net.Sockets;
using System.Reflection;
using Npgsql;

namespace MailCluster.Storage;

/// <summary>
/// How connections to PostgreSQL are made, whoever makes them: of several hosts the primary is taken, and a server that is gone without a word is noticed
/// within seconds. After a fail-over what was connected to the old primary breaks, and what is opened next finds the new one.
/// </summary>
public static class PostgresPool
{
    /// <summary>Milliseconds for which what was sent may stay unacknowledged by the server's kernel: 3 s, as the keep-alives.</summary>
    public const int UnacknowledgedMilliseconds = 3000;

    // linux/tcp.h; there is no other way to end a connection whose peer lost its power while a statement was on its way: keep-alives wait for the
    // retransmission of what was sent, which takes a quarter of an hour.
    private const int IpProtoTcp = 6;
    private const int TcpUserTimeout = 18;

    private static readonly PropertyInfo? _connector = typeof(NpgsqlConnection).GetProperty("Connector", BindingFlags.Instance | BindingFlags.NonPublic);
    private static readonly FieldInfo? _stream = _connector?.PropertyType.GetField("_stream", BindingFlags.Instance | BindingFlags.NonPublic);
    private static readonly FieldInfo? _socket = _connector?.PropertyType.GetField("_socket", BindingFlags.Instance | BindingFlags.NonPublic);

    /// <summary>Opens a pool; nothing is connected yet.</summary>
    /// <param name="connectionString">Npgsql's form. Several hosts ("a:5432,b:5432") mean the one that is the primary, unless Target Session Attributes says otherwise.</param>
    /// <param name="name">What metrics call the pool.</param>
    /// <param name="application">What pg_stat_activity calls its connections, at most 63 octets of it.</param>
    /// <param name="size">The most connections; who finds all of them busy waits for <c>Timeout</c>, then gets an <see cref="NpgsqlException"/>.</param>
    /// <param name="more">Further settings of the pool.</param>
    /// <param name="blocking">Connections are only used by threads that wait for each answer: see <see cref="BlockingSocket"/>.</param>
    /// <exception cref="ArgumentException">The connection string can't be understood.</exception>
    public static NpgsqlDataSource Open(
        string connectionString, string name, string application, int size, Action<NpgsqlConnectionStringBuilder>? more = null, bool blocking = false)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = application.Length > 63 ? application[..63] : application,
            MaxPoolSize = size,
            // Seconds to connect, also to wait for a connection of the pool.
            Timeout = 3,
            // A peer that is gone is noticed within seconds, not hours.
            TcpKeepAlive = true,
            TcpKeepAliveTime = 2,
            TcpKeepAliveInterval = 1,
            // What is known of a host may be so old; longer would be added to each fail-over.
            HostRecheckSeconds = 2,
        };
        // The same at the server's end: the backend of a node that is gone must not outlive it.
        settings.Options = $"-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2 -c tcp_user_timeout={UnacknowledgedMilliseconds} "
            + settings.Options;
        if (IsMultiHost(settings) && settings.TargetSessionAttributes is null)
            settings.TargetSessionAttributes = "primary";
        more?.Invoke(settings);
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name };
        if (OperatingSystem.IsLinux())
        {
            builder.UsePhysicalConnectionInitializer(
                connection =>
                {
                    LimitUnacknowledged(connection);
                    if (blocking && SocketOf(connection) is { } socket)
                        BlockingSocket.Make(socket);
                },
                static connection =>
                {
                    LimitUnacknowledged(connection);
                    return Task.CompletedTask;
                });
        }
        return builder.Build();
    }

    /// <summary>The server, or the servers, that a connection string names; for messages.</summary>
    public static string Where(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return IsMultiHost(settings) ? settings.Host! : $"{settings.Host}:{settings.Port}";
    }

    /// <summary>Why no connection could be opened; of several hosts what the first one that was asked has said.</summary>
    public static string Reason(Exception e) => e.InnerException is AggregateException { InnerExceptions: [var first, ..] } ? first.Message : e.Message;

    internal static Socket? SocketOf(NpgsqlConnection connection) => _connector?.GetValue(connection) is { } connector ? _socket?.GetValue(connector) as Socket : null;

    /// <summary>The socket where the octets in it are those of the protocol: TCP without TLS; else null.</summary>
    internal static Socket? PlainSocketOf(NpgsqlConnection connection) =>
        OperatingSystem.IsLinux() && _connector?.GetValue(connection) is { } connector && _stream?.GetValue(connector) is NetworkStream
        && _socket?.GetValue(connector) is Socket { ProtocolType: ProtocolType.Tcp } socket ? socket : null;

    private static bool IsMultiHost(NpgsqlConnectionStringBuilder settings) => settings.Host?.Contains(',') == true;

    private static void LimitUnacknowledged(NpgsqlConnection connection)
    {
        // A socket of the file system knows no such thing.
        if (SocketOf(connection) is { ProtocolType: ProtocolType.Tcp } socket)
            socket.SetRawSocketOption(IpProtoTcp, TcpUserTimeout, BitConverter.GetBytes(UnacknowledgedMilliseconds));
    }
}
