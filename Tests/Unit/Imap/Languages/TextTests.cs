using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using MailCluster.Imap.Languages;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Languages;

/// <summary>Every text for people that the IMAP front end can send is there in every language: the texts are looked for in the source, since a new one is written where it is sent.</summary>
public sealed class TextTests
{
    private static readonly string[] Tags = [.. Language.All.Select(static l => l.Tag).Except(["i-default", "en"])];

    /// <summary>Where texts for people are made that IMAP sends: there by itself, elsewhere as reasons why something failed or a session ended.</summary>
    private static readonly string[] Reasons = ["Frontend/Sasl", "Frontend/Cluster", "Frontend/Server/Hosting", "Grains", "Storage"];

    /// <summary>What only administrators read, or programs that import.</summary>
    private static readonly string[] Elsewhere = ["Storage/Directory/", "Storage/Accounts/AclStore.cs", "Storage/Mailboxes/ExpungedMessages.cs", "Storage/Mailboxes/MailboxLookup.cs", "Storage/Mailboxes/UidlImport.cs"];

    /// <summary>What is put together of two literals, as it is then.</summary>
    private static readonly Dictionary<string, string> Together = new()
    {
        [" completed"] = "{0} completed", ["Expected "] = "Expected {0}", [" other than 0"] = "Expected {0} other than 0",
    };

    /// <summary>Literals of the IMAP front end that nobody reads, or whom no session has told its language.</summary>
    private static readonly Regex NotForPeople = new(
        """
        ^\* BYE \[|^IMAP4rev1 |^ ACL RIGHTS=|^ ANNOTATE-EXPERIMENT-1$|^ IMAP4rev2$|^ MESSAGELIMIT=|^[A-Z-]+ \(?\{0\}|^(BADURL|NOUPDATE) "|^INPROGRESS \("|^ID \("name"|^ "version" $|^"charset" "us-ascii"$
        |^(LIST|LSUB) \(\\[A-Za-z]+\) $|^\\[A-Za-z]+ $|^MessageNew MessageExpunge FlagChange |^BODY\[\{0\}\]$|^METADATA (LONGENTRIES|MAXSIZE) \{0\}$|^\{0\}: \{1\}\n$
        """.ReplaceLineEndings(""), RegexOptions.Compiled);

    public static TheoryData<string> Languages => [.. Tags];

    [Theory]
    [MemberData(nameof(Languages))]
    public void A_language_has_every_text_and_no_other(string tag)
    {
        IReadOnlyDictionary<string, string> entries = Language.Entries(tag);
        HashSet<string> sent = [.. Texts().Select(static t => t.Text), "Other Users", "Shared Folders"];
        Assert.True(sent.Count > 300, "The source was not found");
        Assert.Equal([], sent.Except(entries.Keys).Order());
        Assert.Equal([], entries.Keys.Except(sent).Order());
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void What_is_put_in_has_its_places_and_nothing_is_left_in_English(string tag)
    {
        foreach ((string text, string translation) in Language.Entries(tag))
        {
            Assert.Equal(Places(text), Places(translation));
            Assert.False(string.IsNullOrWhiteSpace(translation) || translation.Any(char.IsControl) || translation[0] == '[' || translation.EndsWith('.'), translation);
            // Names that the protocol has stay what they are.
            Assert.Equal(Names(text), Names(translation));
            Assert.True(text != translation || Names(text).Count > 0 || text == "Unknown", $"'{text}' is not translated");
            // Another order of the parts would still be found by their places.
            Assert.Equal(translation.Replace("{0}", "NOOP", StringComparison.Ordinal).Replace("{1}", "x", StringComparison.Ordinal),
                Language.Find(tag)!.Of(text.Replace("{0}", "NOOP", StringComparison.Ordinal).Replace("{1}", "x", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Parts_are_put_in_and_are_texts_themselves()
    {
        Language german = Language.Find("de")!;
        Assert.Equal("Eine Nachricht hat höchstens 12 Oktette.", german.Of("A message has at most 12 octets."));
        Assert.Equal("Erwartet: ein Passwort", german.Of("Expected a password"));
        Assert.Equal("Erwartet: eine Zahl außer 0", german.Of("Expected a number other than 0"));
        Assert.Equal("UID FETCH ausgeführt", german.Of("UID FETCH completed"));
        // What is not known is sent as it is.
        Assert.Equal("Something else.", german.Of("Something else."));
        Assert.Equal(" completed", german.Of(" completed"));
        Assert.Equal("", german.Of(""));
        Assert.Equal("Expected a password", Language.Default.Of("Expected a password"));
        Assert.Equal("b-a", new TextPattern("{0}-{1}", "{1}-{0}").Apply("a-b", static p => p));
        Assert.Null(new TextPattern("{0}-{1}", "{1}-{0}").Apply("a-", static p => p));
        Assert.Null(new TextPattern("{0} is no search", "").Apply("is no search", static p => p));
    }

    private static IReadOnlyList<string> Places(string text) => [.. Regex.Matches(text, @"\{\d\}").Select(static m => m.Value).Order()];

    private static IReadOnlyList<string> Names(string text) => [.. Regex.Matches(text, @"(?<![A-Za-z])(?:[A-Z][A-Z0-9=.\-]{2,}|IMAP4rev2|\\[A-Z][a-z]+|MessageNew|MessageExpunge|FlagChange|AnnotationChange)(?![a-z])").Select(static m => m.Value.TrimEnd('-', '.')).Where(static n => n is not ("URL" or "UID" or "URLS" or "TLS")).Order()];

    private static IEnumerable<(string Text, string File)> Texts()
    {
        foreach (string file in Sources("Frontend/Imap").Where(static f => !f.EndsWith("ImapMetrics.cs", StringComparison.Ordinal)))
        {
            foreach (SourceText literal in SourceText.All(File.ReadAllText(file)))
            {
                if (literal.IsLogged || literal.IsOfException)
                    continue;
                if (Together.TryGetValue(literal.Text, out string? whole))
                    yield return (whole, file);
                else if (literal.IsWords ? !NotForPeople.IsMatch(literal.Text) : literal.IsWord && literal.IsSent)
                    yield return (literal.Sentence, file);
            }
        }
        foreach (string file in Reasons.SelectMany(Sources).Where(static f => !Elsewhere.Any(f.Contains)))
        {
            foreach (SourceText literal in SourceText.All(File.ReadAllText(file)))
            {
                if (literal.IsReason)
                    yield return (literal.Sentence, file);
            }
        }
    }

    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories);

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../.."));
}
