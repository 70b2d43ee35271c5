namespace MailCluster.Contracts;

/// <summary>The system flags of RFC 9051 §2.3.2 as bits; \Recent is no property of the message but of a session.</summary>
[Flags]
public enum SystemFlags : byte
{
    None = 0,
    Seen = 1,
    Answered = 2,
    Flagged = 4,
    Deleted = 8,
    Draft = 16,
}

/// <summary>How STORE changes flags (RFC 9051 §6.4.6).</summary>
public enum StoreMode : byte
{
    /// <summary>FLAGS: these and no others.</summary>
    Replace,

    /// <summary>+FLAGS.</summary>
    Add,

    /// <summary>-FLAGS.</summary>
    Remove,
}

/// <summary>Flags as a client names them: system bits and keywords. Keywords are compared without case; the mailbox keeps the case first seen.</summary>
[GenerateSerializer, Immutable, Alias("FlagList")]
public sealed record FlagList([property: Id(0)] SystemFlags System, [property: Id(1)] IReadOnlyList<string> Keywords)
{
    public static readonly FlagList None = new(SystemFlags.None, []);
}
