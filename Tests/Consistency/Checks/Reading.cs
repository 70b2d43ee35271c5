using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>Something that was told: it was so at a moment from <paramref name="From"/> on, not later than <paramref name="At"/>.</summary>
internal readonly record struct Reading<T>(long From, long At, Operation By, T Told);

/// <summary>
/// A span in which an owner that was frozen or cut off may still have answered from its memory (promise 3: until at most 1 s after it was declared dead). What is read in it
/// may be as old as its beginning. Ticks as in <see cref="Operation"/>.
/// </summary>
internal readonly record struct Doubt(long From, long To);

/// <summary>UIDs of a mailbox that a search found: all of them (<paramref name="Flag"/> null), or those that have a flag.</summary>
internal readonly record struct Listing(UidSet Uids, string? Flag, long? HighestModSeq);
