namespace MailCluster.Contracts;

/// <summary>One message of a mailbox, as a row.</summary>
/// <param name="Uid">RFC 9051 §2.3.1.1.</param>
/// <param name="Email">The content; two messages of an account may share it.</param>
/// <param name="Size">RFC822.SIZE in octets: the stored prefix and the body.</param>
/// <param name="InternalDate">Seconds since 1970 UTC (RFC 9051 §2.3.3).</param>
/// <param name="ZoneMinutes">The zone INTERNALDATE was given with, minutes east of UTC.</param>
/// <param name="SaveDate">When the message came into this mailbox, seconds since 1970 UTC (RFC 8514).</param>
/// <param name="Flags">Flags, keywords by name.</param>
/// <param name="ModSeq">RFC 7162 §3.1.</param>
/// <param name="Thread">RFC 8474 §5.2: THREADID.</param>
[GenerateSerializer, Immutable, Alias("MessageRow")]
public sealed record MessageRow(
    [property: Id(0)] uint Uid,
    [property: Id(1)] EmailId Email,
    [property: Id(2)] uint Size,
    [property: Id(3)] long InternalDate,
    [property: Id(4)] short ZoneMinutes,
    [property: Id(5)] long SaveDate,
    [property: Id(6)] FlagList Flags,
    [property: Id(7)] long ModSeq,
    [property: Id(8)] long Thread);
