namespace MailCluster.Contracts;

/// <summary>How far below an entry GETMETADATA looks (RFC 5464 §4.2.2).</summary>
public enum MetadataDepth
{
    Zero = 0,
    One,
    Infinity,
}

/// <summary>What both sides of the contract hold annotations to (RFC 5464 §4.1 asks for 1,024 octets and ten annotations at least).</summary>
public static class MetadataLimits
{
    /// <summary>Octets of a value: more is a file, not a note.</summary>
    public const int MaxValue = 16 * 1024;

    /// <summary>Octets of an entry's name.</summary>
    public const int MaxName = 255;

    /// <summary>Annotations of one user, and shared ones, on one mailbox: a client that loops must not fill the account.</summary>
    public const int MaxEntries = 200;

    /// <summary>The use of a mailbox as an annotation (RFC 6154 §4): kept where LIST has it from.</summary>
    public const string SpecialUse = "/private/specialuse";
}

/// <param name="Path">Null: the server's.</param>
/// <param name="Viewer">Who asks: whose private annotations, and whose rights.</param>
/// <param name="Entries">In lower case.</param>
/// <param name="MaxSize">Values of more octets are named without being returned.</param>
[GenerateSerializer, Immutable, Alias("MetadataRequest")]
public sealed record MetadataRequest(
    [property: Id(0)] MailboxPath? Path,
    [property: Id(1)] AccountId Viewer,
    [property: Id(2)] IReadOnlyList<string> Entries,
    [property: Id(3)] MetadataDepth Depth = MetadataDepth.Zero,
    [property: Id(4)] long? MaxSize = null);

/// <summary>Sets all or none. A null value takes the entry away.</summary>
[GenerateSerializer, Immutable, Alias("SetMetadataRequest")]
public sealed record SetMetadataRequest(
    [property: Id(0)] MailboxPath? Path,
    [property: Id(1)] AccountId Viewer,
    [property: Id(2)] IReadOnlyList<MetadataValue> Entries);

[GenerateSerializer, Immutable, Alias("MetadataValue")]
public sealed record MetadataValue([property: Id(0)] string Entry, [property: Id(1)] byte[]? Value);

/// <summary>An annotation that exists.</summary>
/// <param name="Size">Octets of the value.</param>
/// <param name="Value">Null: it is larger than was asked for.</param>
[GenerateSerializer, Immutable, Alias("MetadataEntry")]
public sealed record MetadataEntry([property: Id(0)] string Entry, [property: Id(1)] long Size, [property: Id(2)] byte[]? Value);

/// <summary>An annotation of one of many mailboxes.</summary>
[GenerateSerializer, Immutable, Alias("MailboxMetadata")]
public sealed record MailboxMetadata([property: Id(0)] MailboxKey Mailbox, [property: Id(1)] string Entry, [property: Id(2)] byte[] Value);
