namespace MailCluster.Cluster;

/// <summary>
/// A log-in under way. Its account's owner may have granted it by what a change has just undone (another password, a log-in that is switched off): what is ended while it is under way
/// ends its session as well, as soon as there is one.
/// </summary>
internal sealed class OpeningSession(LiveSessions all) : IDisposable
{
    private Note? _notes;

    /// <summary>Sessions of this kind were ended. Any thread.</summary>
    public void Ended(Func<LiveSession, bool> which, string reason)
    {
        var note = new Note(which, reason, Volatile.Read(ref _notes));
        while (Interlocked.CompareExchange(ref _notes, note, note.Before) is var now && now != note.Before)
            note = note with { Before = now };
    }

    /// <summary>Ends a session that is found among all by now, if it is one of those.</summary>
    public void Apply(LiveSession session)
    {
        for (Note? note = Volatile.Read(ref _notes); note is not null; note = note.Before)
        {
            if (note.Which(session))
                session.Kick(note.Reason);
        }
    }

    public void Dispose() => all.Opened(this);

    private sealed record Note(Func<LiveSession, bool> Which, string Reason, Note? Before);
}
