using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>Which mailbox may have had a name: all under which it was told, and those that a RENAME may have given it.</summary>
internal static class MailboxNames
{
    /// <summary>More names than this: it may have any.</summary>
    private const int MaxNames = 100;

    public static bool MayHave(MailboxChronicle mailbox, Delete delete, Operation operation, IReadOnlyList<Operation> renames)
    {
        if (mailbox.Ref.Account != operation.Account)
            return false;
        if (mailbox.Names.Count == 0)
            return true;
        var names = new HashSet<string>(mailbox.Names, StringComparer.Ordinal);
        for (bool more = true; more && names.Count <= MaxNames;)
        {
            more = false;
            foreach (Operation renaming in renames)
            {
                if (renaming.Account != operation.Account)
                    continue;
                var rename = (Rename)renaming.Act;
                string[] given = [.. names.Select(n => Renamed(n, rename)).OfType<string>()];
                foreach (string name in given)
                    more |= names.Add(name);
            }
        }
        return names.Count > MaxNames || names.Contains(delete.Name);
    }

    /// <summary>A mailbox and all below it; any sign may be the delimiter.</summary>
    private static string? Renamed(string name, Rename rename)
    {
        if (name == rename.Name)
            return rename.To;
        return name.Length > rename.Name.Length && name.StartsWith(rename.Name, StringComparison.Ordinal) && !char.IsLetterOrDigit(name[rename.Name.Length])
            ? rename.To + name[rename.Name.Length..]
            : null;
    }
}
