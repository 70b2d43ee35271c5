using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>UIDVALIDITY of a name only rises, also through DELETE, CREATE and RENAME (RFC 9051 §2.3.1.1), and no two mailboxes that have a name one after the other share one.</summary>
internal static class UidValidities
{
    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        var names = new Dictionary<(string Account, string Name), Rising>();
        var mailboxes = new Dictionary<(string Account, string Name, uint UidValidity), (MailboxRef In, Operation By)>();
        var readings = chronicle.Mailboxes
            .SelectMany(static m => m.Counts).Where(static c => c.Told.UidValidity is not null)
            .Select(static r => (Reading: r, Key: (r.By.Account, Name: Folded(r.Told.Name)), Value: r.Told.UidValidity!.Value)).ToList();
        foreach ((Reading<SeenCounts> reading, (string Account, string Name) key, uint value) in readings)
        {
            if (!names.TryGetValue(key, out Rising? rising))
                names[key] = rising = new Rising();
            rising.Add(reading.At, value, reading.By);
        }
        foreach ((Reading<SeenCounts> reading, (string Account, string Name) key, uint value) in readings)
        {
            string name = $"{key.Account}:{key.Name}";
            if (names[key].Before(reading.From) is { } before && before.Value > value)
            {
                yield return Checker.Broken(
                    "uidvalidity", name, $"UIDVALIDITY of {name} is {value} after it was {before.Value}", before.By, reading.By);
            }
            MailboxRef mailbox = reading.Told.In!.Value;
            if (!mailboxes.TryAdd((key.Account, key.Name, value), (mailbox, reading.By)) && mailboxes[(key.Account, key.Name, value)] is var other && other.In != mailbox)
            {
                yield return Checker.Broken(
                    "uidvalidity", name, $"{name} was {other.In} and is {mailbox}, with the same UIDVALIDITY {value}", other.By, reading.By);
            }
        }
    }

    private static string Folded(string name) => name.Equals("INBOX", StringComparison.OrdinalIgnoreCase) ? "INBOX" : name;
}
