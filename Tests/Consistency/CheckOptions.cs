using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MailCluster.Consistency.Faults;

namespace MailCluster.Consistency;

/// <summary>What was asked for on the command line, understood.</summary>
internal sealed record CheckOptions
{
    public required int Seed { get; init; }

    public required int Clients { get; init; }

    public required int Seconds { get; init; }

    public required IReadOnlyList<FaultChoice> Faults { get; init; }

    /// <summary>IMAP servers to aim at; empty for a cluster of its own.</summary>
    public required IReadOnlyList<IPEndPoint> FrontEnds { get; init; }

    /// <summary>With <see cref="FrontEnds"/>.</summary>
    public required IReadOnlyList<(string User, string Password)> Accounts { get; init; }

    /// <summary>After a violation the cluster stays up until Ctrl-C.</summary>
    public required bool KeepOnViolation { get; init; }

    /// <summary>Its own cluster is of nodes of role all.</summary>
    public bool OneRole { get; init; }

    /// <summary>Where all operations are written at the end; null: nowhere.</summary>
    public string? History { get; init; }

    /// <exception cref="CheckException">Something in it makes no sense.</exception>
    public static CheckOptions Of(int? seed, int clients, int seconds, string? faults, string? frontEnds, string[] accounts, bool keep)
    {
        if (clients is < 1 or > 1000)
            throw new CheckException($"--clients {clients}: a number from 1 to 1000.");
        if (seconds is < 1 or > 86_400)
            throw new CheckException($"--seconds {seconds}: a number from 1 to 86400.");
        IReadOnlyList<IPEndPoint> aims = [.. (frontEnds ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(EndPoint)];
        if (aims.Count > 0 && faults is not (null or "none"))
            throw new CheckException("--faults is for the checker's own cluster: a running one (--front-ends) is left alone.");
        if (aims.Count > 0 && accounts.Length == 0)
            throw new CheckException("--front-ends needs --account USER:PASSWORD, once for each account that may be filled with mail.");
        if (aims.Count == 0 && (accounts.Length > 0 || frontEnds is not null))
            throw new CheckException("--account belongs to --front-ends HOST:PORT,….");
        return new CheckOptions
        {
            Seed = seed ?? Random.Shared.Next(1, 1_000_000),
            Clients = clients,
            Seconds = seconds,
            Faults = aims.Count > 0 ? [] : AllFaults.Parse(faults ?? ""),
            FrontEnds = aims,
            Accounts = [.. accounts.Select(Account)],
            KeepOnViolation = keep,
        };
    }

    private static (string, string) Account(string text) =>
        text.Split(':', 2) is [{ Length: > 0 } user, { Length: > 0 } password]
            ? (user, password)
            : throw new CheckException("--account is USER:PASSWORD.");

    private static IPEndPoint EndPoint(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is < 1 or > 65535)
            throw new CheckException($"--front-ends: '{text}' is not HOST:PORT.");
        string host = text[..colon].Trim('[', ']');
        try
        {
            return new IPEndPoint(IPAddress.TryParse(host, out IPAddress? address) ? address : Dns.GetHostAddresses(host)[0], port);
        }
        catch (SocketException)
        {
            throw new CheckException($"--front-ends: there is no host '{host}'.");
        }
    }
}
