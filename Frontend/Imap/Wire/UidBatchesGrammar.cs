namespace MailCluster.Imap.Wire;

/// <summary>The arguments of UIDBATCHES.</summary>
/// <param name="Size">Messages of a batch at most.</param>
/// <param name="Batches">The first and the last batch that is asked for, from 1, as they were written; null for all.</param>
public sealed record UidBatchesArguments(uint Size, (uint First, uint Last)? Batches);

/// <summary>UIDBATCHES (RFC 10022).</summary>
public static class UidBatchesGrammar
{
    public static UidBatchesArguments Parse(ref ImapParser parser)
    {
        var size = parser.NonZero("the size of a batch");
        if (parser.OnlySpacesLeft)
        {
            parser.End();
            return new(size, null);
        }
        parser.Space();
        var first = parser.NonZero("a batch");
        parser.Skip((byte)':', ":");
        var last = parser.NonZero("a batch");
        parser.End();
        return new(size, (first, last));
    }
}
