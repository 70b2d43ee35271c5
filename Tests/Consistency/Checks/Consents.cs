using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// What two tenants share counts while both say so: before that nothing can be read or changed across, and after one has taken it back nothing that starts then; while they share nobody is refused what the lists
/// of rights give, which is everything here. Nobody else is ever refused for want of a right.
/// </summary>
internal static class Consents
{
    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        Operation[] consents = [.. chronicle.History.Where(static o => o.Act is Consent)];
        HashSet<string> one = [], other = [];
        foreach (Consent consent in consents.Select(static o => (Consent)o.Act))
        {
            one.UnionWith(consent.One);
            other.UnionWith(consent.Other);
        }
        foreach (Operation operation in chronicle.History)
        {
            string[] accounts = [.. Accounts(operation)];
            bool crosses = accounts.Any(a => Crosses(operation.Account, a));
            foreach (Seen seen in operation.Seen)
            {
                if (OwnerOf(operation, seen) is { } owner && Crosses(operation.Account, owner) && At(chronicle.From(operation, seen.At), seen.At) is { Act: Consent { Given: false } } withdrawn)
                    yield return Checker.Broken("consent", $"operation {operation.Number}", $"{operation.Account} was told of a mailbox of {owner} in operation {operation.Number}, after operation {withdrawn.Number} had ended that", withdrawn, operation);
                if (seen is SeenEnd { In: { } selected, Bye: { } bye } && bye.StartsWith("[NOPERM]", StringComparison.Ordinal) && !Crosses(operation.Account, selected.Account))
                    yield return Checker.Broken("consent", $"operation {operation.Number}", $"the session of {operation.Account} in {selected} was ended for want of rights", operation);
            }
            if (operation.Outcome == Outcome.Ok && crosses && IsDone(operation.Act) && At(operation.Invoked, operation.Completed) is { Act: Consent { Given: false } } ended)
                yield return Checker.Broken("consent", $"operation {operation.Number}", $"{operation.Text} of {operation.Account} was done, after operation {ended.Number} had ended that", ended, operation);
            if (operation.Outcome != Outcome.No)
                continue;
            if (crosses && IsRefusal(operation) && At(operation.Invoked, operation.Completed) is { Act: Consent { Given: true } } given)
                yield return Checker.Broken("consent", $"operation {operation.Number}", $"{operation.Text} of {operation.Account} was answered NO [{operation.Code}], though the tenants have shared since operation {given.Number}", given, operation);
            if (operation.Code == "NOPERM" && !crosses)
                yield return Checker.Broken("consent", $"operation {operation.Number}", $"{operation.Text} of {operation.Account} was answered NO [NOPERM]", operation);
        }

        bool Crosses(string account, string owner) => (one.Contains(account) && other.Contains(owner)) || (other.Contains(account) && one.Contains(owner));

        // What has certainly been so in all of a span.
        Operation? At(long from, long to) => Array.FindLast(consents, c => c.Invoked <= to) is { Outcome: Outcome.Ok } last && last.Completed < from ? last : null;
    }

    /// <summary>Whose mailboxes an operation names.</summary>
    private static IEnumerable<string> Accounts(Operation operation) => operation.Act switch
    {
        Select select => [SharedNames.OwnerOf(operation.Account, select.Name)],
        Append append => [SharedNames.OwnerOf(operation.Account, append.Name)],
        Replace replace => [replace.In.Account, SharedNames.OwnerOf(operation.Account, replace.Name)],
        Transfer transfer => [transfer.From.Account, SharedNames.OwnerOf(operation.Account, transfer.ToName)],
        Store store => [store.In.Account],
        Annotate annotate => [annotate.In.Account],
        Expunge expunge => [expunge.In.Account],
        Read { In: { } selected } => [selected.Account],
        _ => [],
    };

    /// <summary>Whether a NO says that there is no such mailbox, or that it is not for who asks. What is shared here is never deleted; of others that are named beside it TRYCREATE and NONEXISTENT may be said.</summary>
    private static bool IsRefusal(Operation operation) => operation.Act switch
    {
        // Its session may have lost the mailbox before.
        Read => false,
        _ when operation.Code == "NOPERM" => true,
        Select => operation.Code == "NONEXISTENT",
        Append => operation.Code is "NONEXISTENT" or "TRYCREATE",
        Transfer transfer => operation.Code == "TRYCREATE" && SharedNames.OwnerOf(operation.Account, transfer.ToName) != operation.Account,
        _ => false,
    };

    /// <summary>Of those that are answered OK: what cannot have found nothing to do. Others are judged by what they tell.</summary>
    private static bool IsDone(Act act) => act is Select or Append or Replace or Transfer { Pairs.Count: > 0 };

    private static string? OwnerOf(Operation operation, Seen seen) => seen switch
    {
        SeenMessage s => s.In.Account,
        SeenAnnotations s => s.In.Account,
        SeenAll s => s.In.Account,
        SeenFlag s => s.In.Account,
        SeenGone s => s.In.Account,
        SeenVanished s => s.In.Account,
        SeenCounts s => s.In?.Account ?? SharedNames.OwnerOf(operation.Account, s.Name),
        _ => null,
    };
}
