using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency;

/// <summary>What a server says to one session, line by line, and which breaches its model finds in it.</summary>
internal sealed class ModelStory
{
    private const string Account = "anna";

    private long _now;

    public ModelStory(bool qresync = false) => Model = new SessionModel(Account, new MailboxRegistry(), static octets => octets.Length == 4) { HasQResync = qresync };

    public SessionModel Model { get; }

    /// <summary>A mailbox with so many messages, of which nothing is known, with UIDs below 100.</summary>
    public static ModelStory Selected(int exists, bool qresync = false)
    {
        var story = new ModelStory(qresync);
        story.Select(null, $"* {exists} EXISTS");
        return story;
    }

    public Answer Select(Remembered? since, params string[] lines)
    {
        var command = new Command("SELECT") { Act = static _ => new Read("SELECT", null), Select = new SelectAsk("INBOX", ReadOnly: false, since, OnlyKnown: false) };
        return Run(command, [.. lines, "* OK [UIDVALIDITY 7] ok", "* OK [UIDNEXT 100] ok", "* OK [HIGHESTMODSEQ 50] ok", "t OK [READ-WRITE] done"]);
    }

    /// <summary>The server's lines while a command is answered; its OK is added.</summary>
    public Answer While(string name, params string[] lines) => Run(new Command(name) { Act = static _ => new Read("", null) }, [.. lines, "t OK done"]);

    public Answer Run(Command command, params string[] lines)
    {
        var answer = new Answer(command, "t", 1, _now) { Before = Model.View?.Members, UnknownGoneBefore = Model.View?.UnknownGone ?? 0 };
        foreach (string line in lines)
        {
            Response response = Parse(line);
            long at = ++_now;
            if (response.IsTagged)
                answer.Complete(response, at);
            else
                answer.Untagged.Add((response, at));
            Model.Feed(response, answer, at);
        }
        return answer;
    }

    /// <summary>"{3}" and CRLF in a line begin a literal, as on the wire.</summary>
    public static Response Parse(string line)
    {
        var text = new StringBuilder();
        var literals = new List<byte[]>();
        for (Match literal; (literal = Regex.Match(line, @"\{(\d+)\}\r\n")).Success;)
        {
            int after = literal.Index + literal.Length;
            int size = int.Parse(literal.Groups[1].Value, CultureInfo.InvariantCulture);
            text.Append(line.AsSpan(0, after));
            literals.Add(Encoding.Latin1.GetBytes(line.Substring(after, size)));
            line = line[(after + size)..];
        }
        return ResponseParser.Parse(new ReplyLine(text.Append(line).ToString(), literals));
    }

    public static void Breaks(string promise, Answer answer) => Assert.Equal(promise, Assert.Single(answer.Seen.OfType<SeenBreach>()).Promise);

    public static void IsWell(Answer answer) => Assert.Empty(answer.Seen.OfType<SeenBreach>());
}
