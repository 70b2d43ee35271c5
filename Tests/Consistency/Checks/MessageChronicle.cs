using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>All that a history tells of one UID of one mailbox. Times are ticks as in <see cref="Operation"/>.</summary>
internal sealed class MessageChronicle(MailboxChronicle mailbox, uint uid)
{
    private readonly Dictionary<string, FlagRegister> _registers = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, AnnotationRegister> _annotations = [];
    private readonly HashSet<string> _underWay = new(StringComparer.OrdinalIgnoreCase);
    private MessageVersion[]? _versions;
    private HashSet<string>? _flagNames;

    public MailboxChronicle Mailbox => mailbox;

    public uint Uid => uid;

    public string? Mark { get; set; }

    /// <summary>First told to be there, or acknowledged.</summary>
    public Proof Known { get; set; } = Proof.Never;

    /// <summary>Committed by: <see cref="Known"/>, or earlier where a larger UID was known earlier.</summary>
    public Proof Added { get; set; } = Proof.Never;

    /// <summary>What certainly made it; null where that is open.</summary>
    public Operation? Origin { get; set; }

    /// <summary>Before this it cannot have been there.</summary>
    public long AddedFrom { get; set; } = long.MinValue;

    /// <summary>As its client made it; null for copies and where the origin is open.</summary>
    public NewMessage? New { get; set; }

    /// <summary>What it is certainly a copy of.</summary>
    public MessageChronicle? Source { get; set; }

    /// <summary>The first operation that may have removed it.</summary>
    public Proof MayGo { get; set; } = Proof.Never;

    /// <summary>All that may have removed it.</summary>
    public List<Operation> Removers { get; } = [];

    /// <summary>It was certainly removed by then.</summary>
    public Proof Gone { get; set; } = Proof.Never;

    /// <summary>STOREs that named it and can have had an effect on it, by invocation.</summary>
    public List<Operation> Stores { get; } = [];

    public List<Reading<SeenMessage>> Readings { get; } = [];

    /// <summary>As <see cref="Stores"/>, of annotations.</summary>
    public List<Operation> Annotates { get; } = [];

    public List<Reading<SeenAnnotations>> AnnotationReadings { get; } = [];

    /// <summary>What was told under a modseq, ascending. To be asked when all readings are there.</summary>
    public IReadOnlyList<MessageVersion> Versions => _versions ??=
    [
        .. Readings.Where(static r => r.Told.ModSeq is not null).GroupBy(static r => r.Told.ModSeq!.Value).OrderBy(static g => g.Key)
            .Select(g => new MessageVersion(g.Key, mailbox.ModSeq.Reached(g.Key), g)),
    ];

    /// <summary>All flags that it can have, or was told with: also those that what it was copied from may have had.</summary>
    public IReadOnlySet<string> FlagNames
    {
        get
        {
            if (_flagNames is not null)
                return _flagNames;
            _flagNames = new HashSet<string>(New?.Flags.Names ?? [], StringComparer.OrdinalIgnoreCase);
            foreach (Operation store in Stores)
                _flagNames.UnionWith(((Store)store.Act).Flags.Names);
            FlagSet? last = null;
            foreach (Reading<SeenMessage> reading in Readings)
            {
                if (reading.Told.Flags is { } seen && !seen.Equals(last))
                    _flagNames.UnionWith((last = seen).Names);
            }
            _flagNames.UnionWith(Source?.FlagNames ?? _flagNames);
            return _flagNames;
        }
    }

    /// <summary>It was there before the history began, or may have been.</summary>
    public bool IsOlder => uid < mailbox.Baseline;

    public string Subject => $"{mailbox.Ref} UID {uid}";

    public override string ToString() => Mark is null ? $"UID {uid} of {mailbox.Ref}" : $"UID {uid} of {mailbox.Ref} (mark {Mark})";

    public void MayBeRemoved(Operation by, long from)
    {
        Removers.Add(by);
        MayGo = MayGo.OrEarlier(new Proof(from, by));
    }

    public FlagRegister Register(string flag)
    {
        if (!_registers.TryGetValue(flag, out FlagRegister? register))
            _registers[flag] = register = new FlagRegister(this, flag, Initial(flag), Stores);
        return register;
    }

    /// <param name="name">As in <see cref="History.Annotation"/>.</param>
    public AnnotationRegister Annotation(string name)
    {
        if (!_annotations.TryGetValue(name, out AnnotationRegister? register))
            _annotations[name] = register = new AnnotationRegister(this, name, InitialAnnotation(name));
        return register;
    }

    /// <summary>With which values it can have been made; null: any. A copy has what who made it was told of at its source, then (RFC 5257 §4.6).</summary>
    private IReadOnlyCollection<string?>? InitialAnnotation(string name)
    {
        if (New is { } made)
            return [made.Annotations?.FirstOrDefault(a => a.Name == name)?.Value];
        if (Source is null || Origin is null)
            return null;
        if (!History.Annotation.IsTold(name, Origin.Account))
            return [null];
        if (!_underWay.Add(name))
            return null;
        IReadOnlyCollection<string?>? values = Source.Annotation(name).Possible(Origin.Invoked, Origin.EffectEnd());
        _underWay.Remove(name);
        return values;
    }

    /// <summary>With which value of a flag it can have been made. A copy has what its source had at some moment of the COPY or MOVE.</summary>
    private (bool Set, bool Clear) Initial(string flag)
    {
        if (New is { } made)
            return (made.Flags.Contains(flag), !made.Flags.Contains(flag));
        // A server that is wrong can tell of a message that is a copy of itself.
        // Whether another user's \Seen goes along with a copy depends on whose mailboxes they are.
        if (Source is null || Origin is null || !Perspectives.IsTold(flag, Origin) || !_underWay.Add(flag))
            return (true, true);
        FlagRegister source = Source.Register(flag);
        _underWay.Remove(flag);
        long end = Origin.EffectEnd();
        return (source.Could(true, Origin.Invoked, end), source.Could(false, Origin.Invoked, end));
    }
}
