using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>Figures of mailboxes and accounts.</summary>
internal static class Counts
{
    /// <summary>STATUS (RFC 9051 §7.3.4); learns which mailbox has the name.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static SeenCounts OfStatus(Response response, string account, MailboxRegistry registry, long at)
    {
        (string name, Dictionary<string, Token> values) = Status(response);
        long? Value(string item) => values.GetValueOrDefault(item)?.Number;
        string? id = values.GetValueOrDefault("MAILBOXID")?.Items is [{ Text: { } text }] ? text : null;
        var uidValidity = (uint?)Value("UIDVALIDITY");
        MailboxRef? mailbox = uidValidity is { } known ? registry.Learn(account, name, known, id) : null;
        return new SeenCounts(at, mailbox, name, Value("MESSAGES"), (uint?)Value("UIDNEXT"), uidValidity, Value("HIGHESTMODSEQ"), Value("UNSEEN"), Value("SIZE"));
    }

    /// <summary>STATUS because of NOTIFY; null where it is not certain which mailbox it is of: names may be others' by now, and mailboxes made at the same time share their UIDVALIDITY.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static SeenNews? OfNews(Response response, string account, MailboxRegistry registry, long at)
    {
        (string name, Dictionary<string, Token> values) = Status(response);
        return values.GetValueOrDefault("UIDVALIDITY")?.Number is { } uidValidity && registry.Of(account, name, (uint)uidValidity) is { } mailbox && registry.LastNamed(account, name) == mailbox
            ? new SeenNews(at, mailbox, (uint?)values.GetValueOrDefault("UIDNEXT")?.Number, values.GetValueOrDefault("HIGHESTMODSEQ")?.Number)
            : null;
    }

    /// <summary>The items of a STATUS response.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static (string Name, Dictionary<string, Token> Values) Status(Response response)
    {
        if (response.Arguments is not [{ Text: { } name }, ListToken { Items: var items }] || items.Count % 2 != 0)
            throw new FormatException("STATUS without name or list");
        var values = new Dictionary<string, Token>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < items.Count; i += 2)
            values[items[i].Text ?? ""] = items[i + 1];
        return (name, values);
    }

    /// <summary>QUOTA (RFC 9208 §5.1).</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static SeenUsage OfQuota(Response response, string account, long at)
    {
        if (response.Arguments is not [{ Text: not null }, ListToken { Items: var items }] || items.Count % 3 != 0)
            throw new FormatException("QUOTA without root or resources");
        long? Usage(string resource)
        {
            for (int i = 0; i < items.Count; i += 3)
            {
                if (items[i].Is(resource))
                    return items[i + 1].Number;
            }
            return null;
        }
        return new SeenUsage(at, account, Usage("STORAGE"), Usage("MESSAGE"));
    }
}
