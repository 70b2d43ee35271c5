using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>The responses of one SELECT that was answered with OK, told to a new view when it is known which mailbox they are about.</summary>
internal sealed class Opening(string account, SelectAsk ask, Answer answer, MailboxRegistry registry)
{
    private MailboxView _view = null!;
    private MailboxMemory _memory = null!;

    /// <summary>Null: what is needed was not told.</summary>
    public MailboxView? View(Func<MailboxRef, uint, MailboxMemory> memoryOf)
    {
        var uidValidity = (uint?)Number("UIDVALIDITY");
        if (uidValidity is null || Exists is null)
            return null;
        string? id = answer.CodeOf("MAILBOXID")?.Arguments is [ListToken { Items: [{ Text: { } text }] }] ? text : null;
        MailboxRef mailbox = registry.Learn(account, ask.Name, uidValidity.Value, id);
        _memory = memoryOf(mailbox, uidValidity.Value);
        return _view = new MailboxView(mailbox, ask.Name, ask.ReadOnly, _memory);
    }

    /// <summary>Tells it all.</summary>
    public void Tell(SessionModel model, long at)
    {
        var uidNext = (uint?)Number("UIDNEXT");
        long? highest = Number("HIGHESTMODSEQ");
        answer.Seen.Add(new SeenCounts(at, _view.Mailbox, ask.Name, Exists, uidNext, _memory.UidValidity, highest, null, null));
        if (highest is { } value)
            model.Check(_memory.TellHighestModSeq(value), "modseq-order", answer, at);
        if (uidNext is { } next && next <= _memory.HighestUid)
            model.Breach(answer, at, "uid-order", $"UIDNEXT {next} after UID {_memory.HighestUid}");
        // From before this moment: how high new messages have to come.
        if (ask.Since is { } remembered && remembered.UidValidity == _memory.UidValidity && remembered.Mailbox == _view.Mailbox)
            Resync(remembered, model, at);
        else
            TellPlain(model);
        if (uidNext > 1)
            _memory.TellUid(uidNext.Value - 1);
        _view.SyncedModSeq = highest;
    }

    private uint? Exists => answer.Untagged.Select(static u => u.Response).LastOrDefault(static r => r.Name == "EXISTS")?.Number;

    private long? Number(string code) => answer.CodeOf(code)?.Arguments is [{ Number: { } number }] ? number : null;

    // Any message may be at any number: nothing is above anything yet.
    private void TellPlain(SessionModel model)
    {
        _view.SetExists(Exists!.Value);
        foreach ((Response response, long at) in answer.Untagged)
        {
            if (response.Name is "FETCH" or "UIDFETCH")
                model.FeedFetch(_view, response, answer, at);
        }
    }

    // RFC 7162 §3.2.5: what was remembered, less what vanished, with what is told now, must be the mailbox.
    private void Resync(Remembered remembered, SessionModel model, long at)
    {
        var messages = new Dictionary<uint, Told>(remembered.Messages);
        foreach ((Response response, long when) in answer.Untagged)
        {
            if (response.Name == "VANISHED" && Sets.Parse(response.Arguments[^1].Text) is { } gone)
            {
                answer.Seen.Add(new SeenVanished(when, _view.Mailbox, remembered.ModSeq, gone));
                foreach (uint uid in messages.Keys.Where(gone.Contains).ToList())
                    messages.Remove(uid);
            }
            else if (response.Name is "FETCH" or "UIDFETCH" && FetchItems.Read(response) is { Uid: { } uid } items)
            {
                messages[uid] = new Told(items.Flags ?? messages.GetValueOrDefault(uid).Flags, items.ModSeq);
            }
        }
        if (ask.OnlyKnown ? messages.Count > Exists : messages.Count != Exists)
        {
            model.Breach(answer, at, "qresync",
                $"remembered at {remembered.ModSeq} with VANISHED and FETCH gives {messages.Count} messages, {UidSet.FromUids(messages.Keys.ToList())}; EXISTS {Exists}");
            TellPlain(model);
            return;
        }
        // The later ones come behind.
        _view.Seed(messages, (int)Exists!.Value);
        foreach ((Response response, long when) in answer.Untagged)
        {
            if (response.Name is "FETCH" or "UIDFETCH")
                model.FeedFetch(_view, response, answer, when);
        }
    }
}
