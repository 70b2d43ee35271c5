using MailCluster.Imap.Languages;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>LANGUAGE (RFC 5255 §3.2), in any state: tells which languages there are, or changes the one that texts are in from its own answer on, until TLS begins or the user changes.</summary>
internal static class SetLanguage
{
    public static ValueTask<Completion> RunAsync(ImapSession session, SessionState state, Command command)
    {
        if (!command.HasArguments)
        {
            session.Reply.Untagged().Raw("LANGUAGE ("u8).Raw(string.Join(' ', Language.All.Select(static l => l.Tag))).Raw(")"u8).NewLine();
            return new(Completion.Ok(null, "The languages that there are"));
        }
        IReadOnlyList<string> ranges = command.Parse(LanguageRange.Parse);
        if (LanguageRange.Choose(ranges, Language.Find(session.Options.Language) ?? Language.Default) is not { } language)
            return new(Completion.No(null, "None of these languages is known"));
        session.Reply.Untagged().Raw("LANGUAGE ("u8).Raw(language.Tag).Raw(")"u8).NewLine();
        session.Reply.Language = language;
        // §3.4: what namespaces are called for people is in that language, too.
        if (state is Authenticated { User: var user })
            Namespace.Write(session.Reply, user.Names);
        return new(Completion.Ok(null, "Texts are in English now"));
    }
}
