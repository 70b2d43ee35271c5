using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>COMPRESS (RFC 4978): from the line after its OK both sides speak DEFLATE.</summary>
internal static class Compress
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        string mechanism = command.Parse(SessionGrammar.ParseCompress);
        if (mechanism != "DEFLATE")
            return Completion.Bad("DEFLATE is all there is");
        if (session.Connection.IsCompressed)
            return Completion.No("COMPRESSIONACTIVE", "Compression is on already");
        // What came in the clear behind this command was meant for the other side of it.
        if (session.Reader.HasMoreInput || session.Connection.HasBufferedInput)
            return Completion.Bad("Nothing may follow COMPRESS before its answer");
        if (!session.Services.TryCompress())
            return Completion.No("LIMIT", "Too many connections are compressed already");
        session.Reply.Status(command.Tag, "OK"u8, null, "DEFLATE active");
        await session.CompressAsync();
        return Completion.Answered;
    }
}
