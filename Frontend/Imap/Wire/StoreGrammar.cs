using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>The arguments of STORE and UID STORE.</summary>
/// <param name="Set">Message numbers, or UIDs for UID STORE.</param>
/// <param name="UnchangedSince">UNCHANGEDSINCE (RFC 7162 §3.1.3); null where it was not given.</param>
/// <param name="Mode">FLAGS, +FLAGS or -FLAGS.</param>
/// <param name="Silent">.SILENT: no untagged FETCH for what this command changes.</param>
/// <param name="Flags">The flags.</param>
public sealed record StoreArguments(SequenceSet Set, long? UnchangedSince, StoreMode Mode, bool Silent, FlagList Flags)
{
    /// <summary>ANNOTATION (RFC 5257 §4.5): what is set instead of flags; null for flags.</summary>
    public IReadOnlyList<AnnotationValue>? Annotations { get; init; }
}

/// <summary>STORE and UID STORE (RFC 9051 §6.4.6, RFC 4466, RFC 5257, RFC 7162).</summary>
public static class StoreGrammar
{
    public static StoreArguments Parse(ref ImapParser parser)
    {
        var set = parser.SequenceSet();
        parser.Space();
        long? unchangedSince = null;
        if (parser.TrySkip((byte)'('))
        {
            do
            {
                if (parser.Word("a STORE modifier") != "UNCHANGEDSINCE")
                {
                    ImapParser.Fail("Unknown STORE modifier");
                }
                parser.Space();
                unchangedSince = parser.Number64("a mod-sequence");
            }
            while (parser.NextInList());
            parser.Space();
        }
        if (parser.TryWord("ANNOTATION"u8))
        {
            var annotations = AnnotationGrammar.Values(ref parser) ?? throw new ImapSyntaxException("A literal is shorter than announced");
            parser.End();
            return new(set, unchangedSince, StoreMode.Add, true, FlagList.None) { Annotations = annotations };
        }
        var mode = parser.TrySkip((byte)'+') ? StoreMode.Add : parser.TrySkip((byte)'-') ? StoreMode.Remove : StoreMode.Replace;
        var silent = parser.Word("FLAGS") switch
        {
            "FLAGS" => false,
            "FLAGS.SILENT" => true,
            _ => throw new ImapSyntaxException("Expected FLAGS"),
        };
        parser.Space();
        var flags = FlagGrammar.ListOrBare(ref parser);
        parser.End();
        return new(set, unchangedSince, mode, silent, flags);
    }
}
