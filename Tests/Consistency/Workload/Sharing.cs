using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload.Deeds;

namespace MailCluster.Consistency.Workload;

/// <summary>One mailbox of the first account in which all accounts work, with all rights (RFC 4314); \Seen is each one's own there.</summary>
internal static class Sharing
{
    public const string Mailbox = "common";

    /// <summary>Makes it, where the server has rights and there are others; it is never deleted or renamed.</summary>
    /// <param name="owner">A client of the first account.</param>
    public static async Task PrepareAsync(Worker owner, IReadOnlyList<AccountState> accounts)
    {
        if (accounts.Count < 2 || owner.Connection is not { HasEnded: false } session || !session.Can("ACL"))
            return;
        await Naming.CreateAsync(owner, Mailbox);
        Answer shared = await session.RunAsync(new Command("SETACL", $"{Mailbox} anyone lrswipkxtea") { Act = static _ => new Read("SETACL", null) });
        if (!shared.IsOk)
            return;
        foreach (AccountState other in accounts.Skip(1))
            other.Appeared(SharedNames.Of(accounts[0].User, Mailbox));
    }
}
