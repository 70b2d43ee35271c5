using System.Security.Cryptography;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Outgoing;

/// <summary>Puts a message that could not leave into its owner's INBOX.</summary>
internal sealed class Returns(MailClusterClient cluster)
{
    /// <summary>With the mailbox as it is known, and as it is now.</summary>
    private const int Attempts = 2;

    /// <summary>
    /// Once, however often it is tried. Failures: <see cref="MailErrorCode.NonExistent"/> (the account is gone), and those of <see cref="IMailboxGrain.Append"/>.
    /// </summary>
    public async Task<MailResult<Done>> ToInboxAsync(WaitingMail mail, string reason, CancellationToken cancellationToken)
    {
        IAccountGrain owner = cluster.Account(mail.Account);
        MailResult<AccountSettings> settings = await cluster.CallAsync(() => owner.Settings(), cancellationToken).ConfigureAwait(false);
        if (settings.Error is { } gone)
            return gone;
        byte[] prefix = Encoding.UTF8.GetBytes($"Return-Path: <{mail.Mail.Sender}>\r\nDelivered-To: {settings.Value!.User}\r\nX-Sieve-Failure: {OneLine(reason)}\r\n");
        var message = new NewMessage(
            mail.Mail.Body!.Value, mail.Claim!.Value, prefix, (uint)(prefix.Length + mail.Mail.Size), mail.Created.ToUnixTimeSeconds(), 0, FlagList.None, []);
        var mark = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{mail.Operation:N} returned")).AsSpan(0, 16));
        var request = new AppendRequest(cluster.NextOperation(), new Actor(settings.Value.User, $"{mail.Operation:N}.{mail.Mail.Ordinal}", null), [message], mark);
        for (int attempt = 1; ; attempt++)
        {
            var wait = new CommandWait(cancellationToken);
            MailResult<MailboxInfo> inbox = attempt == 1
                ? await cluster.RecallAsync(mail.Account, MailboxPath.Inbox, wait).ConfigureAwait(false) : await cluster.FindAsync(mail.Account, MailboxPath.Inbox, wait).ConfigureAwait(false);
            if (inbox.Error is { } none)
                return none;
            IMailboxGrain mailbox = cluster.Mailbox(new MailboxKey(mail.Account, inbox.Value!.Id));
            AppendRequest named = request with { Path = inbox.Value.Path };
            MailResult<AppendResult> appended = await cluster.CallAsync(() => mailbox.Append(named), cancellationToken).ConfigureAwait(false);
            if (appended.IsOk)
                return Done.Value;
            // An earlier try has taken the claim: the answer was lost, or another of the delivery's messages came back before.
            if (appended.Error.Code == MailErrorCode.BodyGone)
                return Done.Value;
            if (appended.Error.Code is not (MailErrorCode.MailboxGone or MailErrorCode.Renamed) || attempt == Attempts)
                return appended.Error;
        }
    }

    private static string OneLine(string text)
    {
        text = string.Concat(text.Select(static c => c is < ' ' or >= '\x7f' ? ' ' : c));
        return text.Length > 500 ? text[..500] : text;
    }
}
