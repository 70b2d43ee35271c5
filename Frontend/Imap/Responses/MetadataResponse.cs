using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>METADATA (RFC 5464 §4.4).</summary>
public static class MetadataResponse
{
    /// <summary>With values; null is NIL: there is no such annotation.</summary>
    /// <param name="mailbox">As on the wire; empty for the server.</param>
    public static void Write(ReplyWriter reply, string mailbox, IEnumerable<(string Entry, byte[]? Value)> entries)
    {
        bool first = true;
        reply.Untagged().Raw("METADATA "u8).Mailbox(mailbox).Raw(" ("u8);
        foreach ((string entry, byte[]? value) in entries)
        {
            if (!first)
                reply.Space();
            first = false;
            reply.AString(entry).Space().Octets(value);
        }
        reply.Close().NewLine();
    }
}
