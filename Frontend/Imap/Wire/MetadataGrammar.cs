using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <param name="Mailbox">An empty name: the server.</param>
/// <param name="Entries">In lower case.</param>
public sealed record GetMetadataArguments(MailboxArgument Mailbox, IReadOnlyList<string> Entries, MetadataDepth Depth, long? MaxSize);

/// <param name="Mailbox">An empty name: the server.</param>
public sealed record SetMetadataArguments(MailboxArgument Mailbox, IReadOnlyList<MetadataValue> Entries);

/// <summary>GETMETADATA and SETMETADATA (RFC 5464 §5).</summary>
public static class MetadataGrammar
{
    const int MaxEntries = 200;

    /// <summary>Options stand in front of the mailbox in the RFC's grammar and behind it in its examples: both are read, and so are entries that no parentheses hold together.</summary>
    public static GetMetadataArguments ParseGet(ref ImapParser parser)
    {
        var depth = MetadataDepth.Zero;
        long? maxSize = null;
        if (parser.Next == '(')
        {
            Options(ref parser, ref depth, ref maxSize);
            parser.Space();
        }
        var mailbox = parser.Mailbox();
        parser.Space();
        if (parser.Next == '(' && parser.Rest.Length > 1 && parser.Rest[1] is not ((byte)'/' or (byte)'"' or (byte)'{'))
        {
            Options(ref parser, ref depth, ref maxSize);
            parser.Space();
        }
        List<string> entries = [];
        Entries(ref parser, entries);
        while (!parser.OnlySpacesLeft)
        {
            parser.Space();
            Entries(ref parser, entries);
        }
        parser.End();
        return new(mailbox, entries, depth, maxSize);
    }

    public static SetMetadataArguments ParseSet(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        parser.Space();
        List<MetadataValue> values = [];
        parser.OpenList();
        do
        {
            var entry = Entry(ref parser);
            Settable(entry);
            parser.Space();
            // MailKit writes short values as atoms, which RFC 5464 §5 does not have.
            var value = parser.TryWord("NIL"u8) ? null
                : (parser.Next == '~' ? parser.String("a value or NIL", allow8Bit: true, allowBinary: true) : parser.AString("a value or NIL", allow8Bit: true)).ToArray();
            if (values.Count == MaxEntries)
            {
                ImapParser.Fail("Too many entries");
            }
            // The last word counts.
            values.RemoveAll(v => v.Entry == entry);
            values.Add(new(entry, value));
        }
        while (parser.NextInList());
        parser.End();
        return new(mailbox, values);
    }

    /// <summary>One entry, or several in parentheses; also those of LIST … RETURN (METADATA …) (RFC 9590).</summary>
    public static void Entries(ref ImapParser parser, List<string> entries)
    {
        if (!parser.TrySkip((byte)'('))
        {
            Add(ref parser, entries);
            return;
        }
        do
        {
            Add(ref parser, entries);
        }
        while (parser.NextInList());
    }

    static void Add(ref ImapParser parser, List<string> entries)
    {
        var entry = Entry(ref parser);
        if (entries.Count == MaxEntries)
        {
            ImapParser.Fail("Too many entries");
        }
        if (!entries.Contains(entry))
        {
            entries.Add(entry);
        }
    }

    static void Options(ref ImapParser parser, ref MetadataDepth depth, ref long? maxSize)
    {
        parser.OpenList();
        do
        {
            switch (parser.Word("a GETMETADATA option"))
            {
                case "MAXSIZE":
                    parser.Space();
                    maxSize = parser.Number();
                    break;
                case "DEPTH":
                    parser.Space();
                    depth = parser.Word("a depth") switch
                    {
                        "0" => MetadataDepth.Zero,
                        "1" => MetadataDepth.One,
                        "INFINITY" => MetadataDepth.Infinity,
                        _ => throw new ImapSyntaxException("The depth is 0, 1 or infinity"),
                    };
                    break;
                default:
                    ImapParser.Fail("Unknown GETMETADATA option");
                    break;
            }
        }
        while (parser.NextInList());
    }

    /// <summary>RFC 5464 §3.2: a path below /private or /shared, without wildcards; case does not count.</summary>
    static string Entry(ref ImapParser parser)
    {
        var name = parser.AString("an entry");
        if (name.Length > MetadataLimits.MaxName)
        {
            ImapParser.Fail("An entry's name is too long");
        }
        foreach (var b in name)
        {
            if (b is <= 0x20 or >= 0x7f or (byte)'*' or (byte)'%')
            {
                ImapParser.Fail("An entry's name holds a character that none can hold");
            }
        }
        var entry = Encoding.ASCII.GetString(name).ToLowerInvariant();
        var whose = entry.StartsWith("/private", StringComparison.Ordinal) ? 8 : entry.StartsWith("/shared", StringComparison.Ordinal) ? 7 : 0;
        if (whose == 0 || (entry.Length > whose && entry[whose] != '/'))
        {
            ImapParser.Fail("An entry's name begins with /private or /shared");
        }
        if (entry[^1] == '/' || entry.Contains("//", StringComparison.Ordinal))
        {
            ImapParser.Fail("An entry's name has an empty part");
        }
        return entry;
    }

    /// <summary>What can be set has two parts at least, four where it is a vendor's.</summary>
    static void Settable(string entry)
    {
        var parts = entry.Split('/');
        if (parts.Length < 3 || (parts[2] == "vendor" && parts.Length < 5))
        {
            ImapParser.Fail("An entry's name has too few parts");
        }
    }
}
