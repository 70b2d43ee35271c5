using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
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
        string? bad = BadRecipient(argument, out EnvelopePath? path);
        if (bad is not null || _named.Count == _options.MaxConcurrentDeliveries || _transaction!.Recipients.Count + _named.Count >= _options.MaxRecipients)
            await AnswerRecipientsAsync().ConfigureAwait(false);
        if (bad is not null)
        {
            Bad(bad);
            return;
        }
        if (_transaction!.Recipients.Count >= _options.MaxRecipients)
        {
            Say(LmtpReply.TooManyRecipients);
            return;
        }
        _named.Enqueue((path!.Address, _resolver.ResolveAsync(path.Address, _connection.Closed).AsTask()));
        // Who waits for the answer is not kept waiting.
        if (!HasLine())
            await AnswerRecipientsAsync().ConfigureAwait(false);
    }

    private string? BadRecipient(string argument, out EnvelopePath? path)
    {
        path = null;
        if (_transaction is not { } transaction)
            return LmtpReply.MailFirst;
        if (transaction.Chunks is not null)
            return LmtpReply.InChunks;
        if (!argument.StartsWith("TO:", StringComparison.OrdinalIgnoreCase) || (path = EnvelopePath.Parse(argument["TO:".Length..])) is not { Address.Length: > 0 })
            return LmtpReply.SyntaxOfTo;
        if (path.Parameters.Count > 0)
            return LmtpReply.UnknownParameter;
        return !transaction.Utf8 && !path.IsAscii ? LmtpReply.NeedsSmtpUtf8 : null;
    }

    private async ValueTask AnswerRecipientsAsync()
    {
        while (_named.TryDequeue(out var named))
        {
            MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>> resolved = await named.Resolving.ConfigureAwait(false);
            if (resolved.Error is { } error)
            {
                Say(LmtpReply.Of(error.Code, named.Address));
                continue;
            }
            IReadOnlyList<(AccountSettings Settings, string? Detail)> accounts = resolved.Value!;
            Transaction transaction = _transaction!;
            // A first recipient always fits: what is refused here must find room in a transaction of its own.
            if (transaction.Recipients.Count > 0
                && (transaction.Targets + accounts.Count > _options.MaxTargets
                    || transaction.WouldExceedTenants(accounts.Select(static a => a.Settings), _options.MaxTenants)))
            {
                Say(LmtpReply.TooManyRecipients);
                continue;
            }
            transaction.Add(named.Address, accounts);
            Say(LmtpReply.RecipientOk(named.Address));
        }
    }

    /// <summary>Whether the client has sent a further line already.</summary>
    private bool HasLine()
    {
        if (!_connection.Input.TryRead(out ReadResult read))
            return false;
        bool has = read.Buffer.PositionOf((byte)'\n') is not null;
        _connection.Input.AdvanceTo(read.Buffer.Start);
        return has;
    }
}
