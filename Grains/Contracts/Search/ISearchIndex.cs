namespace MailCluster.Contracts;

/// <summary>
/// What is known of the text of emails without reading it: for groups of emails, which of them certainly have not the trigrams of a string. Only a cache: groups
/// may be missing or go at any time, and an email that is in none has to be read. Implemented by Storage.
/// </summary>
public interface ISearchIndex
{
    /// <summary>The groups of an account with the slices at some positions, in pages of some hundred groups, each a statement of its own.</summary>
    /// <param name="positions">Each below <see cref="SearchGroup.Positions"/>.</param>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    IAsyncEnumerable<SearchGroup> ReadAsync(AccountId account, IReadOnlyList<int> positions, CancellationToken cancellationToken);

    /// <summary>Keeps a group. Nothing happens where there is one with the same first email: two nodes may have made it at the same time.</summary>
    /// <param name="emails">At most <see cref="SearchGroup.MaxEmails"/>, sorted.</param>
    /// <param name="slices">
    /// <see cref="SearchGroup.SliceBytes"/> octets for each position of a signature of 2ⁿ positions, n at most 16. Bit i of octet j of a slice is email 8j + i.
    /// </param>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    ValueTask AddAsync(AccountId account, IReadOnlyList<EmailId> emails, byte[] slices, CancellationToken cancellationToken);
}

/// <summary>Emails of an account whose signatures are kept together, position by position: a search reads only what its strings ask for.</summary>
/// <param name="Emails">Sorted.</param>
/// <param name="Slices">For each position that was asked for <see cref="SliceBytes"/> octets: which of the emails have something there.</param>
public sealed record SearchGroup(long[] Emails, byte[] Slices)
{
    /// <summary>Emails in a group: a slice is one cache line, and what is not yet in a group is read within milliseconds.</summary>
    public const int MaxEmails = 512;

    /// <summary>Octets of a slice.</summary>
    public const int SliceBytes = MaxEmails / 8;

    /// <summary>Positions of the largest signature; a smaller one has 2ⁿ of them and keeps the first n bits of a position.</summary>
    public const int Positions = 1 << 16;

    /// <summary>
    /// What a signature depends on: the text that is made of a message and how it is folded, which is raised when that changes, and the runtime, whose tables of
    /// cases and charsets may. Groups of another format are not read, those of an older one are removed.
    /// </summary>
    public static readonly int Format = (3 << 16) | Environment.Version.Major;
}
