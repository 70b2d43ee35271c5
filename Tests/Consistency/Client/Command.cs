using System.Text;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>What a SELECT or EXAMINE asks for.</summary>
/// <param name="Since">The remembered mailbox of QRESYNC; null without.</param>
/// <param name="OnlyKnown">The known UIDs are given: nothing is told of messages that came later (RFC 7162 §3.2.5.1).</param>
internal sealed record SelectAsk(string Name, bool ReadOnly, Remembered? Since, bool OnlyKnown);

/// <summary>A command without its tag: text, and literals between. It is sent once.</summary>
/// <param name="name">In upper case, with UID where it has that: "UID STORE".</param>
internal sealed class Command(string name, string arguments = "")
{
    private readonly List<(string Text, byte[]? Literal)> _parts = [(arguments.Length > 0 ? $"{name} {arguments}" : name, null)];

    public string Name => name;

    public IReadOnlyList<(string Text, byte[]? Literal)> Parts => _parts;

    /// <summary>What it is in the history, once its answer is there (or never came).</summary>
    public required Func<Answer, Act> Act { get; init; }

    public SelectAsk? Select { get; init; }

    /// <summary>UID SEARCH of all messages, whose result is all of the mailbox.</summary>
    public bool SeeksAll { get; init; }

    /// <summary>UID SEARCH of this flag alone.</summary>
    public string? SeeksFlag { get; init; }

    /// <summary>The modseq of CHANGEDSINCE with VANISHED in UID FETCH (RFC 7162 §3.2.6).</summary>
    public long? ChangedSince { get; init; }

    /// <summary>Looks at the answer before it goes into the history; may add breaches.</summary>
    public Action<Answer, SessionModel>? Inspect { get; init; }

    /// <summary>Further codes that a NO may have besides those that any command of its name may get (see <see cref="Refusals"/>).</summary>
    public IReadOnlyList<string> MayBeRefusedWith { get; init; } = [];

    /// <summary>EXPUNGE and VANISHED may not be told while it is answered (RFC 9051 §7.5.1).</summary>
    public bool KeepsNumbers => name is "FETCH" or "STORE" or "SEARCH";

    public Command Literal(byte[] octets)
    {
        _parts.Add(("", octets));
        return this;
    }

    public Command And(string text)
    {
        _parts.Add((text, null));
        return this;
    }

    /// <summary>As reports show it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach ((string part, byte[]? literal) in _parts)
            text.Append(literal is null ? part : $"{{{literal.Length}}}");
        return text.ToString();
    }
}
