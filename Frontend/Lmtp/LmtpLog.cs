using Microsoft.Extensions.Logging;

namespace MailCluster.Lmtp;

internal static partial class LmtpLog
{
    /// <summary>One line for each account that a message was delivered to, or not. Never a word of the content.</summary>
    [LoggerMessage(1, LogLevel.Information,
        "delivery {Result} queue={QueueId} message-id={MessageId} size={Size} from=<{Sender}> to=<{Recipient}> user={User} mailbox={Mailbox} uid={Uid} session={Session} address={Address} reason=\"{Reason}\"")]
    public static partial void Delivery(ILogger logger, string result, string queueId, string messageId, long size, string sender, string recipient,
        string user, string mailbox, string uid, string session, string address, string reason);

    [LoggerMessage(2, LogLevel.Warning, "the message of tenant {Tenant} could not be stored: {Reason}")]
    public static partial void NotStaged(ILogger logger, long tenant, Exception? exception, string reason);

    [LoggerMessage(3, LogLevel.Information, "session {Session} from {Address} ended inside a message after {Received} octets; nothing of it is kept")]
    public static partial void Dropped(ILogger logger, string session, string address, long received);

    [LoggerMessage(4, LogLevel.Error, "a delivery failed for a reason that is not expected")]
    public static partial void Bug(ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "the filter of {User} failed: {Failure}")]
    public static partial void FilterFailed(ILogger logger, string user, string failure);

    /// <summary>What a client or a message says must not begin a line of its own, nor end a quotation.</summary>
    public static string OneLine(string text) =>
        string.Create(text.Length, text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) || source[i] is ' ' or '"' or '\u2028' or '\u2029' ? '?' : source[i];
        });
}
