using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>The arguments of SETQUOTA: limits in the units of RFC 9208, by the names of resources in capitals.</summary>
public sealed record SetQuotaArguments(string Root, IReadOnlyList<(string Resource, long Limit)> Limits);

/// <summary>GETQUOTA, SETQUOTA (RFC 9208 §7); GETQUOTAROOT takes a mailbox name alone.</summary>
public static class QuotaGrammar
{
    const int MaxResources = 32;

    public static string ParseRoot(ref ImapParser parser)
    {
        var root = Root(ref parser);
        parser.End();
        return root;
    }

    public static SetQuotaArguments ParseSet(ref ImapParser parser)
    {
        var root = Root(ref parser);
        parser.Space();
        List<(string, long)> limits = [];
        parser.OpenList();
        if (!parser.TrySkip((byte)')'))
        {
            do
            {
                if (limits.Count == MaxResources)
                {
                    ImapParser.Fail("Too many resources");
                }
                var resource = parser.UpperAtom("a resource");
                parser.Space();
                limits.Add((resource, parser.Number64("a limit")));
            }
            while (parser.NextInList());
        }
        parser.End();
        return new(root, limits);
    }

    static string Root(ref ImapParser parser) => Encoding.UTF8.GetString(parser.AString("a quota root", allow8Bit: true));
}
