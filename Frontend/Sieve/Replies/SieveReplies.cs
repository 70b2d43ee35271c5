using System.Text;
using MailCluster.Sieve.Running;
using MimeKit;

namespace MailCluster.Sieve.Replies;

/// <summary>The messages that actions make. Pure: the same action of the same delivery makes the same octets.</summary>
public static class SieveReplies
{
    private const int MaxOctets = 16 * 1024;

    /// <summary>A vacation reply (RFC 5230 §5).</summary>
    public static byte[] Vacation(Vacation action, SieveMessage message, SieveSetting setting, string name)
    {
        string subject = Reply.Subject(action.Header, MaxOctets);
        MimeMessage reply = Reply.Begin(
            message, setting, name, action.From, message.Sender, action.Subject ?? (subject.Length > 0 ? "Auto: " + subject : "Automated reply"), "auto-replied");
        Reply.Refer(reply, action.Header, MaxOctets);
        reply.Headers.Add("Precedence", "bulk");
        reply.Headers.Add("X-Auto-Response-Suppress", "All");
        reply.Body = action.Mime ? Entity(action.Reason) : Plain(action.Reason);
        return Reply.Bytes(reply);
    }

    /// <summary>A notification (RFC 5436 §2).</summary>
    public static byte[] Notify(Notify action, SieveMessage message, SieveSetting setting, string name)
    {
        MailtoUri uri = action.Method;
        string original = Reply.Subject(action.Header, MaxOctets);
        string from = action.Header.Of("From").SelectMany(f => Addresses.Of(f.Unfolded(MaxOctets))).FirstOrDefault() ?? message.Sender;
        // The message, else what the URI says, else what the message is about (RFC 5436 §2.4).
        MimeMessage notification = Reply.Begin(
            message, setting, name, action.From, uri.To.Concat(uri.Cc).First(), FirstLine(action.Message) ?? uri.Subject ?? "New message: " + original,
            $"auto-notified; owner-email=\"{setting.Address.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"");
        notification.To.Clear();
        notification.To.AddRange(uri.To.Select(static a => new MailboxAddress("", a)));
        notification.Cc.AddRange(uri.Cc.Select(static a => new MailboxAddress("", a)));
        if (action.Importance != 2)
        {
            notification.Headers.Add("Importance", action.Importance == 1 ? "High" : "Low");
            notification.Headers.Add("X-Priority", action.Importance == 1 ? "1 (High)" : "5 (Low)");
        }
        notification.Body = Plain(action.Message ?? uri.Body ?? $"You have a new message.\r\n\r\nFrom: {from}\r\nSubject: {original}\r\n");
        return Reply.Bytes(notification);
    }

    /// <summary>A message disposition notification of a message that was rejected (RFC 5429 §2.2.1, RFC 8098).</summary>
    public static byte[] Reject(Reject action, SieveMessage message, SieveSetting setting, string name)
    {
        MimeMessage notice = Reply.Begin(message, setting, name, null, message.Sender, "Rejected: " + Reply.Subject(action.Header, MaxOctets), "auto-replied (rejected)");
        Reply.Refer(notice, action.Header, MaxOctets);
        string id = action.Header.Of("Message-ID").FirstOrDefault()?.Value(MaxOctets) ?? "";
        string fields = $"Reporting-UA: {setting.HostName}; MailCluster\r\nFinal-Recipient: rfc822; {setting.Address}\r\n"
            + (message.Recipient.Length > 0 ? $"Original-Recipient: rfc822; {message.Recipient}\r\n" : "")
            + (id.Length > 0 ? $"Original-Message-ID: {Ascii(id)}\r\n" : "") + "Disposition: automatic-action/MDN-sent-automatically; deleted\r\n";
        var report = new Multipart("report");
        report.ContentType.Parameters.Add("report-type", "disposition-notification");
        report.Add(Plain($"The message was refused by the recipient's mail filtering program.\r\nThe reason given was as follows:\r\n\r\n{action.Reason}\r\n"));
        report.Add(new MimePart("message", "disposition-notification") { Content = new MimeContent(new MemoryStream(Encoding.ASCII.GetBytes(fields))) });
        report.Add(new MimePart("text", "rfc822-headers")
        {
            Content = new MimeContent(new MemoryStream(message.Header.AllBytes)), ContentTransferEncoding = ContentEncoding.QuotedPrintable,
        });
        notice.Body = report;
        return Reply.Bytes(notice);
    }

    private static TextPart Plain(string text)
    {
        var part = new TextPart("plain");
        part.SetText(Encoding.UTF8, text);
        return part;
    }

    /// <summary>A reason that is a MIME entity (RFC 5230 §4.8); what is none is text.</summary>
    private static MimeEntity Entity(string reason)
    {
        try
        {
            using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(reason));
            return MimeEntity.Load(bytes);
        }
        catch (FormatException)
        {
            return Plain(reason);
        }
    }

    private static string? FirstLine(string? text) => text?.Split('\n', 2)[0].Trim() is { Length: > 0 } line ? line : null;

    private static string Ascii(string text) => string.Concat(text.Where(static c => c is > '\x1f' and < '\x7f'));
}
