using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// A history, sorted by what it is about: what each mailbox, message and mark was told to be, and since when that is certain. Built once; the checks only read it.
/// </summary>
internal sealed class Chronicle
{
    /// <summary>A set like 1:* names no more messages than these that nobody was told of.</summary>
    private const int MaxUnknown = 100;

    /// <summary>There is nothing that it must be newer than. Not the very first moment: others reckon with the one before.</summary>
    private const long Unbound = long.MinValue + 1;

    private readonly Dictionary<MailboxRef, MailboxChronicle> _mailboxes = [];
    private readonly List<Operation> _transfers = [];
    private readonly List<Operation> _deletes = [];
    private readonly List<Operation> _renames = [];
    private readonly IReadOnlyList<Doubt> _doubts;

    /// <param name="history">By invocation.</param>
    public Chronicle(IReadOnlyList<Operation> history, IReadOnlyList<Doubt> doubts)
    {
        History = history;
        _doubts = doubts;
        foreach (Operation operation in history)
        {
            foreach (Seen seen in operation.Seen)
                Add(operation, seen);
            Add(operation);
        }
        foreach (MailboxChronicle mailbox in _mailboxes.Values)
            Settle(mailbox);
        foreach (Operation transfer in _transfers)
            AddOpenTransfer(transfer);
        AddDeliveries();
        NameMarks();
        Origins = new Origins(this);
        foreach (MailboxChronicle mailbox in _mailboxes.Values)
            FindAdded(mailbox);
        new Removals(this, _deletes, _renames).Find();
    }

    public IReadOnlyList<Operation> History { get; }

    public IReadOnlyCollection<MailboxChronicle> Mailboxes => _mailboxes.Values;

    /// <summary>What was or may have been stored without a UID being told.</summary>
    public List<Arrival> Arrivals { get; } = [];

    public Origins Origins { get; }

    public MailboxChronicle Mailbox(MailboxRef mailbox)
    {
        if (!_mailboxes.TryGetValue(mailbox, out MailboxChronicle? chronicle))
            _mailboxes[mailbox] = chronicle = new MailboxChronicle(mailbox);
        return chronicle;
    }

    /// <summary>The earliest moment at which what was told can have been so.</summary>
    public long From(Operation operation, long at)
    {
        // Told before the command was sent.
        if (at < operation.Invoked)
            return Unbound;
        long from = operation.Invoked;
        foreach (Doubt doubt in _doubts)
        {
            if (at >= doubt.From && operation.Invoked <= doubt.To)
                from = Math.Min(from, doubt.From);
        }
        return from;
    }

    private void Add(Operation by, Seen seen)
    {
        long from = seen is SeenMessage { MayBeNews: true } ? Unbound : From(by, seen.At);
        switch (seen)
        {
            case SeenMessage told:
                MailboxChronicle mailbox = Mailbox(told.In);
                MessageChronicle message = mailbox.Message(told.Uid);
                message.Known = message.Known.OrEarlier(new Proof(told.At, by));
                message.Mark ??= told.Mark;
                message.Readings.Add(new(from, told.At, by, told));
                if (told.ModSeq is { } modSeq)
                    mailbox.ModSeq.Add(told.At, modSeq, by);
                break;
            case SeenAnnotations told:
                Mailbox(told.In).Message(told.Uid).AnnotationReadings.Add(new(from, told.At, by, told));
                break;
            case SeenAll told:
                Mailbox(told.In).Listings.Add(new(from, told.At, by, new Listing(told.Uids, null, told.HighestModSeq)));
                if (told.HighestModSeq is { } highest)
                    Mailbox(told.In).ModSeq.Add(told.At, highest, by);
                break;
            case SeenFlag told:
                Mailbox(told.In).Listings.Add(new(from, told.At, by, new Listing(told.Uids, told.Flag, null)));
                break;
            case SeenGone told:
                foreach (uint uid in told.Uids.Uids())
                {
                    MessageChronicle gone = Mailbox(told.In).Message(uid);
                    gone.Known = gone.Known.OrEarlier(new Proof(told.At, by));
                    gone.Gone = gone.Gone.OrEarlier(new Proof(told.At, by));
                }
                break;
            case SeenCounts { In: { } named } told:
                MailboxChronicle counted = Mailbox(named);
                counted.Names.Add(told.Name);
                counted.Counts.Add(new(from, told.At, by, told));
                if (told.UidNext is { } next)
                {
                    counted.Baseline = Math.Min(counted.Baseline, next);
                    counted.UidNext.Add(told.At, next, by);
                }
                if (told.HighestModSeq is { } value)
                    counted.ModSeq.Add(told.At, value, by);
                break;
            case SeenNews told:
                if (told.UidNext is { } following)
                    Mailbox(told.In).UidNext.Add(told.At, following, by);
                if (told.HighestModSeq is { } reached)
                    Mailbox(told.In).ModSeq.Add(told.At, reached, by);
                break;
            default:
                break;
        }
    }

    private void Add(Operation operation)
    {
        switch (operation.Act)
        {
            case Create { Made: { } made } create:
                Mailbox(made).Names.Add(create.Name);
                Mailbox(made).IsNew = operation.Outcome == Outcome.Ok;
                break;
            case Select { In: { } selected } select:
                Mailbox(selected).Names.Add(select.Name);
                break;
        }
        if (!operation.CanHaveEffect())
            return;
        switch (operation.Act)
        {
            case Append append:
                AddAppend(operation, append);
                break;
            case Replace replace:
                AddReplace(operation, replace);
                break;
            case Deliver:
                break;
            case Transfer transfer:
                AddTransfer(operation, transfer);
                break;
            case Store store:
                Mailbox(store.In).Stores.Add(operation);
                break;
            case Annotate annotate:
                Mailbox(annotate.In).Annotates.Add(operation);
                break;
            case Expunge expunge:
                Mailbox(expunge.In).Expunges.Add(operation);
                break;
            case Remove remove:
                Mailbox(remove.In).Removes.Add(operation);
                break;
            case Delete:
                _deletes.Add(operation);
                break;
            case Rename:
                _renames.Add(operation);
                break;
        }
    }

    private void AddAppend(Operation operation, Append append)
    {
        MailboxChronicle? into = append.Into is { } known ? Mailbox(known) : null;
        bool isTold = operation.Outcome == Outcome.Ok && into is not null && append.Uids.Count == append.Messages.Count;
        for (int i = 0; i < append.Messages.Count; i++)
        {
            if (!isTold)
            {
                Arrivals.Add(new Arrival(operation, SharedNames.OwnerOf(operation.Account, append.Name), into, append.Messages[i], null, operation.Outcome == Outcome.Ok ? operation : null));
                continue;
            }
            MessageChronicle message = into!.Message(append.Uids[i]);
            message.Known = message.Known.OrEarlier(new Proof(operation.Completed, operation));
            message.New = append.Messages[i];
            SetOrigin(message, operation);
        }
    }

    private void AddReplace(Operation operation, Replace replace)
    {
        MailboxChronicle from = Mailbox(replace.In);
        MessageChronicle replaced = from.Message(replace.Uid);
        from.Moves.Add(operation);
        MailboxChronicle? into = replace.Into is { } known ? Mailbox(known) : null;
        if (operation.Outcome == Outcome.Ok)
        {
            replaced.Known = replaced.Known.OrEarlier(new Proof(operation.Completed, operation));
            replaced.Gone = replaced.Gone.OrEarlier(new Proof(operation.Completed, operation));
        }
        if (operation.Outcome != Outcome.Ok || into is null || replace.NewUid is not { } uid)
        {
            Arrivals.Add(new Arrival(operation, SharedNames.OwnerOf(operation.Account, replace.Name), into, replace.Message, null, operation.Outcome == Outcome.Ok ? operation : null) { Replaces = replaced });
            return;
        }
        MessageChronicle message = into.Message(uid);
        message.Known = message.Known.OrEarlier(new Proof(operation.Completed, operation));
        message.New = replace.Message;
        SetOrigin(message, operation);
    }

    private void AddTransfer(Operation operation, Transfer transfer)
    {
        if (transfer.Move)
            Mailbox(transfer.From).Moves.Add(operation);
        if (operation.Outcome != Outcome.Ok || transfer.To is null || transfer.Pairs.Count == 0)
        {
            _transfers.Add(operation);
            return;
        }
        foreach ((uint source, uint destination) in transfer.Pairs)
        {
            MessageChronicle from = Mailbox(transfer.From).Message(source);
            MessageChronicle copy = Mailbox(transfer.To.Value).Message(destination);
            from.Known = from.Known.OrEarlier(new Proof(operation.Completed, operation));
            copy.Known = copy.Known.OrEarlier(new Proof(operation.Completed, operation));
            copy.Source = from;
            SetOrigin(copy, operation);
            if (transfer.Move)
                from.Gone = from.Gone.OrEarlier(new Proof(operation.Completed, operation));
        }
    }

    private static void SetOrigin(MessageChronicle message, Operation operation)
    {
        message.Origin = operation;
        message.AddedFrom = operation.Invoked;
    }

    /// <summary>What listings show for the first time; then the order of UIDs is known.</summary>
    private static void Settle(MailboxChronicle mailbox)
    {
        if (mailbox.IsNew)
            mailbox.Baseline = 0;
        UidSet told = UidSet.Empty;
        foreach (Reading<Listing> listing in mailbox.Listings.OrderBy(static l => l.At))
        {
            UidSet fresh = listing.Told.Uids.Except(told);
            if (fresh.IsEmpty)
                continue;
            foreach (uint uid in fresh.Uids())
            {
                MessageChronicle message = mailbox.Message(uid);
                message.Known = message.Known.OrEarlier(new Proof(listing.At, listing.By));
            }
            told = told.Union(fresh);
        }
        mailbox.Sort();
        foreach (Operation operation in mailbox.Stores)
        {
            var store = (Store)operation.Act;
            foreach (MessageChronicle message in mailbox.Of(store.Uids.Except(store.Modified)))
                message.Stores.Add(operation);
        }
        foreach (Operation operation in mailbox.Annotates)
        {
            var annotate = (Annotate)operation.Act;
            foreach (MessageChronicle message in mailbox.Of(annotate.Uids.Except(annotate.Modified)))
                message.Annotates.Add(operation);
        }
    }

    private void AddOpenTransfer(Operation operation)
    {
        var transfer = (Transfer)operation.Act;
        MailboxChronicle? into = transfer.To is { } to ? Mailbox(to) : null;
        string account = SharedNames.OwnerOf(operation.Account, transfer.ToName);
        int known = Arrivals.Count;
        foreach (MessageChronicle source in Mailbox(transfer.From).Of(transfer.Uids))
            Arrivals.Add(new Arrival(operation, account, into, null, source, null));
        known = Arrivals.Count - known;
        // Messages that nobody was ever told of can have been among those that it named.
        for (long unknown = Math.Min(transfer.Uids.Cardinality - known, MaxUnknown); unknown > 0; unknown--)
            Arrivals.Add(new Arrival(operation, account, into, null, null, null));
    }

    // A message that is delivered again to the same recipient, byte for byte, is stored once (promise 5).
    private void AddDeliveries()
    {
        foreach (var deliveries in History.Where(static o => o.Act is Deliver && o.CanHaveEffect())
            .GroupBy(static o => (((Deliver)o.Act).Recipient, ((Deliver)o.Act).Message.Mark)))
        {
            Operation first = deliveries.First();
            var deliver = (Deliver)first.Act;
            Operation? done = deliveries.Where(static o => o.Outcome == Outcome.Ok).MinBy(static o => o.Completed);
            Arrivals.Add(new Arrival(first, AccountOf(deliver.Recipient), InboxOf(deliver.Recipient), deliver.Message, null, done));
        }
    }

    private void NameMarks()
    {
        foreach (MessageChronicle message in _mailboxes.Values.SelectMany(static m => m.Messages))
        {
            // Copies of copies: as far back as a mark is known.
            var chain = new List<MessageChronicle>();
            MessageChronicle? at = message;
            while (at is { Mark: null, New: null, Source: not null } && chain.Count < 1000)
            {
                chain.Add(at);
                at = at.Source;
            }
            string? mark = at.Mark ?? at.New?.Mark;
            at.Mark = mark;
            chain.ForEach(m => m.Mark = mark);
        }
    }

    private static string AccountOf(string recipient)
    {
        int detail = recipient.IndexOf('+'), domain = recipient.IndexOf('@');
        return detail >= 0 && detail < domain ? recipient.Remove(detail, domain - detail) : recipient;
    }

    /// <summary>Null where it is not known which mailbox is the INBOX, or a folder was named.</summary>
    private MailboxChronicle? InboxOf(string recipient)
    {
        MailboxChronicle? inbox = null;
        foreach (MailboxChronicle mailbox in _mailboxes.Values)
        {
            if (!mailbox.Ref.Account.Equals(recipient, StringComparison.OrdinalIgnoreCase)
                || !mailbox.Names.Any(static n => n.Equals("INBOX", StringComparison.OrdinalIgnoreCase)))
                continue;
            if (inbox is not null)
                return null;
            inbox = mailbox;
        }
        return inbox;
    }

    /// <summary>Commit order: what has a smaller UID than something that is there was committed before it.</summary>
    private static void FindAdded(MailboxChronicle mailbox)
    {
        Proof later = Proof.Never;
        for (int i = mailbox.Messages.Count - 1; i >= 0; i--)
        {
            MessageChronicle message = mailbox.Messages[i];
            later = later.OrEarlier(message.Known).OrEarlier(mailbox.UidNext.Reached((long)message.Uid + 1));
            message.Added = later;
        }
    }
}
