using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>RETR (RFC 1939 section 5).</summary>
internal static class Retr
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state, string argument)
    {
        if (await Messages.FindAsync(session, state, argument) is not { } number)
            return;
        uint octets = state.Maildrop[number].Size;
        if (await MessageText.SendAsync(session, state, number, $"{octets} octets", lines: null))
        {
            Pop3Metrics.Retrieved.Add(1);
            Pop3Metrics.RetrievedOctets.Add(octets);
        }
    }
}
