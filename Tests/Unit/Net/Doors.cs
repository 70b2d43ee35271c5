using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

/// <summary>A protocol made of one delegate.</summary>
internal sealed class Session(Func<IConnection, Task> run) : IProtocol
{
    public string Name => "test";

    public Task RunAsync(IConnection connection) => run(connection);

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => Encoding.ASCII.GetBytes($"* BYE {reason}\r\n");

    /// <summary>Answers each line with itself, until QUIT; STARTTLS does what it says.</summary>
    public static Session Echo() => new(EchoAsync);

    private static async Task EchoAsync(IConnection connection)
    {
        connection.Say("hello");
        while (true)
        {
            var line = await connection.ReadLineAsync(1000, TimeSpan.FromSeconds(30));
            if (line.Outcome != InputOutcome.Ok)
            {
                connection.Say("BYE " + line.Outcome);
                if (line.Outcome == InputOutcome.TooLong)
                {
                    continue;
                }
                return;
            }
            string text = Encoding.Latin1.GetString(line.Text);
            connection.Input.AdvanceTo(line.End);
            if (text == "STARTTLS")
            {
                if (connection.HasBufferedInput)
                {
                    connection.Say("BYE injected");
                    return;
                }
                connection.Say("begin");
                await connection.StartTlsAsync();
                continue;
            }
            connection.Say(text);
            if (text == "QUIT")
            {
                return;
            }
        }
    }
}

internal static class Doors
{
    public static readonly SelfSignedCertificate Certificate = new("mail.test", "127.0.0.1");

    public static ListenerOptions Loopback => new() { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };

    public static IReadOnlyList<IPNetwork> TrustLoopback => [IPNetwork.Parse("127.0.0.0/8")];

    public static void Say(this IConnection connection, string line)
    {
        int count = line.Length + 2;
        Encoding.Latin1.GetBytes(line + "\r\n", connection.Output.GetSpan(count));
        connection.Output.Advance(count);
    }
}

/// <summary>A client's end: lines in, lines out, TLS on demand.</summary>
internal sealed class Peer : IDisposable
{
    private readonly TcpClient _tcp;
    private StreamReader _reader;

    private Peer(TcpClient tcp)
    {
        _tcp = tcp;
        Stream = tcp.GetStream();
        _reader = new StreamReader(Stream, Encoding.Latin1);
    }

    public Stream Stream { get; private set; }

    public Socket Socket => _tcp.Client;

    public IPEndPoint LocalEndPoint => (IPEndPoint)_tcp.Client.LocalEndPoint!;

    public static async Task<Peer> ConnectAsync(IPEndPoint server)
    {
        var tcp = new TcpClient(server.AddressFamily) { NoDelay = true };
        await tcp.ConnectAsync(server, TestContext.Current.CancellationToken);
        return new Peer(tcp);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(byte[] bytes)
    {
        await Stream.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await Stream.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The next line; null at the end.</summary>
    public async Task<string?> LineAsync() => await _reader.ReadLineAsync(TestContext.Current.CancellationToken);

    /// <summary>Whether the server has closed, by an end or by a reset.</summary>
    public async Task<bool> IsClosedAsync()
    {
        try
        {
            return await LineAsync() is null;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public async Task<SslStream> StartTlsAsync(SslProtocols protocols = SslProtocols.None, string name = "mail.test")
    {
        var tls = new SslStream(Stream);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            EnabledSslProtocols = protocols,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        }, TestContext.Current.CancellationToken);
        Stream = tls;
        _reader = new StreamReader(tls, Encoding.Latin1);
        return tls;
    }

    public void Dispose() => _tcp.Dispose();
}
