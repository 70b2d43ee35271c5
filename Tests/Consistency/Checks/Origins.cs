using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Who made the messages of which no client was told that it made them: operations of unknown outcome, deliveries, copies. For each mark, the messages that carry it without
/// a known origin on one side, the operations that can have made one on the other. Where one stands against one it is certain, and the operation has happened.
/// </summary>
internal sealed class Origins
{
    private readonly Dictionary<string, List<MessageChronicle>> _open = [];
    private readonly Dictionary<string, List<Arrival>> _arrivals = [];
    private readonly List<Arrival> _unmarked = [];

    /// <summary>Narrows down, in the messages themselves, where they come from.</summary>
    public Origins(Chronicle chronicle)
    {
        foreach (MessageChronicle message in chronicle.Mailboxes.SelectMany(static m => m.Messages))
        {
            if (message is { Origin: null, IsOlder: false, Mark: { } mark })
                Add(_open, mark, message);
        }
        foreach (Arrival arrival in chronicle.Arrivals)
        {
            if (arrival.Mark is { } mark)
                Add(_arrivals, mark, arrival);
            else
                _unmarked.Add(arrival);
        }
        foreach (MessageChronicle message in _open.Values.SelectMany(static m => m))
            Narrow(message);
    }

    /// <summary>Messages without a known origin, by mark.</summary>
    public IReadOnlyDictionary<string, List<MessageChronicle>> Open => _open;

    /// <summary>What can have made a message with this mark, the unknown ones that may be any included.</summary>
    public IEnumerable<Arrival> Of(string mark) => (_arrivals.GetValueOrDefault(mark) ?? []).Concat(_unmarked);

    public IEnumerable<MessageChronicle> OpenIn(MailboxChronicle mailbox, string mark) =>
        (_open.GetValueOrDefault(mark) ?? []).Where(m => m.Mailbox == mailbox);

    public IEnumerable<Arrival> CandidatesOf(MessageChronicle message) =>
        Of(message.Mark!).Where(a => a.CanBeIn(message.Mailbox) && a.By.Invoked <= message.Known.At);

    private void Narrow(MessageChronicle message)
    {
        Arrival[] candidates = [.. CandidatesOf(message)];
        if (candidates.Length == 0)
            return;
        message.AddedFrom = candidates.Min(static a => a.By.Invoked);
        if (candidates.Length > 1 || OpenIn(message.Mailbox, message.Mark!).Count() > 1)
            return;
        Arrival made = candidates[0];
        message.Origin = made.By;
        message.New = made.New;
        message.Source = made.Source;
        if (made.Done is { } done)
            message.Known = message.Known.OrEarlier(new Proof(done.Completed, done));
        if (made.Takes is { } taken)
            taken.Gone = taken.Gone.OrEarlier(message.Known);
    }

    private static void Add<T>(Dictionary<string, List<T>> lists, string mark, T item)
    {
        if (!lists.TryGetValue(mark, out List<T>? list))
            lists[mark] = list = [];
        list.Add(item);
    }
}
