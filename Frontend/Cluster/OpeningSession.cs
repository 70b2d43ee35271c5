namespace MailCluster.Cluster;

/// <summary>
/// A log-in under way. Its account's owner may have granted it by what a change has just undone (another password, a log-in that is switched off): what is done to sessions while it is
/// under way is done to its session as well, as soon as there is one.
/// </summary>
internal sealed class OpeningSession(LiveSessions all) : IDisposable
{
    private Note? _notes;

    /// <summary>Something is done to sessions of this kind. Any thread.</summary>
    public void Add(Func<LiveSession, bool> which, Action<LiveSession> action)
    {
        var note = new Note(which, action, Volatile.Read(ref _notes));
        while (Interlocked.CompareExchange(ref _notes, note, note.Before) is var now && now != note.Before)
            note = note with { Before = now };
    }

    /// <summary>Does to a session, which is found among all by now, what was done to those of its kind.</summary>
    public void Apply(LiveSession session)
    {
        for (Note? note = Volatile.Read(ref _notes); note is not null; note = note.Before)
        {
            if (note.Which(session))
                note.Action(session);
        }
    }

    public void Dispose() => all.Opened(this);

    private sealed record Note(Func<LiveSession, bool> Which, Action<LiveSession> Action, Note? Before);
}
