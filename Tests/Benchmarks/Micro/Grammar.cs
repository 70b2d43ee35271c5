using BenchmarkDotNet.Attributes;
using MailCluster.Imap.Wire;

namespace MailCluster.Benchmarks.Micro;

/// <summary>Commands as clients send them, from octets to records.</summary>
public class Grammar
{
    private static readonly byte[] _fetch = "1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY.PEEK[HEADER.FIELDS (References List-Id)])"u8.ToArray();
    private static readonly byte[] _store = "4711 +FLAGS (\\Seen $Forwarded)"u8.ToArray();
    private static readonly byte[] _search = "UNSEEN SINCE 1-Feb-2026 NOT DELETED OR SUBJECT report FROM person"u8.ToArray();
    private static readonly byte[] _set = [.. System.Text.Encoding.ASCII.GetBytes(string.Join(',', Enumerable.Range(1, 500).Select(static i => $"{i * 7}:{(i * 7) + 3}")))];

    [Benchmark]
    public FetchArguments Fetch()
    {
        var parser = new ImapParser(_fetch);
        return FetchGrammar.Parse(ref parser, uid: true);
    }

    [Benchmark]
    public StoreArguments Store()
    {
        var parser = new ImapParser(_store);
        return StoreGrammar.Parse(ref parser);
    }

    [Benchmark]
    public SearchArguments Search()
    {
        var parser = new ImapParser(_search);
        return SearchGrammar.Parse(ref parser);
    }

    [Benchmark]
    public SequenceSet SetOf500Ranges()
    {
        var parser = new ImapParser(_set);
        return parser.SequenceSet();
    }
}
