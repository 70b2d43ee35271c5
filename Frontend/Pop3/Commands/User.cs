using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>USER (RFC 1939 section 7). Any name is taken: who exists is not told.</summary>
internal static class User
{
    public static ValueTask Run(Pop3Session session, string argument)
    {
        if (!session.LogsIn().MayLogIn)
        {
            session.Err(null, "Use STLS before you send a password");
        }
        else if (argument.Trim(' ') is { Length: > 0 } name)
        {
            session.State = new Authorization(name);
            session.Ok("Now the password");
        }
        else
        {
            session.Bad("USER takes a name");
        }
        return ValueTask.CompletedTask;
    }
}
