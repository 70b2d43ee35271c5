namespace MailCluster.Imap.Wire;

/// <summary>Selection options of LIST (RFC 5258 §3.1, RFC 6154).</summary>
[Flags]
public enum ListSelection
{
    None = 0,
    Subscribed = 1,
    Remote = 2,
    RecursiveMatch = 4,
    SpecialUse = 8,
}

/// <summary>Return options of LIST (RFC 5258 §3.2, RFC 6154, RFC 5819, RFC 8440, RFC 9590).</summary>
[Flags]
public enum ListReturn
{
    None = 0,
    Subscribed = 1,
    Children = 2,
    SpecialUse = 4,
    Status = 8,
    Metadata = 16,
    MyRights = 32,
}

/// <summary>The arguments of LIST, or of LSUB with the plain form.</summary>
/// <param name="Selection">Which mailboxes.</param>
/// <param name="Reference">The reference name, often empty.</param>
/// <param name="Patterns">At least one; one empty pattern asks for the delimiter in the plain form.</param>
/// <param name="Return">What is told beside the names.</param>
/// <param name="Status">The STATUS items where <paramref name="Return"/> has Status.</param>
/// <param name="Metadata">The entries where <paramref name="Return"/> has Metadata (RFC 9590).</param>
/// <param name="Extended">Options or a pattern list were given (RFC 5258 §3: other rules for an empty pattern).</param>
public sealed record ListArguments(
    ListSelection Selection, MailboxArgument Reference, IReadOnlyList<MailboxArgument> Patterns, ListReturn Return, StatusItems Status, IReadOnlyList<string> Metadata, bool Extended);

/// <summary>LIST and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.8, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590).</summary>
public static class ListGrammar
{
    const int MaxPatterns = 100;

    public static ListArguments Parse(ref ImapParser parser)
    {
        var selection = ListSelection.None;
        var extended = parser.Next == '(';
        if (extended)
        {
            selection = Selection(ref parser);
            parser.Space();
        }
        var reference = parser.Mailbox();
        parser.Space();
        List<MailboxArgument> patterns = [];
        if (parser.TrySkip((byte)'('))
        {
            extended = true;
            do
            {
                if (patterns.Count == MaxPatterns)
                {
                    ImapParser.Fail("Too many patterns");
                }
                patterns.Add(parser.ListMailbox());
            }
            while (parser.NextInList());
        }
        else
        {
            patterns.Add(parser.ListMailbox());
        }
        var returns = ListReturn.None;
        var status = StatusItems.None;
        List<string> metadata = [];
        if (!parser.OnlySpacesLeft)
        {
            parser.Space();
            extended = true;
            if (!parser.TryWord("RETURN"u8))
            {
                ImapParser.Fail("Expected RETURN");
            }
            parser.Space();
            Returns(ref parser, ref returns, ref status, metadata);
        }
        parser.End();
        return new(selection, reference, patterns, returns, status, metadata, extended);
    }

    /// <summary>LSUB: a reference and one pattern.</summary>
    public static ListArguments ParseLsub(ref ImapParser parser)
    {
        var reference = parser.Mailbox();
        parser.Space();
        var pattern = parser.ListMailbox();
        parser.End();
        return new(ListSelection.Subscribed, reference, [pattern], ListReturn.None, StatusItems.None, [], Extended: false);
    }

    static ListSelection Selection(ref ImapParser parser)
    {
        var selection = ListSelection.None;
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return selection;
        }
        do
        {
            selection |= parser.Word("a LIST selection option") switch
            {
                "SUBSCRIBED" => ListSelection.Subscribed,
                "REMOTE" => ListSelection.Remote,
                "RECURSIVEMATCH" => ListSelection.RecursiveMatch,
                "SPECIAL-USE" => ListSelection.SpecialUse,
                _ => throw new ImapSyntaxException("Unknown LIST selection option"),
            };
        }
        while (parser.NextInList());
        if (selection.HasFlag(ListSelection.RecursiveMatch) && (selection & (ListSelection.Subscribed | ListSelection.SpecialUse)) == 0)
        {
            ImapParser.Fail("RECURSIVEMATCH needs another selection option");
        }
        return selection;
    }

    static void Returns(ref ImapParser parser, ref ListReturn returns, ref StatusItems status, List<string> metadata)
    {
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return;
        }
        do
        {
            switch (parser.Word("a LIST return option"))
            {
                case "SUBSCRIBED":
                    returns |= ListReturn.Subscribed;
                    break;
                case "CHILDREN":
                    returns |= ListReturn.Children;
                    break;
                case "SPECIAL-USE":
                    returns |= ListReturn.SpecialUse;
                    break;
                case "STATUS":
                    parser.Space();
                    returns |= ListReturn.Status;
                    status |= StatusGrammar.Items(ref parser);
                    break;
                case "MYRIGHTS":
                    returns |= ListReturn.MyRights;
                    break;
                case "METADATA":
                    parser.Space();
                    returns |= ListReturn.Metadata;
                    MetadataGrammar.Entries(ref parser, metadata);
                    break;
                default:
                    ImapParser.Fail("Unknown LIST return option");
                    break;
            }
        }
        while (parser.NextInList());
    }
}
