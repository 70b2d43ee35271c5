using System.Diagnostics.CodeAnalysis;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload;

/// <summary>One client: a loop that does one deed after the other, each of its own choice, and comes back through the next front end when its connection ends.</summary>
internal sealed class Worker(int number, WorkloadOptions options, SessionContext context, AccountState account)
{
    private const int KeptMemories = 8;

    private readonly List<Remembered> _memories = [];
    private int _frontEnd = number;

    public Random Random { get; } = new(unchecked((options.Seed * 1_000_003) + number));

    public Marks Marks { get; } = new(options.Seed, number);

    public WorkloadOptions Options => options;

    public SessionContext Context => context;

    public AccountState Account => account;

    /// <summary>Null before the first connection; may have ended.</summary>
    public ImapSession? Connection { get; private set; }

    /// <summary>The one that deeds work with.</summary>
    public ImapSession Session => Connection!;

    public MailboxView? View => Session.Model.View;

    public FrontEndAddress FrontEnd => options.FrontEnds[_frontEnd % options.FrontEnds.Count];

    /// <summary>Fires when the run is to end; long deeds (IDLE) look at it.</summary>
    public CancellationToken Stop { get; private set; }

    /// <summary>What it remembers of mailboxes, to open them again with QRESYNC.</summary>
    public IReadOnlyList<Remembered> Memories => _memories;

    /// <summary>Makes the mailboxes that the account is to have at first.</summary>
    public async Task PrepareAsync()
    {
        for (int tries = 0; Connection is null or { HasEnded: true } && tries < 20; tries++)
            await ConnectAsync();
        if (Connection is { HasEnded: false })
            await Session.RunAsync(Deeds.Watching.Status(this, "INBOX"));
        foreach (string name in options.Mailboxes)
        {
            if (Connection is { HasEnded: false })
                await Deeds.Naming.CreateAsync(this, name);
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        Stop = stop;
        while (!stop.IsCancellationRequested)
        {
            if (Connection is null or { HasEnded: true })
                await ConnectAsync();
            else
                await StepAsync();
            await PauseAsync(options.Think);
        }
    }

    public bool Chance(double share) => Random.NextDouble() < share;

    /// <summary>Whether a command is to name its messages by UID: always where it can't by number.</summary>
    public bool ByUid() => Chance(0.5) || !Session.Model.UsesNumbers;

    public T OneOf<T>(IReadOnlyList<T> choices) => choices[Random.Next(choices.Count)];

    public string AnyMailbox() => OneOf(account.Names);

    /// <summary>Which mailbox a response code's UIDVALIDITY means, where it is about a name; null: not known, or no such code.</summary>
    public MailboxRef? MailboxOf(ResponseCode? code, string name) => code?.Arguments is [{ Uid: { } uidValidity }, ..] ? context.Registry.Of(account.User, name, uidValidity) : null;

    /// <summary>Some messages of the selected mailbox, by their numbers, all of whose UIDs are known; false where there are none.</summary>
    public bool TryPick(int atMost, [NotNullWhen(true)] out UidSet? numbers, [NotNullWhen(true)] out UidSet? uids)
    {
        (numbers, uids) = (null, null);
        if (View is not { Exists: > 0 } view)
            return false;
        int count = Random.Next(1, Math.Min(atMost, view.Exists) + 1);
        int first = Random.Next(1, view.Exists - count + 2);
        // Neighbours mostly, now and then some from all over.
        bool isScattered = Chance(0.3);
        List<uint> picked = [.. Enumerable.Range(0, count).Select(i => (uint)(isScattered ? Random.Next(1, view.Exists + 1) : first + i)).Where(n => view.UidAt((int)n) != 0)];
        if (picked.Count == 0)
            return false;
        numbers = UidSet.FromUids(picked);
        uids = UidSet.FromUids(picked.Select(n => view.UidAt((int)n)));
        return true;
    }

    /// <summary>Keeps the mailbox as it is known now, for a later SELECT.</summary>
    public void Remember()
    {
        if (!Session.Model.HasQResync || View?.Remember() is not { } remembered)
            return;
        if (_memories.Count < KeptMemories)
            _memories.Add(remembered);
        else
            _memories[Random.Next(KeptMemories)] = remembered;
    }

    public void Forget(Remembered remembered) => _memories.Remove(remembered);

    public async Task PauseAsync(TimeSpan average)
    {
        try
        {
            await Task.Delay(average * (2 * Random.NextDouble()), Stop);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ConnectAsync()
    {
        if (Connection is not null)
        {
            _frontEnd++;
            await PauseAsync(TimeSpan.FromMilliseconds(100));
        }
        Resync resync = Random.Next(10) switch { < 5 => Resync.QResync, < 8 => Resync.CondStore, _ => Resync.None };
        Connection = await Connector.OpenAsync(context, FrontEnd.Imap, account.User, account.Password, resync);
        if (Connection is null)
        {
            _frontEnd++;
            await PauseAsync(TimeSpan.FromMilliseconds(500));
        }
        else if (Chance(0.12))
        {
            await Deeds.Modes.UidOnlyAsync(Connection);
        }
        else if (Chance(0.12))
        {
            await Deeds.Modes.NotifyAsync(Connection);
        }
    }

    private async Task StepAsync()
    {
        await Session.DrainAsync();
        if (Session.HasEnded)
            return;
        // Most clients want to know what they have before anything else.
        if (View is { } view && Chance(0.7) && await Deeds.Fetching.CatchUpAsync(this, view))
            return;
        await Deeds.Mix.Choose(this).Do(this);
    }
}
