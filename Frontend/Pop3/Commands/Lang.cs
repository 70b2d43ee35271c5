using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>LANG (RFC 6856 section 3): the texts are English, which is also the language that the administrator prefers.</summary>
internal static class Lang
{
    public static ValueTask Run(Pop3Session session, string argument)
    {
        if (argument.Length == 0)
        {
            session.Ok("Language listing follows:");
            session.Line("en English");
            session.Line(".");
        }
        else if (argument == "*" || argument.Equals("en", StringComparison.OrdinalIgnoreCase))
            session.Ok("en Language changed");
        else
            session.Err(null, "This language is not known");
        return ValueTask.CompletedTask;
    }
}
