using System.Net;

namespace MailCluster.Net;

/// <summary>One listening socket. Times are as long as honest clients on poor networks need, counts as high as one machine serves.</summary>
public sealed record ListenerOptions
{
    /// <summary>Address and port; port 0 takes a free one. <see cref="IPAddress.IPv6Any"/> listens for IPv4, too.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>TLS from the first byte (RFC 8314: IMAPS, POP3S); needs a certificate source. Default false.</summary>
    public bool ImplicitTls { get; init; }

    /// <summary>
    /// Peers in <see cref="TrustedNetworks"/> begin with a PROXY protocol header, version 1 or 2, and are closed when they do not. Others are ordinary
    /// clients whose header, if they send one, is protocol garbage: nobody else can claim an address. Default false.
    /// </summary>
    public bool ProxyProtocol { get; init; }

    /// <summary>Networks of our own proxies, webmail and MTAs: exempt from <see cref="MaxConnectionsPerAddress"/>, allowed to send PROXY headers. Default none.</summary>
    public IReadOnlyList<IPNetwork> TrustedNetworks { get; init; } = [];

    /// <summary>Connections of this listener. Default 50,000: idle TLS ones then take some 2 GB.</summary>
    public int MaxConnections { get; init; } = 50_000;

    /// <summary>Connections of one client address (one /64 of IPv6) that are not logged in. Default 50: an office behind one address that starts at once fits, a flood does not.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 50;

    /// <summary>Clients are asked for a certificate, which may be of these authorities. Default: none is asked for.</summary>
    public ClientAuthorities? ClientAuthorities { get; init; }

    /// <summary>From the first byte wanted to the end of the TLS handshake. Default 10 s: several round trips on a bad mobile network.</summary>
    public TimeSpan TlsHandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for the whole PROXY header. Default 5 s: a proxy is near and sends it first.</summary>
    public TimeSpan ProxyHeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A client that takes none of the bytes waiting for it this long is closed. Default 5 min: RFC 5321 section 4.5.3.2 has the longest such waits of a mail protocol.</summary>
    public TimeSpan SlowReaderTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>After our last byte, the time for the client to close its side; without it, bytes in flight would make the kernel throw our last line away. Default 2 s.</summary>
    public TimeSpan LingerTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections that the kernel keeps waiting. Default 1,024: a burst of reconnects after another front end's end.</summary>
    public int Backlog { get; init; } = 1024;

    /// <summary>Unread bytes of a client at which reading from its socket stops; it goes on at half of it. Default 64 KB: one command line of the largest size.</summary>
    public int InputPauseBytes { get; init; } = 64 * 1024;
}

/// <summary>What all listeners of a <see cref="NetServer"/> share.</summary>
public sealed record NetServerOptions
{
    /// <summary>Connections of all listeners together; more are refused as those above <see cref="ListenerOptions.MaxConnections"/> are. Default: any number.</summary>
    public int MaxConnections { get; init; } = int.MaxValue;

    /// <summary>Event loop threads. Default: one a processor, as sessions run on them while they need no I/O.</summary>
    public int EventLoops { get; init; } = Environment.ProcessorCount;

    /// <summary>DotNetty reports buffers that are never released. Default false: costs a stack trace for sampled buffers; tests switch it on.</summary>
    public bool DetectLeaks { get; init; }

    /// <summary>Clock of all time-outs, which are looked at once a second.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
