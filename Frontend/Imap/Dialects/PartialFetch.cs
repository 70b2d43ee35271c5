using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Dialects;

/// <summary>PARTIAL (RFC 1730 §6.4.6): some octets of one message's text, the first of which has the number 1; answered as FETCH of the whole would be.</summary>
internal static class PartialFetch
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        FetchArguments arguments = command.Parse(Parse);
        UidSet named = state.Mailbox.Resolve(arguments.Set, command.Uid);
        return await new FetchRun(session, state, arguments, command.Uid).RunAsync(named);
    }

    private static FetchArguments Parse(ref ImapParser parser)
    {
        uint message = parser.NonZero("a message");
        parser.Space();
        FetchAttribute attribute = FetchGrammar.Attribute(ref parser);
        if (attribute.Item is not (FetchItem.Section or FetchItem.Rfc822 or FetchItem.Rfc822Header or FetchItem.Rfc822Text) || attribute.Partial is not null)
            ImapParser.Fail("PARTIAL is for RFC822, RFC822.HEADER, RFC822.TEXT and BODY[…]");
        parser.Space();
        long first = parser.NonZero("the first octet");
        parser.Space();
        long count = parser.Number64("a number of octets");
        parser.End();
        // No octets at all cannot be asked for in any other way: behind the end there are none.
        Partial partial = count == 0 ? new Partial(long.MaxValue, 1) : new Partial(first - 1, count);
        return new(SequenceSet.Of(new SequenceRange(message, message)), [attribute with { Partial = partial, Label = attribute.Label ?? OldFetchItems.LabelOf(attribute) }], null, false);
    }
}
