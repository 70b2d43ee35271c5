using System.Text.RegularExpressions;
using MailCluster.Sieve.Matching;

namespace MailCluster.Sieve.Running;

internal enum Flow : byte
{
    On,

    /// <summary>return (RFC 6609 §3.3).</summary>
    Return,

    /// <summary>stop (RFC 5228 §3.3).</summary>
    Stop,
}

/// <summary>The state of one run.</summary>
internal sealed class Run
{
    private readonly Dictionary<(string, Comparator), Regex> _regexes = [];
    private readonly List<SieveAction> _actions = [];
    private readonly Dictionary<string, string> _globals = new(StringComparer.Ordinal);
    private long _steps;
    private int _redirects;

    public Run(SieveMessage message, SieveSetting setting, ISieveHost host, SieveLimits limits, CancellationToken cancellationToken)
    {
        Message = message;
        Setting = setting;
        Host = host;
        Limits = limits;
        Cancelled = cancellationToken;
        Header = message.Header;
        Scope = NewScope();
    }

    public SieveMessage Message { get; }

    public SieveSetting Setting { get; }

    public ISieveHost Host { get; }

    public SieveLimits Limits { get; }

    public CancellationToken Cancelled { get; }

    /// <summary>As edited so far.</summary>
    public MessageHeader Header { get; set; }

    public Scope Scope { get; set; }

    public Flow Flow { get; set; }

    /// <summary>False once an action has taken the place of the implicit keep (RFC 5228 §2.10.2).</summary>
    public bool ImplicitKeep { get; set; } = true;

    /// <summary>The internal variable of imap4flags (RFC 5232 §2).</summary>
    public List<string> Flags { get; set; } = [];

    public List<DuplicateMark> Marks { get; } = [];

    /// <summary>Scripts that are being run, the outermost first, and those that were included once.</summary>
    public List<IncludedScript> Including { get; } = [];

    public HashSet<IncludedScript> Included { get; } = [];

    public int Inclusions { get; set; }

    public IReadOnlyList<SieveAction> Actions => _actions;

    /// <summary>The parts of the message, once the body test has asked.</summary>
    public MessageParts? Parts { get; set; }

    public Scope NewScope() => new(Limits, _globals);

    /// <summary>One step, and one more for every 64 characters that are looked at.</summary>
    public void Step(long characters = 0)
    {
        _steps += 1 + (characters >> 6);
        if (_steps > Limits.Steps)
            throw new SieveFailure("the script takes too long");
        Cancelled.ThrowIfCancellationRequested();
    }

    /// <summary>Adds an action; the same one is done once (RFC 5228 §2.10.3).</summary>
    public void Add(SieveAction action)
    {
        if (action is Reject ? _actions.Any(static a => a is not Notify) : _actions.Any(static a => a is Reject) && action is not Notify)
            throw new SieveFailure("reject can't be combined with other actions");
        switch (action)
        {
            case FileInto file:
                int same = _actions.FindIndex(a => a is FileInto f && f.MailboxId == file.MailboxId && f.SpecialUse == file.SpecialUse
                    && (f.Mailbox ?? "INBOX").Equals(file.Mailbox ?? "INBOX", StringComparison.Ordinal));
                if (same >= 0)
                {
                    // What is said last counts: its flags, and the header of that moment.
                    _actions[same] = file with { Create = file.Create || ((FileInto)_actions[same]).Create };
                    return;
                }
                break;
            case Redirect redirect:
                if (_actions.Any(a => a is Redirect r && r.Address.Equals(redirect.Address, StringComparison.OrdinalIgnoreCase)))
                    return;
                if (++_redirects > Limits.Redirects)
                    throw new SieveFailure($"more than {Limits.Redirects} redirections");
                break;
            case Vacation when _actions.Any(static a => a is Vacation):
                throw new SieveFailure("vacation twice");
        }
        if (_actions.Count >= Limits.Actions)
            throw new SieveFailure($"more than {Limits.Actions} actions");
        _actions.Add(action);
    }

    /// <summary>A regular expression is compiled once a run.</summary>
    public Regex RegexOf(string pattern, Comparator comparator)
    {
        if (_regexes.TryGetValue((pattern, comparator), out Regex? known))
            return known;
        Step(16L * 64 * pattern.Length);
        Regex regex = SieveRegex.Compile(pattern, comparator, Limits.RegexLength, out string error) ?? throw new SieveFailure(error);
        return _regexes[(pattern, comparator)] = regex;
    }
}
