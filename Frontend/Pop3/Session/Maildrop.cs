using System.Collections;
using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Pop3.Session;

/// <summary>
/// INBOX as a session found it: the n-th message stays the n-th for as long as the session lasts (RFC 1939 section 4). What others remove meanwhile is gone like what the client has
/// marked itself; what comes in is for the next session.
/// </summary>
internal sealed class Maildrop : IDisposable
{
    private readonly OpenMailbox _open;
    private readonly MailboxSnapshot _opened;
    private readonly BitArray _marked;
    private readonly BitArray _gone;
    private MailboxSnapshot _seen;

    private Maildrop(OpenMailbox open, uint uidValidity, MailboxSnapshot opened)
    {
        (_open, UidValidity, _opened, _seen) = (open, uidValidity, opened, opened);
        (_marked, _gone) = (new BitArray(opened.Count), new BitArray(opened.Count));
        (Messages, Octets) = (opened.Count, opened.Totals.Bytes);
    }

    public MailboxKey Key => _open.Key;

    public uint UidValidity { get; }

    /// <summary>Messages that had a number when the session began.</summary>
    public int Count => _opened.Count;

    /// <summary>Messages that are neither marked as deleted nor gone.</summary>
    public int Messages { get; private set; }

    /// <summary>Their octets.</summary>
    public long Octets { get; private set; }

    /// <summary>Opens a mailbox with everything that was committed before this call. Failures as of <see cref="OpenMailbox.SyncAsync"/>.</summary>
    public static async ValueTask<MailResult<Maildrop>> OpenAsync(MailClusterClient cluster, MailboxKey key, CommandWait wait)
    {
        IMailboxGrain owner = cluster.Mailbox(key);
        MailResult<MailboxSelected> selected = await cluster.CallAsync(() => owner.Select(readOnly: true), wait);
        if (selected.Error is { } error)
            return error;
        OpenMailbox open = cluster.Mailboxes.Open(key, selected.Value!.Epoch, selected.Value.Status.UidValidity);
        MailResult<MailboxSnapshot> synced = await open.SyncAsync(wait);
        if (synced.Error is { } notSynced)
        {
            open.Dispose();
            return notSynced;
        }
        return new Maildrop(open, selected.Value.Status.UidValidity, synced.Value!);
    }

    /// <summary>Finds out what others have removed before this call, on any node. Null when it worked; failures as of <see cref="OpenMailbox.SyncAsync"/>.</summary>
    public async ValueTask<MailError?> SyncAsync(CommandWait wait)
    {
        MailResult<MailboxSnapshot> synced = await _open.SyncAsync(wait);
        if (synced.Error is { } error)
            return error;
        Follow(synced.Value!);
        return null;
    }

    /// <summary>The message of a number, 1 ≤ number ≤ <see cref="Count"/>.</summary>
    public MessageRef this[int number] => _opened[number - 1];

    public bool IsMarked(int number) => _marked[number - 1];

    public bool IsGone(int number) => _gone[number - 1];

    /// <summary>Those that are neither marked nor gone, by number.</summary>
    public IEnumerable<(int Number, MessageRef Message)> Listed() =>
        _opened.Messages().Where(m => !_marked[m.Index] && !_gone[m.Index]).Select(static m => (m.Index + 1, m));

    /// <summary>Marks a message that is neither marked nor gone.</summary>
    public void Mark(int number)
    {
        _marked[number - 1] = true;
        Messages--;
        Octets -= this[number].Size;
    }

    /// <summary>Takes all marks back.</summary>
    public void Unmark()
    {
        foreach (MessageRef message in _opened.Messages().Where(m => _marked[m.Index] && !_gone[m.Index]))
        {
            Messages++;
            Octets += message.Size;
        }
        _marked.SetAll(false);
    }

    /// <summary>The UIDs of what is marked, gone or not.</summary>
    public UidSet Marked() => _marked.HasAnySet() ? UidSet.FromUids(_opened.Messages().Where(m => _marked[m.Index]).Select(static m => m.Uid)) : UidSet.Empty;

    public void Dispose() => _open.Dispose();

    private void Follow(MailboxSnapshot now)
    {
        foreach (uint uid in SnapshotDiff.Between(_seen, now).Expunged.Uids())
        {
            if (!_opened.TryFind(uid, out MessageRef message) || _gone[message.Index])
                continue;
            _gone[message.Index] = true;
            if (!_marked[message.Index])
            {
                Messages--;
                Octets -= message.Size;
            }
        }
        _seen = now;
    }
}
