using System.Text;
using MailCluster.Sieve.Running;
using MimeKit;
using MimeKit.Utils;

namespace MailCluster.Sieve.Replies;

/// <summary>What all mail has in common that a filter makes by itself (RFC 3834).</summary>
internal static class Reply
{
    private const int MaxSubject = 300;

    /// <param name="name">Names the message among all that were ever made: the same in each repetition of a delivery.</param>
    public static MimeMessage Begin(SieveMessage to, SieveSetting setting, string name, string? from, string recipient, string subject, string automatic)
    {
        var message = new MimeMessage { MessageId = $"{name}@{setting.HostName}", Date = to.Received, Subject = OneLine(subject) };
        message.From.Add(new MailboxAddress("", Own(setting, to, from)));
        message.To.Add(new MailboxAddress("", recipient));
        message.Headers.Add("Auto-Submitted", automatic);
        return message;
    }

    /// <summary>In-Reply-To and References (RFC 5322 §3.6.4, RFC 5230 §5.8).</summary>
    public static void Refer(MimeMessage reply, MessageHeader to, int maxOctets)
    {
        if (to.Of("Message-ID").FirstOrDefault() is not { } id || MimeUtils.EnumerateReferences(Encoding.ASCII.GetString(id.Unfolded(maxOctets))).FirstOrDefault() is not { } own)
            return;
        reply.InReplyTo = own;
        if (to.Of("References").FirstOrDefault() is { } references)
            reply.References.AddRange(MimeUtils.EnumerateReferences(Encoding.ASCII.GetString(references.Unfolded(maxOctets))).TakeLast(50));
        reply.References.Add(own);
    }

    public static string Subject(MessageHeader header, int maxOctets) => header.Of("Subject").FirstOrDefault()?.Value(maxOctets) ?? "";

    public static byte[] Bytes(MimeMessage message)
    {
        FormatOptions format = FormatOptions.Default.Clone();
        format.NewLineFormat = NewLineFormat.Dos;
        format.EnsureNewLine = true;
        message.Prepare(EncodingConstraint.SevenBit);
        using var bytes = new MemoryStream();
        message.WriteTo(format, bytes);
        return bytes.ToArray();
    }

    /// <summary>Nobody speaks for others: an address that is not known to be the owner's is passed over.</summary>
    public static string Own(SieveSetting setting, SieveMessage message, string? wanted) =>
        wanted is not null && setting.Addresses.Append(message.Recipient).Contains(wanted, StringComparer.OrdinalIgnoreCase) ? wanted : setting.Address;

    private static string OneLine(string subject)
    {
        subject = string.Concat(subject.Select(static c => char.IsControl(c) ? ' ' : c)).Trim();
        return subject.Length <= MaxSubject ? subject : subject[..(char.IsHighSurrogate(subject[MaxSubject - 1]) ? MaxSubject - 1 : MaxSubject)];
    }
}
