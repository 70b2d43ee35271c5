using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload.Deeds;

namespace MailCluster.Consistency.Workload;

/// <summary>
/// One mailbox of the first account in which all accounts work, with all rights (RFC 4314); \Seen is each one's own there. Where one account is another tenant's the list names it, for "anyone" is nobody else's,
/// and it has a mailbox of its own for the others.
/// </summary>
internal static class Sharing
{
    public const string Mailbox = "common";

    public const string Visited = "visited";
    private const string Rights = "lrswipkxtean";

    /// <summary>Makes them, where the server has rights and there are others; they are never deleted or renamed.</summary>
    /// <param name="workers">At least one of each account that takes part.</param>
    /// <param name="guests">The accounts of the other tenant, which shares.</param>
    public static async Task PrepareAsync(IReadOnlyList<Worker> workers, IReadOnlyList<AccountState> accounts, IReadOnlyList<string> guests)
    {
        AccountState owner = accounts[0];
        AccountState[] others = [.. accounts.Skip(1)];
        await ShareAsync(workers, owner, Mailbox, others, ["anyone", .. guests]);
        foreach (AccountState guest in others.Where(a => guests.Contains(a.User)))
        {
            AccountState[] hosts = [.. accounts.Where(a => !guests.Contains(a.User))];
            await ShareAsync(workers, guest, Visited, hosts, [.. hosts.Select(static h => h.User)]);
        }
    }

    private static async Task ShareAsync(IReadOnlyList<Worker> workers, AccountState owner, string mailbox, IReadOnlyList<AccountState> with, IReadOnlyList<string> names)
    {
        if (with.Count == 0 || workers.FirstOrDefault(w => w.Account == owner) is not { Connection: { HasEnded: false } session } worker || !session.Can("ACL"))
            return;
        await Naming.CreateAsync(worker, mailbox);
        foreach (string name in names)
        {
            Answer shared = await session.RunAsync(new Command("SETACL", $"{mailbox} {name} {Rights}") { Act = static _ => new Read("SETACL", null) });
            if (!shared.IsOk)
                return;
        }
        foreach (AccountState other in with)
            other.Appeared(SharedNames.Of(owner.User, mailbox));
    }
}
