using MailCluster.Pop3.Session;
using MailCluster.Pop3.Wire;

namespace MailCluster.Pop3.Commands;

/// <summary>TOP (RFC 1939 section 7): the header, the empty line behind it, and so many lines of the body.</summary>
internal static class Top
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state, string argument)
    {
        string[] arguments = argument.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (arguments.Length != 2 || CommandLine.Number(arguments[1]) is not { } lines)
        {
            session.Bad("TOP takes a message-number and a number of lines");
            return;
        }
        if (await Messages.FindAsync(session, state, arguments[0]) is { } number)
            await MessageText.SendAsync(session, state, number, "Top of message follows", lines);
    }
}
