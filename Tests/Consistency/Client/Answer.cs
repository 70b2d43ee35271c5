using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>What came while one command was answered. Its outcome is <see cref="Outcome.Unknown"/> until the tagged line is there.</summary>
internal sealed class Answer(Command command, string tag, long number, long invoked)
{
    private readonly List<UidRange> _found = [];

    public Command Command => command;

    public string Tag => tag;

    /// <summary>See <see cref="Operation.Number"/>.</summary>
    public long Number => number;

    public long Invoked => invoked;

    public long Completed { get; private set; } = long.MaxValue;

    public Outcome Outcome { get; private set; } = Outcome.Unknown;

    /// <summary>The UIDs that were known when it was sent; of UID SEARCH of all messages only.</summary>
    public UidSet? Before { get; set; }

    /// <summary><see cref="MailboxView.UnknownGone"/> then.</summary>
    public int UnknownGoneBefore { get; set; }

    public bool IsOk => Outcome == Outcome.Ok;

    /// <summary>Of the tagged line.</summary>
    public ResponseCode? Code { get; private set; }

    public string Text { get; private set; } = "";

    public List<Seen> Seen { get; } = [];

    public List<(Response Response, long At)> Untagged { get; } = [];

    /// <summary>Whether SEARCH or ESEARCH came.</summary>
    public bool HasFound { get; private set; }

    /// <summary>What SEARCH or ESEARCH found, numbers or UIDs.</summary>
    public UidSet Found => UidSet.FromRanges(_found);

    public void Find(UidSet found)
    {
        HasFound = true;
        _found.AddRange(found);
    }

    public void Complete(Response tagged, long at)
    {
        Completed = at;
        Outcome = tagged.Name switch { "OK" => Outcome.Ok, "NO" => Outcome.No, _ => Outcome.Bad };
        Code = tagged.Code;
        Text = tagged.Text;
    }

    /// <summary>
    /// The code of this name in the tagged line, or in an untagged OK (MOVE gives COPYUID in one, RFC 6851 §4.3); null where there is none.
    /// </summary>
    public ResponseCode? CodeOf(string name) =>
        Code?.Name == name ? Code : Untagged.Select(static u => u.Response.Code).LastOrDefault(code => code?.Name == name);
}
