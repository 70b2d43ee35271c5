using System.Globalization;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;
using MailCluster.Net;

namespace MailCluster.Imap.Responses;

/// <summary>ANNOTATION of a FETCH answer (RFC 5257 §4.4).</summary>
internal static class AnnotationResponse
{
    /// <summary>
    /// The entries that an answer tells of: those that are asked for by name, whether they are there or not, and of patterns those that have one of the attributes that are asked for.
    /// </summary>
    /// <param name="known">The annotations of the message.</param>
    public static List<string> Entries(AnnotationQuery query, IReadOnlyList<MessageAnnotation> known)
    {
        var entries = new List<string>();
        foreach (string asked in query.Entries)
        {
            if (!AnnotationNames.IsPattern(asked))
            {
                if (!entries.Contains(asked))
                    entries.Add(asked);
                continue;
            }
            foreach (MessageAnnotation one in known)
            {
                if (!entries.Contains(one.Entry) && query.Attributes.Any(a => a.Shared == one.Shared) && AnnotationNames.Matches(asked, one.Entry))
                    entries.Add(one.Entry);
            }
        }
        return entries;
    }

    /// <summary>Entries with attributes and their values. Large values are read one by one.</summary>
    public static async ValueTask WriteAsync(ImapSession session, SelectedMailbox mailbox, AccountId viewer, uint uid, AnnotationQuery query, List<string> entries, IReadOnlyList<MessageAnnotation> known)
    {
        ReplyWriter reply = session.Reply.Open();
        for (int i = 0; i < entries.Count; i++)
        {
            if (i > 0)
                reply.Space();
            reply.AString(entries[i]).Space().Open();
            for (int k = 0; k < query.Attributes.Count; k++)
            {
                AnnotationAttribute attribute = query.Attributes[k];
                MessageAnnotation? one = known.FirstOrDefault(a => a.Entry == entries[i] && a.Shared == attribute.Shared);
                if (k > 0)
                    reply.Space();
                reply.Raw(attribute.Size ? "size"u8 : "value"u8).Raw(attribute.Shared ? ".shared"u8 : ".priv"u8).Space();
                if (attribute.Size)
                    reply.String((one?.Size ?? 0).ToString(CultureInfo.InvariantCulture));
                else
                    reply.Octets(one is null ? null : one.Value ?? await session.Services.Annotations!.ReadAsync(mailbox.Key, viewer, uid, one.Entry, one.Shared, session.Gone));
                await session.FlushIfFullAsync();
            }
            reply.Close();
        }
        reply.Close();
    }

    /// <summary>ANNOTATIONS of SELECT (RFC 5257 §4.1): how large a value may be, where any can be set.</summary>
    public static void Limits(ReplyWriter reply, bool readOnly, int octets)
    {
        reply.BeginStatus(null, "OK"u8).Raw("[ANNOTATIONS "u8);
        if (readOnly)
            reply.Raw("READ-ONLY"u8);
        else
            reply.Number(octets);
        reply.Raw("] "u8).Text(readOnly ? "Annotations can be read" : "Octets of an annotation").NewLine();
    }
}
