using MailCluster.Consistency.History;
using MailCluster.Contracts;
using NewMessage = MailCluster.Consistency.History.NewMessage;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>
/// Clients that work at the same time against a <see cref="SimulatedAccount"/>. An operation is sent, takes effect at one later moment, and is answered later still; in between
/// others do the same. Some are never answered, and take effect much later, or never.
/// </summary>
internal sealed class Simulation
{
    private static readonly string[] _flags = [@"\Deleted", @"\Seen", "x"];

    private readonly Random _random;
    private readonly SimulatedAccount _account;
    private readonly List<Operation> _history = [];
    private readonly List<Action> _late = [];
    private readonly Client[] _clients;
    // Real clients name what they were told of. Those that must not be accused may name anything.
    private readonly bool _namesOnlyTold;
    private readonly HashSet<(MailboxRef, uint)> _told = [];
    private long _now = 1000;
    private long _lastNumber;
    private int _marks;

    private Simulation(int seed, Fault fault, int clients)
    {
        _random = new Random(seed);
        _account = new SimulatedAccount(_random, fault);
        _namesOnlyTold = fault != Fault.None;
        _clients = [.. Enumerable.Range(1, clients).Select(static n => new Client(n))];
    }

    /// <summary>One client of the simulation and what it has under way.</summary>
    private sealed class Client(int session)
    {
        public int Session => session;

        public Pending? Pending { get; set; }
    }

    private sealed class Pending
    {
        public required long Number { get; init; }

        public required long Invoked { get; init; }

        /// <summary>At its moment; returns what to record when it is answered.</summary>
        public required Func<(Act Act, Func<long, IEnumerable<Seen>> Seen)> Effect { get; init; }

        /// <summary>What was asked, when it is not answered.</summary>
        public required Act Asked { get; init; }

        public (Act Act, Func<long, IEnumerable<Seen>> Seen)? Done { get; set; }
    }

    public static IReadOnlyList<Operation> Run(int seed, Fault fault = Fault.None, int clients = 4, int operations = 400)
    {
        var simulation = new Simulation(seed, fault, clients);
        simulation.Open();
        while (simulation._history.Count < operations)
            simulation.Step();
        simulation.Close();
        return [.. simulation._history.OrderBy(static o => o.Number)];
    }

    private void Open()
    {
        foreach (SimulatedMailbox mailbox in _account.Mailboxes)
        {
            Instant(new Create(mailbox.Name, mailbox.Ref), static _ => []);
            Instant(new Select(mailbox.Name, mailbox.Ref, false, null), at => [Counts(mailbox, at)]);
        }
    }

    // Late effects are over, or will never come; then all sessions read all.
    private void Close()
    {
        foreach (Client client in _clients)
        {
            while (client.Pending is not null)
                Step(client);
        }
        _now += 100;
        for (int round = 0; round < 2; round++)
        {
            foreach (SimulatedMailbox mailbox in _account.Mailboxes)
                Instant(new Read("settle", mailbox.Ref), at => All(mailbox, at, marks: true));
        }
    }

    private void Instant(Act act, Func<long, IEnumerable<Seen>> seen)
    {
        long invoked = _now += 10;
        long at = _now += 10;
        _history.Add(new Operation(++_lastNumber, 0, "alice", invoked, at + 1, Outcome.Ok, null, act, [.. seen(at)], act.GetType().Name));
    }

    private void Step()
    {
        _now += _random.Next(1, 5);
        if (_late.Count > 0 && _random.Next(20) == 0)
        {
            int which = _random.Next(_late.Count);
            Action late = _late[which];
            _late.RemoveAt(which);
            late();
            return;
        }
        Step(_clients[_random.Next(_clients.Length)]);
    }

    private void Step(Client client)
    {
        _now += _random.Next(1, 5);
        if (client.Pending is not { } pending)
        {
            client.Pending = Begin();
        }
        else if (pending.Done is not { } done)
        {
            if (_random.Next(15) == 0)
            {
                // No answer: sometime, or never.
                if (_random.Next(3) > 0)
                    _late.Add(() => pending.Effect());
                Record(client, pending, Outcome.Unknown, pending.Asked, []);
                return;
            }
            _account.Remember();
            pending.Done = pending.Effect();
        }
        else if (_random.Next(20) == 0)
        {
            // It is done, and the answer is lost.
            Record(client, pending, Outcome.Unknown, pending.Asked, []);
        }
        else
        {
            Record(client, pending, Outcome.Ok, done.Act, [.. done.Seen(_now)]);
        }
    }

    private void Record(Client client, Pending pending, Outcome outcome, Act act, IReadOnlyList<Seen> seen)
    {
        client.Pending = null;
        long completed = outcome == Outcome.Unknown ? long.MaxValue : _now + 1;
        _now += 2;
        foreach (SeenAll all in seen.OfType<SeenAll>())
            _told.UnionWith(all.Uids.Uids().Select(uid => (all.In, uid)));
        if (act is Append { Into: { } into } append)
            _told.UnionWith(append.Uids.Select(uid => (into, uid)));
        _history.Add(new Operation(pending.Number, client.Session, "alice", pending.Invoked, completed, outcome, null, act, seen, act.ToString()!));
    }

    private Pending Begin()
    {
        SimulatedMailbox mailbox = OneOf(_account.Mailboxes);
        SimulatedMailbox other = OneOf(_account.Mailboxes);
        // What clients know of: messages that were there a while ago, too.
        uint[] known = [.. (_account.Past.Count > 0 ? _account.Past[0] : _account.Mailboxes).First(m => m.Ref == mailbox.Ref).Messages.Keys];
        UidSet some = UidSet.FromUids(known.Where(uid => (!_namesOnlyTold || _told.Contains((mailbox.Ref, uid))) && _random.Next(3) == 0));
        int kind = _random.Next(17);
        if (some.IsEmpty && kind is >= 4 and <= 11)
            kind = 0;
        return kind switch
        {
            <= 2 => Appending(mailbox),
            3 => Delivering(),
            <= 7 => Storing(mailbox, some),
            <= 9 => Transferring(mailbox, other, some, move: true),
            10 => Transferring(mailbox, other, some, move: false),
            11 => Expunging(mailbox, some),
            12 => Expunging(mailbox, null),
            13 => Selecting(mailbox),
            14 => Reading(mailbox, (m, at) => [new SeenFlag(at, m.Ref, @"\Deleted", UidSet.FromUids(m.Messages.Values.Where(static e => e.Flags.Contains(@"\Deleted")).Select(static e => e.Uid)))]),
            15 => Reading(mailbox, (m, at) => All(m, at, marks: false)),
            _ => Reading(mailbox, (m, at) => All(m, at, marks: true)),
        };
    }

    private Pending Make(Act asked, Func<(Act, Func<long, IEnumerable<Seen>>)> effect) => new() { Number = ++_lastNumber, Invoked = _now, Asked = asked, Effect = effect };

    private Pending Appending(SimulatedMailbox mailbox)
    {
        NewMessage[] messages = [.. Enumerable.Range(0, _random.Next(1, 3)).Select(_ => new NewMessage($"m{++_marks}", SomeFlags(), 10))];
        return Make(new Append(null, mailbox.Name, messages, []), () =>
        {
            var uids = messages.Select(m =>
            {
                uint uid = _account.Add(mailbox, m.Mark, m.Flags);
                if (_account.Fails(Fault.DropsAppends))
                    mailbox.Messages.Remove(uid);
                if (_account.Fails(Fault.StoresTwice))
                    _account.Add(mailbox, m.Mark, m.Flags);
                return uid;
            }).ToArray();
            return (new Append(mailbox.Ref, mailbox.Name, messages, uids), static _ => []);
        });
    }

    private Pending Delivering()
    {
        var act = new Deliver("alice", new NewMessage($"m{++_marks}", FlagSet.Empty, 10));
        return Make(act, () =>
        {
            if (!_account.Fails(Fault.LosesDeliveries, 0.3))
                _account.Add(_account.Mailboxes[0], act.Message.Mark, FlagSet.Empty);
            return (act, static _ => []);
        });
    }

    private Pending Storing(SimulatedMailbox mailbox, UidSet uids)
    {
        long? since = _random.Next(3) == 0 ? mailbox.Messages.Values.Select(static m => m.ModSeq).DefaultIfEmpty(mailbox.ModSeq).ElementAt(_random.Next(Math.Max(1, mailbox.Messages.Count))) : null;
        var act = new Store(mailbox.Ref, uids, (StoreKind)_random.Next(3), SomeFlags(), since, UidSet.Empty);
        return Make(act, () =>
        {
            List<uint> modified = _account.Store(mailbox, act);
            SimulatedMessage[] now = [.. mailbox.Messages.Values.Where(m => uids.Contains(m.Uid) && !modified.Contains(m.Uid))];
            return (act with { Modified = UidSet.FromUids(modified) }, at => now.Select(m => Told(mailbox, m, at, marks: false)));
        });
    }

    private Pending Transferring(SimulatedMailbox from, SimulatedMailbox to, UidSet uids, bool move) =>
        Make(new Transfer(from.Ref, null, to.Name, uids, move, []), () =>
        {
            var pairs = new List<(uint, uint)>();
            foreach (SimulatedMessage message in from.Messages.Values.Where(m => uids.Contains(m.Uid)).ToList())
            {
                uint uid = _account.Add(to, message.Mark, message.Flags);
                if (move && !_account.Fails(Fault.MoveLeavesTwo))
                    _account.Remove(from, message.Uid);
                if (move && _account.Fails(Fault.MoveLoses))
                    to.Messages.Remove(uid);
                pairs.Add((message.Uid, uid));
            }
            return (new Transfer(from.Ref, pairs.Count > 0 ? to.Ref : null, to.Name, uids, move, pairs), static _ => []);
        });

    private Pending Expunging(SimulatedMailbox mailbox, UidSet? uids)
    {
        var act = new Expunge(mailbox.Ref, uids);
        return Make(act, () =>
        {
            uint[] gone = [.. mailbox.Messages.Values.Where(m => m.Flags.Contains(@"\Deleted") && uids?.Contains(m.Uid) != false).Select(static m => m.Uid)];
            foreach (uint uid in gone)
                _account.Remove(mailbox, uid);
            return (act, at => gone.Length > 0 && _random.Next(2) == 0 ? [new SeenGone(at, mailbox.Ref, UidSet.FromUids(gone))] : []);
        });
    }

    private Pending Selecting(SimulatedMailbox mailbox)
    {
        long? since = _random.Next(2) == 0 ? Math.Max(1, mailbox.ModSeq - _random.Next(80)) : null;
        return Make(new Select(mailbox.Name, null, false, since), () =>
        {
            SimulatedMailbox now = Seen(mailbox).Copy();
            UidSet vanished = UidSet.FromUids(now.Expunged.Where(e => e.ModSeq > since && !_account.Fails(Fault.ForgetsVanished, 0.5)).Select(static e => e.Uid));
            return (new Select(mailbox.Name, mailbox.Ref, false, since), at =>
            [
                Counts(now, at), .. vanished.IsEmpty ? Array.Empty<Seen>() : [new SeenVanished(at, mailbox.Ref, since!.Value, vanished)],
                .. now.Messages.Values.Where(m => m.ModSeq > since).Select(m => Told(now, m, at, marks: false)),
            ]);
        });
    }

    private Pending Reading(SimulatedMailbox mailbox, Func<SimulatedMailbox, long, IEnumerable<Seen>> told)
    {
        var act = new Read("UID SEARCH", mailbox.Ref);
        return Make(act, () =>
        {
            SimulatedMailbox now = Seen(mailbox).Copy();
            return (act, at => told(now, at));
        });
    }

    private SimulatedMailbox Seen(SimulatedMailbox mailbox) =>
        _account.Fails(Fault.ReadsOld) ? _account.Past[0].First(m => m.Ref == mailbox.Ref) : mailbox;

    private static SeenCounts Counts(SimulatedMailbox mailbox, long at) => new(at, mailbox.Ref, mailbox.Name, mailbox.Messages.Count, mailbox.UidNext, 7, mailbox.ModSeq, null, null);

    private IEnumerable<Seen> All(SimulatedMailbox mailbox, long at, bool marks) =>
    [
        new SeenAll(at, mailbox.Ref, UidSet.FromUids(mailbox.Messages.Keys), null),
        .. mailbox.Messages.Values.Where(_ => marks || _random.Next(2) == 0).Select(m => Told(mailbox, m, at, marks)),
    ];

    private static SeenMessage Told(SimulatedMailbox mailbox, SimulatedMessage message, long at, bool marks) =>
        new(at, mailbox.Ref, message.Uid, marks ? message.Mark : null, message.Flags, message.Uid % 3 == 0 ? null : message.ModSeq);

    private FlagSet SomeFlags() => new(_flags.Where(_ => _random.Next(3) == 0));

    private T OneOf<T>(T[] all) => all[_random.Next(all.Length)];
}
