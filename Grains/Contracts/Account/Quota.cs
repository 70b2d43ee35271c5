namespace MailCluster.Contracts;

/// <summary>What a quota root's resources are limited to (RFC 9208 §5); null: no limit.</summary>
/// <param name="Bytes">STORAGE, in octets.</param>
/// <param name="Messages">MESSAGE.</param>
/// <param name="Mailboxes">MAILBOX.</param>
/// <param name="AnnotationBytes">ANNOTATION-STORAGE, in octets: entries and values of RFC 5464.</param>
[GenerateSerializer, Immutable, Alias("QuotaLimits")]
public sealed record QuotaLimits(
    [property: Id(0)] long? Bytes,
    [property: Id(1)] long? Messages,
    [property: Id(2)] long? Mailboxes = null,
    [property: Id(3)] long? AnnotationBytes = null);

/// <summary>What is in use now, in the units of <see cref="QuotaLimits"/>.</summary>
[GenerateSerializer, Immutable, Alias("QuotaUsage")]
public sealed record QuotaUsage(
    [property: Id(0)] long Bytes,
    [property: Id(1)] long Messages,
    [property: Id(2)] long Mailboxes = 0,
    [property: Id(3)] long AnnotationBytes = 0);

/// <summary>One quota root (RFC 9208 §3.2).</summary>
[GenerateSerializer, Immutable, Alias("QuotaRoot")]
public sealed record QuotaRoot([property: Id(0)] string Name, [property: Id(1)] QuotaUsage Used, [property: Id(2)] QuotaLimits Limits)
{
    /// <summary>Roots of accounts are this with the log-in name.</summary>
    public const string AccountPrefix = "user/";

    /// <summary>The root that all accounts of a tenant share. It has no name: users need not know whose customer they are.</summary>
    public const string Tenant = "tenant";

    /// <summary>More is in use than may be: a limit was lowered.</summary>
    public bool IsExceeded => Used.Bytes > Limits.Bytes || Used.Messages > Limits.Messages || Used.Mailboxes > Limits.Mailboxes || Used.AnnotationBytes > Limits.AnnotationBytes;
}

/// <param name="Tenant">Null: the tenant has no limits.</param>
[GenerateSerializer, Immutable, Alias("AccountQuota")]
public sealed record AccountQuota([property: Id(0)] QuotaRoot Account, [property: Id(1)] QuotaRoot? Tenant);
