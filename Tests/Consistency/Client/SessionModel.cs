using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>
/// What one session knows from the responses that it got, in their order, and whether they agree with each other. Responses are given with the command that is being
/// answered, to which everything seen is added; what is wrong becomes a <see cref="SeenBreach"/>.
/// </summary>
/// <param name="bodyIsRight">Whether the octets of BODY[] are those that were stored under their mark.</param>
internal sealed class SessionModel(string account, MailboxRegistry registry, Func<byte[], bool> bodyIsRight)
{
    private readonly Dictionary<(MailboxRef, uint UidValidity), MailboxMemory> _memories = [];

    /// <summary>Null: no mailbox is selected.</summary>
    public MailboxView? View { get; private set; }

    public MailboxRef? Selected => View?.Mailbox;

    public bool HasQResync { get; set; }

    /// <summary>ENABLE UIDONLY (RFC 9586): no message numbers, neither way.</summary>
    public bool HasUidOnly { get; set; }

    /// <summary>NOTIFY SET (SELECTED …) was sent: EXPUNGE and VANISHED may come at any time, so that the client can't use message numbers (RFC 5465 §5.2).</summary>
    public bool IsToldAtOnce { get; set; }

    /// <summary>Whether commands may name messages by their numbers.</summary>
    public bool UsesNumbers => !HasUidOnly && !IsToldAtOnce;

    /// <summary>NOTIFY SET was sent: STATUS may come at any time (RFC 5465).</summary>
    public bool HasNotify { get; set; }

    /// <summary>An untagged response, or a tagged one of the command (its Complete was called).</summary>
    /// <exception cref="FormatException">It is no IMAP.</exception>
    public void Feed(Response response, Answer answer, long at)
    {
        if (answer.Command.Select is { } ask)
            FeedSelect(ask, response, answer, at);
        else
            FeedData(response, answer, at);
        if (response.IsTagged)
            Finish(answer, at);
    }

    /// <summary>Something came while no command was under way.</summary>
    public void FeedUnasked(Response response, Answer next, long at)
    {
        if (response.Name is "EXPUNGE" or "VANISHED" && !IsToldAtOnce)
            Breach(next, at, "numbers", $"{response.Name} while no command was under way");
        FeedData(response, next, at);
    }

    public void Breach(Answer answer, long at, string promise, string what) => answer.Seen.Add(new SeenBreach(at, Selected, promise, what));

    // What belongs to the new mailbox waits for the tagged line: only then is it known which mailbox it is.
    private void FeedSelect(SelectAsk ask, Response response, Answer answer, long at)
    {
        bool isOld = View is not null && HasQResync;
        if (response.Code?.Name == "CLOSED")
        {
            View = null;
            answer.Untagged.Clear();
        }
        else if (!response.IsTagged)
        {
            // Before CLOSED it is the old mailbox's (RFC 7162 §3.2.11); the codes of the new one come later in any case.
            if (isOld)
                FeedData(response, answer, at);
        }
        else
        {
            View = null;
            if (!answer.IsOk)
                return;
            var opening = new Opening(account, ask, answer, registry);
            if (opening.View(MemoryOf) is { } view)
            {
                View = view;
                view.HasNoNumbers = HasUidOnly;
                opening.Tell(this, at);
            }
            else
            {
                Breach(answer, at, "imap", $"{answer.Command.Name} without UIDVALIDITY or EXISTS");
            }
        }
    }

    /// <summary>A response that belongs to the selected mailbox, or to none.</summary>
    public void FeedData(Response response, Answer answer, long at)
    {
        if (response.Code is { } code)
            FeedCode(code, answer, at);
        switch (response.Name)
        {
            case "EXISTS" or "EXPUNGE" or "FETCH" or "UIDFETCH" or "VANISHED" when View is null:
                Breach(answer, at, "imap", $"{response.Name} while no mailbox is selected");
                break;
            case "EXISTS":
                Check(View.TellExists(response.Number ?? 0), "numbers", answer, at);
                break;
            case "EXPUNGE":
                FeedExpunge(View, response.Number ?? 0, answer, at);
                break;
            case "VANISHED":
                FeedVanished(View, response, answer, at);
                break;
            case "FETCH" or "UIDFETCH":
                FeedFetch(View, response, answer, at);
                break;
            case "SEARCH" or "ESEARCH":
                FeedSearch(SearchResult.Read(response), answer, at);
                break;
            case "STATUS" when answer.Command.Name != "STATUS":
                FeedNews(response, answer, at);
                break;
            case "STATUS":
                answer.Seen.Add(Counts.OfStatus(response, account, registry, at));
                CheckStatus((SeenCounts)answer.Seen[^1], answer, at);
                break;
            case "QUOTA":
                answer.Seen.Add(Counts.OfQuota(response, account, at));
                break;
            default:
                break;
        }
    }

    private void FeedCode(ResponseCode code, Answer answer, long at)
    {
        // After FETCH, STORE and SEARCH it may be lower, as long as EXPUNGEs wait to be told: it says from where a client may resynchronise.
        if (code.Name == "HIGHESTMODSEQ" && View is not null && !answer.Command.KeepsNumbers && code.Arguments is [{ Number: { } value }])
            Check(View.Memory.TellHighestModSeq(value), "modseq-order", answer, at);
    }

    private void FeedExpunge(MailboxView view, uint number, Answer answer, long at)
    {
        CheckMayRemove("EXPUNGE", answer, at);
        if (HasQResync || HasUidOnly)
            Breach(answer, at, "imap", "EXPUNGE in a session with QRESYNC (RFC 7162 §3.2.10) or UIDONLY");
        switch (view.Remove(number))
        {
            case null:
                Breach(answer, at, "numbers", $"EXPUNGE {number} of {view.Exists}");
                break;
            case > 0 and { } uid:
                answer.Seen.Add(new SeenGone(at, view.Mailbox, UidSet.Single(uid)));
                break;
            default:
                break;
        }
    }

    private void FeedVanished(MailboxView view, Response response, Answer answer, long at)
    {
        bool isEarlier = response.Arguments is [ListToken { Items: [var word] }, _] && word.Is("EARLIER");
        if (Sets.Parse(response.Arguments.Count > 0 ? response.Arguments[^1].Text : null) is not { } uids)
            throw new FormatException("VANISHED without UIDs");
        if (isEarlier)
        {
            if (answer.Command.ChangedSince is { } since)
                answer.Seen.Add(new SeenVanished(at, view.Mailbox, since, uids));
            else
                Breach(answer, at, "imap", "VANISHED (EARLIER) unasked");
            return;
        }
        if (!HasQResync && !HasUidOnly)
            Breach(answer, at, "imap", "VANISHED in a session without QRESYNC and UIDONLY");
        CheckMayRemove("VANISHED", answer, at);
        if (uids.Cardinality > view.Exists)
        {
            Breach(answer, at, "numbers", $"VANISHED {uids} of {view.Exists} messages");
            return;
        }
        foreach (uint uid in uids.Uids())
            Check(view.RemoveUid(uid), "numbers", answer, at);
        answer.Seen.Add(new SeenGone(at, view.Mailbox, uids));
    }

    /// <summary>A FETCH for a view, also while SELECT is told.</summary>
    public void FeedFetch(MailboxView view, Response response, Answer answer, long at)
    {
        FetchItems items = FetchItems.Read(response);
        if ((response.Name == "UIDFETCH") != HasUidOnly)
            Breach(answer, at, "imap", HasUidOnly ? "FETCH in a session with UIDONLY" : "UIDFETCH in a session without UIDONLY");
        if (response.Name == "UIDFETCH")
        {
            FeedItems(view, items.Uid!.Value, items, view.TellUid(items.Uid.Value), answer, at);
            return;
        }
        if (response.Number is not > 0 || response.Number > view.Exists)
        {
            Breach(answer, at, "numbers", $"FETCH of number {response.Number} of {view.Exists}");
            return;
        }
        string? wrong = items.Uid is { } told ? view.TellUid(response.Number.Value, told) : null;
        FeedItems(view, items.Uid ?? view.UidAt((int)response.Number), items, wrong, answer, at);
    }

    private void FeedItems(MailboxView view, uint uid, FetchItems items, string? wrong, Answer answer, long at)
    {
        Check(wrong, "numbers", answer, at);
        if (uid == 0)
            return;
        Check(view.Memory.Tell(uid, items.ModSeq, items.Flags), "modseq-order", answer, at);
        if (view.Has(uid))
            view.Tell(uid, items.Flags, items.ModSeq);
        bool whole = items.Body is null || bodyIsRight(items.Body);
        string? mark = items.Mark ?? (items.Body is { } body ? FetchItems.MarkIn(System.Text.Encoding.Latin1.GetString(body)) : null);
        // News have no more than NOTIFY asked for.
        bool mayBeNews = IsToldAtOnce && mark is null;
        answer.Seen.Add(new SeenMessage(at, view.Mailbox, uid, mark, items.Flags, items.ModSeq, whole, mayBeNews));
        if (items.Annotations is { } annotations)
            answer.Seen.Add(new SeenAnnotations(at, view.Mailbox, uid, [.. annotations.Select(Named)]));
    }

    private Annotation Named((string Entry, string Attribute, string? Value) told) => told.Attribute switch
    {
        "value.shared" => new(Annotation.Shared(told.Entry), told.Value),
        "value.priv" => new(Annotation.Private(told.Entry, account), told.Value),
        _ => throw new FormatException($"ANNOTATION with {told.Attribute}, which was not asked for"),
    };

    private void FeedSearch(SearchResult result, Answer answer, long at)
    {
        answer.Find(result.Found);
        bool isUid = result.IsUid ?? answer.Command.Name.StartsWith("UID", StringComparison.Ordinal);
        if (!isUid && View is not null && result.Found is [.., { Last: var last }] && last > View.Exists)
            Breach(answer, at, "numbers", $"SEARCH found number {last} of {View.Exists}");
    }

    private void CheckStatus(SeenCounts counts, Answer answer, long at)
    {
        if (counts is { In: { } mailbox, UidValidity: { } uidValidity, HighestModSeq: { } value })
            Check(MemoryOf(mailbox, uidValidity).TellHighestModSeq(value), "modseq-order", answer, at);
    }

    private void FeedNews(Response response, Answer answer, long at)
    {
        if (!HasNotify)
            Breach(answer, at, "imap", $"STATUS while {answer.Command.Name} was answered");
        if (Counts.OfNews(response, account, registry, at) is { } news)
            answer.Seen.Add(news);
    }

    private void Finish(Answer answer, long at)
    {
        if (View is not { } view || !answer.IsOk)
            return;
        Command command = answer.Command;
        // SEARCH without any result may be no response at all in RFC 3501's form.
        if (command.SeeksAll)
        {
            CheckAll(view, answer, at);
            answer.Seen.Add(new SeenAll(at, view.Mailbox, answer.Found, null));
        }
        else if (command.SeeksFlag is { } flag)
            answer.Seen.Add(new SeenFlag(at, view.Mailbox, flag, answer.Found));
        if (command.Name is "NOOP" or "CHECK" && view.SyncedModSeq is not null)
            view.SyncedModSeq = view.Memory.HighestModSeq;
        if (command.Name is "CLOSE" or "UNSELECT")
            View = null;
    }

    // Messages that come or go in the meantime may be in the result or not.
    private void CheckAll(MailboxView view, Answer answer, long at)
    {
        UidSet before = answer.Before ?? UidSet.Empty;
        UidSet lost = before.Intersect(view.Members).Except(answer.Found);
        Check(lost.IsEmpty ? null : $"UID SEARCH ALL without {lost}, which were told and not expunged", "numbers", answer, at);
        UidSet strange = answer.Found.Except(before).Except(view.Members);
        // Each was at a number whose UID was not known, which may have gone since.
        if (!before.IsEmpty && strange.Cardinality > view.UnknownNumbers + view.UnknownGone - answer.UnknownGoneBefore)
            Breach(answer, at, "numbers", $"UID SEARCH ALL with {strange}, which are at no number");
    }

    private MailboxMemory MemoryOf(MailboxRef mailbox, uint uidValidity)
    {
        if (!_memories.TryGetValue((mailbox, uidValidity), out MailboxMemory? memory))
            _memories[(mailbox, uidValidity)] = memory = new MailboxMemory(uidValidity);
        return memory;
    }

    private void CheckMayRemove(string name, Answer answer, long at)
    {
        if (answer.Command.KeepsNumbers && UsesNumbers)
            Breach(answer, at, "numbers", $"{name} while {answer.Command.Name} was answered (RFC 9051 §7.5.1)");
    }

    /// <summary>Adds a breach where <paramref name="wrong"/> says one.</summary>
    public void Check(string? wrong, string promise, Answer answer, long at)
    {
        if (wrong is not null)
            Breach(answer, at, promise, wrong);
    }
}
