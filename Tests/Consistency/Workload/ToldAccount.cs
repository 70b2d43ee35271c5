using MailCluster.Consistency.Client;

namespace MailCluster.Consistency.Workload;

/// <summary>An account as NOTIFY (RFC 5465) has told it to a client: its mailboxes, and of each the last value of each STATUS item.</summary>
internal sealed class ToldAccount
{
    private readonly Dictionary<string, Dictionary<string, long>> _mailboxes = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _mailboxes.Keys;

    public void Hear(Response response)
    {
        switch (response)
        {
            case { Name: "STATUS" }:
                (string name, Dictionary<string, Token> values) = Counts.Status(response);
                Dictionary<string, long> known = Mailbox(name);
                foreach ((string item, Token value) in values)
                {
                    if (value.Number is { } number)
                        known[item.ToUpperInvariant()] = number;
                }
                break;
            case { Name: "LIST", Arguments: [_, _, { Text: { } listed }, ListToken { Items: [{ Text: "OLDNAME" }, ListToken { Items: [{ Text: { } old }] }] }] }:
                if (_mailboxes.Remove(old, out Dictionary<string, long>? moved))
                    _mailboxes[listed] = moved;
                else
                    Mailbox(listed);
                break;
            case { Name: "LIST", Arguments: [var attributes, _, { Text: { } listed }, ..] }:
                if (attributes.Items.Any(static a => a.Is(@"\NonExistent")))
                    _mailboxes.Remove(listed);
                else
                    Mailbox(listed);
                break;
            default:
                break;
        }
    }

    /// <summary>What it lacks, or has that is not so, in words.</summary>
    /// <param name="now">STATUS of all mailboxes.</param>
    /// <param name="shared">Mailboxes that are shared with another tenant, whose HIGHESTMODSEQ what the tenants say raises as well: that is no news of messages.</param>
    public IEnumerable<string> Differences(IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> now, params IReadOnlyCollection<string> shared)
    {
        foreach (string name in _mailboxes.Keys.Except(now.Keys))
            yield return $"{name} is gone";
        foreach ((string name, IReadOnlyDictionary<string, long> figures) in now)
        {
            if (!_mailboxes.TryGetValue(name, out Dictionary<string, long>? told))
            {
                yield return $"{name} is there";
                continue;
            }
            foreach ((string item, long value) in figures)
            {
                // Of a mailbox that was made and has never had a message nothing is told but that it is there.
                bool isNew = told.Count == 0 && figures.GetValueOrDefault("UIDNEXT") == 1;
                if (item == "HIGHESTMODSEQ" && shared.Contains(name))
                    continue;
                if (!isNew && told.GetValueOrDefault(item, -1) is var had && had != value)
                    yield return $"{item} of {name} is {value}, not {had}";
            }
        }
    }

    private Dictionary<string, long> Mailbox(string name)
    {
        if (!_mailboxes.TryGetValue(name, out Dictionary<string, long>? known))
            _mailboxes[name] = known = [];
        return known;
    }
}
