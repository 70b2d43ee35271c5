using MailCluster.Consistency.History;
using MailCluster.Contracts;
using NewMessage = MailCluster.Consistency.History.NewMessage;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>
/// A history written by hand. Each operation takes ten ticks and follows the one before, unless <see cref="Begin"/> and <see cref="End"/> say otherwise:
/// <c>story.At(5, 40)</c> sets both for the next.
/// </summary>
internal sealed class Story
{
    public static readonly MailboxRef Inbox = new("alice", "M1");
    public static readonly MailboxRef Work = new("alice", "M2");

    private readonly List<Operation> _operations = [];
    private long _now = 100;
    private (long Begin, long End)? _next;
    private int _session = 1;
    private string _account = "alice";

    /// <summary>Both mailboxes are new and empty.</summary>
    public Story()
    {
        Done(new Create("INBOX", Inbox));
        Done(new Create("Work", Work));
        Select(Inbox, "INBOX");
        Select(Work, "Work");
    }

    public IReadOnlyList<Operation> History => [.. _operations.OrderBy(static o => o.Invoked).ThenBy(static o => o.Number)];

    public static UidSet Uids(params uint[] uids) => UidSet.FromUids(uids);

    public static FlagSet Flags(params string[] flags) => new(flags);

    public static NewMessage Message(string mark, params string[] flags) => new(mark, Flags(flags), 100);

    public Story At(long begin, long end)
    {
        _next = (begin, end);
        return this;
    }

    public Story By(int session)
    {
        _session = session;
        return this;
    }

    /// <summary>What follows is done by the user of another account, in a session of its own.</summary>
    public Story As(string account)
    {
        (_account, _session) = (account, account == "alice" ? 1 : 2);
        return this;
    }

    public long Now => _now;

    public Story Done(Act act, params Func<long, Seen>[] seen) => Add(act, Outcome.Ok, null, seen);

    public Story Lost(Act act, params Func<long, Seen>[] seen) => Add(act, Outcome.Unknown, null, seen);

    public Story Refused(Act act, string? code = null) => Add(act, Outcome.No, code, []);

    public Story Append(MailboxRef into, string mark, uint uid, params string[] flags) => Done(new Append(into, "", [Message(mark, flags)], [uid]));

    public Story AppendLost(string mark, params string[] flags) => Lost(new Append(null, "INBOX", [Message(mark, flags)], []));

    public Story Deliver(string mark) => Done(new Deliver("alice", Message(mark)));

    public Story Move(MailboxRef from, MailboxRef to, uint source, uint destination) =>
        Done(new Transfer(from, to, "", Uids(source), true, [(source, destination)]));

    public Story MoveLost(MailboxRef from, MailboxRef to, uint source) => Lost(new Transfer(from, to, "", Uids(source), true, []));

    public Story Copy(MailboxRef from, MailboxRef to, uint source, uint destination) =>
        Done(new Transfer(from, to, "", Uids(source), false, [(source, destination)]));

    public Story Replace(MailboxRef from, uint replaced, MailboxRef into, string mark, uint uid) =>
        Done(new Replace(from, replaced, into, "", Message(mark), uid));

    public Story ReplaceLost(MailboxRef from, uint replaced, MailboxRef? into, string mark) => Lost(new Replace(from, replaced, into, "", Message(mark), null));

    public Story Told(MailboxRef mailbox, uint? next = null, long? highest = null) => Done(new Read("IDLE", null), at => new SeenNews(at, mailbox, next, highest));

    public static Store Storing(MailboxRef mailbox, StoreKind kind, string flag, uint uid, long? since = null, params uint[] modified) =>
        new(mailbox, Uids(uid), kind, Flags(flag), since, Uids(modified));

    public Story Store(MailboxRef mailbox, StoreKind kind, string flag, uint uid) => Done(Storing(mailbox, kind, flag, uid));

    public Story Expunge(MailboxRef mailbox) => Done(new Expunge(mailbox, null));

    public Story List(MailboxRef mailbox, params uint[] uids) => Done(new Read("UID SEARCH", mailbox), at => new SeenAll(at, mailbox, Uids(uids), null));

    public Story Search(MailboxRef mailbox, string flag, params uint[] uids) => Done(new Read("UID SEARCH", mailbox), at => new SeenFlag(at, mailbox, flag, Uids(uids)));

    public Story Fetch(MailboxRef mailbox, uint uid, FlagSet? flags = null, long? modSeq = null, string? mark = null) =>
        Done(new Read("FETCH", mailbox), at => new SeenMessage(at, mailbox, uid, mark, flags, modSeq));

    public Story Select(MailboxRef mailbox, string name, uint next = 1, long messages = 0, uint validity = 7, long highest = 1) =>
        Done(new Select(name, mailbox, false, null), at => new SeenCounts(at, mailbox, name, messages, next, validity, highest, null, null));

    public Story QResync(MailboxRef mailbox, long since, UidSet? known, params Func<long, Seen>[] seen) =>
        Done(new Select("INBOX", mailbox, false, since, known), seen);

    private Story Add(Act act, Outcome outcome, string? code, Func<long, Seen>[] seen)
    {
        (long begin, long end) = _next ?? (_now, _now + 10);
        _next = null;
        _now = Math.Max(_now, end) + 10;
        _operations.Add(new Operation(
            _operations.Count + 1, _session, _account, begin, outcome == Outcome.Unknown ? long.MaxValue : end, outcome, code, act, [.. seen.Select(s => s(end))], act.GetType().Name));
        return this;
    }
}
