using System.Text;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Wire;

delegate T GrammarOf<T>(ref ImapParser parser);

/// <summary>Runs one grammar over text; every character is one byte.</summary>
static class Grammar
{
    public static T Parse<T>(string text, GrammarOf<T> grammar, WireCharset charset = WireCharset.Rev1)
        => Parse(Encoding.Latin1.GetBytes(text), grammar, charset);

    public static T Parse<T>(byte[] bytes, GrammarOf<T> grammar, WireCharset charset = WireCharset.Rev1)
    {
        var parser = new ImapParser(bytes, charset);
        return grammar(ref parser);
    }

    public static string Bad<T>(string text, GrammarOf<T> grammar, WireCharset charset = WireCharset.Rev1)
        => Assert.Throws<ImapSyntaxException>(() => Parse(text, grammar, charset)).Message;

    public static FetchArguments Fetch(string text, bool uid = false) => Parse(text, (ref ImapParser p) => FetchGrammar.Parse(ref p, uid));

    public static SearchArguments Search(string text) => Parse(text, SearchGrammar.Parse);
}
