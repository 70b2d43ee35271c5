using MailCluster.Consistency.History;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>What a simulated server does wrong, each now and then.</summary>
public enum Fault
{
    None,
    DropsAppends,
    StoresTwice,
    ReadsOld,
    ReusesUids,
    LosesFlags,
    Resurrects,
    CommitsOutOfOrder,
    MoveLeavesTwo,
    MoveLoses,
    IgnoresUnchangedSince,
    ForgetsVanished,
    ModSeqFalls,
    LosesDeliveries,
}

internal sealed record SimulatedMessage(uint Uid, string Mark, FlagSet Flags, long ModSeq);

/// <summary>The mailboxes of an account, one change at a time, each at one moment.</summary>
internal sealed class SimulatedMailbox(MailboxRef mailbox, string name)
{
    public MailboxRef Ref => mailbox;

    public string Name => name;

    public uint UidNext { get; set; } = 1;

    public long ModSeq { get; set; } = 1;

    public SortedDictionary<uint, SimulatedMessage> Messages { get; private set; } = [];

    public List<(uint Uid, long ModSeq)> Expunged { get; } = [];

    /// <summary>As it was before some of its changes.</summary>
    public SimulatedMailbox Copy()
    {
        var copy = new SimulatedMailbox(mailbox, name) { UidNext = UidNext, ModSeq = ModSeq, Messages = new(Messages) };
        copy.Expunged.AddRange(Expunged);
        return copy;
    }
}

/// <summary>What changes do, and what <see cref="Fault"/> makes of it.</summary>
internal sealed class SimulatedAccount(Random random, Fault fault)
{
    public SimulatedMailbox[] Mailboxes { get; } = [new(new MailboxRef("alice", "M1"), "INBOX"), new(new MailboxRef("alice", "M2"), "Work")];

    /// <summary>Earlier states of the mailboxes.</summary>
    public List<SimulatedMailbox[]> Past { get; } = [];

    public bool Fails(Fault kind, double chance = 0.15) => fault == kind && random.NextDouble() < chance;

    public SimulatedMailbox Of(MailboxRef mailbox) => Array.Find(Mailboxes, m => m.Ref == mailbox)!;

    public void Remember()
    {
        Past.Add([.. Mailboxes.Select(static m => m.Copy())]);
        if (Past.Count > 12)
            Past.RemoveAt(0);
    }

    public uint Add(SimulatedMailbox to, string mark, FlagSet flags)
    {
        uint uid = to.UidNext++;
        if (Fails(Fault.CommitsOutOfOrder))
            to.UidNext += 3;
        else if (Fails(Fault.CommitsOutOfOrder) && uid > 2 && !to.Messages.ContainsKey(uid - 2) && !to.Expunged.Exists(e => e.Uid == uid - 2))
            uid -= 2;
        if (Fails(Fault.ReusesUids, 0.5) && to.Expunged.Count > 0)
            uid = to.Expunged[^1].Uid;
        to.Messages[uid] = new SimulatedMessage(uid, mark, flags, Next(to));
        return uid;
    }

    public void Remove(SimulatedMailbox from, uint uid)
    {
        SimulatedMessage message = from.Messages[uid];
        from.Messages.Remove(uid);
        from.Expunged.Add((uid, Next(from)));
        if (Fails(Fault.Resurrects))
            from.Messages[uid] = message;
    }

    /// <returns>What was not changed, for MODIFIED.</returns>
    public List<uint> Store(SimulatedMailbox mailbox, Store store)
    {
        var modified = new List<uint>();
        long modSeq = 0;
        foreach (uint uid in store.Uids.Uids())
        {
            if (!mailbox.Messages.TryGetValue(uid, out SimulatedMessage? message))
                continue;
            if (message.ModSeq > store.UnchangedSince && !Fails(Fault.IgnoresUnchangedSince, 0.6))
            {
                modified.Add(uid);
                continue;
            }
            FlagSet flags = store.Kind switch
            {
                StoreKind.Add => message.Flags.With(store.Flags),
                StoreKind.Remove => message.Flags.Without(store.Flags),
                _ => store.Flags,
            };
            if (!flags.Equals(message.Flags) && !Fails(Fault.LosesFlags))
                mailbox.Messages[uid] = message with { Flags = flags, ModSeq = modSeq == 0 ? modSeq = Next(mailbox) : modSeq };
        }
        return modified;
    }

    private long Next(SimulatedMailbox mailbox)
    {
        mailbox.ModSeq++;
        if (Fails(Fault.ModSeqFalls) && mailbox.ModSeq > 4)
            mailbox.ModSeq -= 3;
        return mailbox.ModSeq;
    }
}
