using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>ENVELOPE (RFC 9051 §7.5.2).</summary>
public static class EnvelopeResponse
{
    /// <summary>The parenthesized envelope. Sender and Reply-To, where absent or empty, repeat From.</summary>
    public static ReplyWriter Envelope(this ReplyWriter reply, EnvelopeData envelope)
    {
        reply.Open().NString(envelope.Date).Space().NString(envelope.Subject).Space();
        reply.Addresses(envelope.From).Space();
        reply.Addresses(envelope.Sender.Count > 0 ? envelope.Sender : envelope.From).Space();
        reply.Addresses(envelope.ReplyTo.Count > 0 ? envelope.ReplyTo : envelope.From).Space();
        reply.Addresses(envelope.To).Space();
        reply.Addresses(envelope.Cc).Space();
        reply.Addresses(envelope.Bcc).Space();
        return reply.NString(envelope.InReplyTo).Space().NString(envelope.MessageId).Close();
    }

    private static ReplyWriter Addresses(this ReplyWriter reply, IReadOnlyList<EnvelopeAddress> addresses)
    {
        if (addresses.Count == 0)
            return reply.Nil();
        reply.Open();
        foreach (var address in addresses)
        {
            reply.Open().NString(address.Name).Space().NString(address.Route).Space();
            reply.NString(address.Mailbox).Space().NString(address.Host).Close();
        }
        return reply.Close();
    }
}
