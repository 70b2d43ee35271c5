using System.Collections.Immutable;

namespace MailCluster.Contracts;

/// <summary>What a line of a list of rights counts for.</summary>
public enum AclStanding
{
    /// <summary>Of an account of the mailbox's own tenant, or "anyone".</summary>
    Own = 0,

    /// <summary>Of an account of another tenant; both tenants say that they share.</summary>
    Sharing = 1,

    /// <summary>Of an account of another tenant, and one of the two does not say so now: the line stays, and counts for nothing.</summary>
    Suspended = 2,
}

/// <summary>One line of a list of rights (RFC 4314 §2).</summary>
/// <param name="Grantee">The account; <see cref="MailboxAcl.Anyone"/> for all of the mailbox's tenant.</param>
/// <param name="Negative">These rights are taken away, whoever grants them ("-name").</param>
[GenerateSerializer, Immutable, Alias("AclEntry")]
public sealed record AclEntry(
    [property: Id(0)] AccountId Grantee, [property: Id(1)] bool Negative, [property: Id(2)] MailRights Rights, [property: Id(3)] AclStanding Standing = AclStanding.Own);

/// <summary>
/// What others than the owner may do with a mailbox. The owner may do everything, always. Which tenants share is a part of it, since it decides what lines count for: a change of that makes
/// another version of each list that it is about. Immutable.
/// </summary>
[GenerateSerializer, Immutable, Alias("MailboxAcl")]
public sealed record MailboxAcl([property: Id(0)] IReadOnlyList<AclEntry> Entries)
{
    /// <summary>The identifier "anyone": every account of the mailbox's own tenant.</summary>
    public static readonly AccountId Anyone = new(0);

    /// <summary>Lines of a list: more are a mistake, or groups, which there are not.</summary>
    public const int MaxEntries = 1000;

    public static readonly MailboxAcl Empty = new([]);

    /// <summary>Of an account that is not the owner.</summary>
    /// <param name="foreign">It is another tenant's: it is not "anyone", and has what lines of its own give it as long as the tenants share.</param>
    public MailRights RightsOf(AccountId account, bool foreign = false)
    {
        MailRights granted = MailRights.None, denied = MailRights.None;
        foreach (AclEntry entry in Entries)
        {
            if (entry.Grantee != account && (foreign || entry.Grantee != Anyone))
                continue;
            if (entry.Standing == AclStanding.Suspended)
                continue;
            if (entry.Negative)
                denied |= entry.Rights;
            else
                granted |= entry.Rights;
        }
        return granted & ~denied;
    }

    /// <summary>A line of the list can be set: it is there already, or there may be one more.</summary>
    public bool HasRoomFor(AccountId grantee, bool negative) => Entries.Count < MaxEntries || Entries.Any(e => e.Grantee == grantee && e.Negative == negative);

    /// <summary>With one line changed: replaced, added to or taken from; a line without rights goes.</summary>
    public MailboxAcl With(AccountId grantee, bool negative, StoreMode mode, MailRights rights, AclStanding standing = AclStanding.Own)
    {
        MailRights before = Entries.FirstOrDefault(e => e.Grantee == grantee && e.Negative == negative)?.Rights ?? MailRights.None;
        MailRights after = mode switch { StoreMode.Replace => rights, StoreMode.Add => before | rights, _ => before & ~rights };
        IEnumerable<AclEntry> others = Entries.Where(e => e.Grantee != grantee || e.Negative != negative);
        return new MailboxAcl([.. after == MailRights.None ? others : others.Append(new AclEntry(grantee, negative, after, standing))]);
    }
}

/// <summary>What a mailbox has because it is shared: the rights of others, and what each of them has seen. A part of the version, as the messages are. Immutable.</summary>
/// <param name="SeenBy">By viewer, the UIDs with his own \Seen; UIDs that are gone may stay, for they never come again.</param>
[GenerateSerializer, Immutable, Alias("MailboxSharing")]
public sealed record MailboxSharing([property: Id(0)] MailboxAcl Acl, [property: Id(1)] ImmutableDictionary<AccountId, UidSet> SeenBy)
{
    public static readonly MailboxSharing None = new(MailboxAcl.Empty, ImmutableDictionary<AccountId, UidSet>.Empty);

    public UidSet Seen(AccountId viewer) => SeenBy.GetValueOrDefault(viewer) ?? UidSet.Empty;

    internal MailboxSharing With(AccountId viewer, UidSet seen) => this with { SeenBy = SeenBy.SetItem(viewer, seen) };
}
