using System.Globalization;
using MailCluster.Contracts;

namespace MailCluster.Lmtp;

/// <summary>MAIL and RCPT (RFC 5321 sections 4.1.1.2 and 4.1.1.3).</summary>
internal sealed partial class LmtpSession
{
    private void Mail(string argument)
    {
        if (_clientName is null)
        {
            Bad(LmtpReply.LhloFirst);
            return;
        }
        if (_transaction is not null)
        {
            Bad(LmtpReply.NestedMail);
            return;
        }
        if (!argument.StartsWith("FROM:", StringComparison.OrdinalIgnoreCase) || EnvelopePath.Parse(argument["FROM:".Length..]) is not { } path)
        {
            Bad(LmtpReply.SyntaxOfFrom);
            return;
        }
        long? size = null;
        bool utf8 = false;
        foreach ((string keyword, string? value) in path.Parameters)
        {
            switch (keyword)
            {
                case "SIZE":
                    if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long octets))
                    {
                        Bad(LmtpReply.BadParameter);
                        return;
                    }
                    size = octets;
                    break;
                case "BODY":
                    if (value?.ToUpperInvariant() is not ("7BIT" or "8BITMIME"))
                    {
                        Bad(LmtpReply.BadParameter);
                        return;
                    }
                    break;
                case "SMTPUTF8" when value is null:
                    utf8 = true;
                    break;
                default:
                    Bad(LmtpReply.UnknownParameter);
                    return;
            }
        }
        if (!utf8 && !path.IsAscii)
        {
            Bad(LmtpReply.NeedsSmtpUtf8);
            return;
        }
        if (size > _options.MaxMessageSize)
        {
            Say(LmtpReply.TooBig);
            return;
        }
        _transaction = new Transaction(path.Address, size, utf8);
        Say(LmtpReply.SenderOk);
    }

    private async ValueTask RcptAsync(string argument)
    {
        if (_transaction is not { } transaction)
        {
            Bad(LmtpReply.MailFirst);
            return;
        }
        if (transaction.Chunks is not null)
        {
            Bad(LmtpReply.InChunks);
            return;
        }
        if (!argument.StartsWith("TO:", StringComparison.OrdinalIgnoreCase) || EnvelopePath.Parse(argument["TO:".Length..]) is not { Address.Length: > 0 } path)
        {
            Bad(LmtpReply.SyntaxOfTo);
            return;
        }
        if (path.Parameters.Count > 0)
        {
            Bad(LmtpReply.UnknownParameter);
            return;
        }
        if (!transaction.Utf8 && !path.IsAscii)
        {
            Bad(LmtpReply.NeedsSmtpUtf8);
            return;
        }
        if (transaction.Recipients.Count >= _options.MaxRecipients)
        {
            Say(LmtpReply.TooManyRecipients);
            return;
        }
        var resolved = await _resolver.ResolveAsync(path.Address, _connection.Closed).ConfigureAwait(false);
        if (resolved.Error is { } error)
        {
            Say(LmtpReply.Of(error.Code, path.Address));
            return;
        }
        IReadOnlyList<(AccountSettings Settings, string? Detail)> accounts = resolved.Value!;
        // A first recipient always fits: what is refused here must find room in a transaction of its own.
        if (transaction.Recipients.Count > 0
            && (transaction.Targets + accounts.Count > _options.MaxTargets
                || transaction.WouldExceedTenants(accounts.Select(static a => a.Settings), _options.MaxTenants)))
        {
            Say(LmtpReply.TooManyRecipients);
            return;
        }
        transaction.Add(path.Address, accounts);
        Say(LmtpReply.RecipientOk(path.Address));
    }
}
