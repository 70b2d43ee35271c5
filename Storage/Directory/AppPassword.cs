using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MailCluster.Storage.Directories;

/// <summary>An application password as the owner of its account needs it.</summary>
/// <param name="Hash">SHA-256 of the password.</param>
/// <param name="Protocols">Null: all.</param>
/// <param name="Networks">Null: anywhere.</param>
public sealed record AppPassword(string Name, byte[] Hash, IReadOnlyList<string>? Protocols, IReadOnlyList<IPNetwork>? Networks)
{
    /// <summary>Five groups of five: 118 bits, which nobody finds from a plain hash.</summary>
    private const int Groups = 5, GroupLength = 5;

    // Without those that look alike.
    private const string Letters = "abcdefghijkmnpqrstuvwxyz23456789";

    /// <summary>A new one.</summary>
    public static string Generate() => string.Join('-', Enumerable.Range(0, Groups).Select(static _ => RandomNumberGenerator.GetString(Letters, GroupLength)));

    /// <summary>What is kept of it. Blanks and hyphens don't count: people type them as they are shown, or not.</summary>
    public static byte[] HashOf(string password) => SHA256.HashData(Encoding.UTF8.GetBytes(password.Replace(" ", "").Replace("-", "")));

    /// <summary>As the directory's query gives them.</summary>
    internal static IReadOnlyList<AppPassword> ListOf(string? json)
    {
        if (json is null)
            return [];
        using JsonDocument document = JsonDocument.Parse(json);
        return
        [
            .. document.RootElement.EnumerateArray().Select(static p => new AppPassword(
                p.GetProperty("name").GetString()!, Convert.FromBase64String(p.GetProperty("hash").GetString()!), Texts(p.GetProperty("protocols")),
                Texts(p.GetProperty("networks"))?.Select(static n => IPNetwork.Parse(n)).ToArray())),
        ];

        static string[]? Texts(JsonElement list) => list.ValueKind == JsonValueKind.Null ? null : [.. list.EnumerateArray().Select(static t => t.GetString()!)];
    }

    /// <summary>It may be used for this, from here.</summary>
    public bool Fits(string protocol, string address) =>
        (Protocols is null || Protocols.Contains(protocol))
        && (Networks is null || (IPAddress.TryParse(address, out IPAddress? from) && Networks.Any(n => n.Contains(from))));
}

/// <summary>An application password as administrators see it.</summary>
public sealed record AppPasswordRow(string Name, IReadOnlyList<string>? Protocols, IReadOnlyList<string>? Networks, DateTime Created, DateTime? LastUsed, IPAddress? LastAddress);
