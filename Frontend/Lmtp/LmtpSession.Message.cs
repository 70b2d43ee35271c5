using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using MailCluster.Net;

namespace MailCluster.Lmtp;

/// <summary>DATA (RFC 5321 section 4.1.1.4) and BDAT (RFC 3030 section 2): the message streams into the store while it comes.</summary>
internal sealed partial class LmtpSession
{
    private async ValueTask DataAsync(string argument)
    {
        if (argument.Length > 0)
        {
            Bad(LmtpReply.NoArguments);
            return;
        }
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
        if (transaction.Recipients.Count == 0)
        {
            // RFC 2033 section 4.2. Not a bad command: a pipelining client could not know.
            Say(LmtpReply.NoRecipients);
            return;
        }
        Say(LmtpReply.StartData);
        await using BodyTransfer transfer = Begin(transaction);
        var decoder = new DataDecoder();
        while (true)
        {
            if (await ReadAsync(transfer).ConfigureAwait(false) is not { } bytes)
                return;
            bool end = decoder.Decode(bytes, transfer, out SequencePosition consumed);
            _connection.Input.AdvanceTo(consumed);
            if (end)
                break;
            await transfer.FlushAsync().ConfigureAwait(false);
            if (IsFlood(transfer))
                return;
        }
        await FinishAsync(transaction, transfer).ConfigureAwait(false);
    }

    private async ValueTask BdatAsync(string argument)
    {
        string[] words = argument.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool last = words is [_, var word] && word.Equals("LAST", StringComparison.OrdinalIgnoreCase);
        if (words.Length is 0 or > 2 || (words.Length == 2 && !last)
            || !long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long octets))
        {
            // Where the chunk ends is not known: its bytes would be run as commands.
            Bad(LmtpReply.SyntaxOfBdat);
            _quit = true;
            return;
        }
        Transaction? transaction = _transaction;
        if (transaction is null || transaction.Recipients.Count == 0)
        {
            // The chunk comes all the same (RFC 3030 section 2).
            if (await SwallowAsync(octets).ConfigureAwait(false))
                Say(transaction is null ? LmtpReply.MailFirst : LmtpReply.NoRecipients);
            return;
        }
        BodyTransfer transfer = transaction.Chunks ??= Begin(transaction);
        for (long left = octets; left > 0;)
        {
            if (await ReadAsync(transfer).ConfigureAwait(false) is not { } bytes)
                return;
            ReadOnlySequence<byte> chunk = bytes.Slice(0, Math.Min(left, bytes.Length));
            foreach (ReadOnlyMemory<byte> piece in chunk)
                transfer.Write(piece.Span);
            left -= chunk.Length;
            _connection.Input.AdvanceTo(chunk.End);
            await transfer.FlushAsync().ConfigureAwait(false);
            if (IsFlood(transfer))
                return;
        }
        if (last)
        {
            await FinishAsync(transaction, transfer).ConfigureAwait(false);
        }
        else if (transfer.IsTooBig)
        {
            // The transaction has failed; further chunks of a pipelining client find none.
            await ResetAsync().ConfigureAwait(false);
            Say(LmtpReply.TooBig);
        }
        else
        {
            Say($"250 2.0.0 {octets} octets received");
        }
    }

    private BodyTransfer Begin(Transaction transaction) =>
        new(_cluster.Bodies, transaction.Claims, transaction.Size, _options.MaxMessageSize, _log);

    private async ValueTask FinishAsync(Transaction transaction, BodyTransfer transfer)
    {
        var trace = new Trace(
            _options.HostName, $"{_connection.SessionId}.{++_messages}", _connection.SessionId, transaction.Sender, _clientName!,
            _connection.Remote.Address, _connection.IsSecure, transaction.Utf8, _time.GetUtcNow());
        foreach (string reply in await _delivery.DeliverAsync(transaction, trace, transfer, _connection.Closed).ConfigureAwait(false))
            Say(reply);
        _badCommands = 0;
        _transaction = null;
        await transfer.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Says why and ends the session when a client goes on sending far beyond the limit.</summary>
    private bool IsFlood(BodyTransfer transfer)
    {
        if (transfer.Received <= 2 * _options.MaxMessageSize)
            return false;
        Say(LmtpReply.TooBig);
        _quit = true;
        return true;
    }

    /// <summary>The next bytes of a message; null when the connection is over. A message that has begun is received to its end also while the server drains.</summary>
    private async ValueTask<ReadOnlySequence<byte>?> ReadAsync(BodyTransfer? transfer)
    {
        PipeReader input = _connection.Input;
        _connection.InputTimeout.Set(_options.DataTimeout);
        try
        {
            while (true)
            {
                if (!input.TryRead(out ReadResult result))
                {
                    if (_connection.Output.UnflushedBytes > 0)
                        await _connection.Output.FlushAsync().ConfigureAwait(false);
                    result = await input.ReadAsync().ConfigureAwait(false);
                }
                if (!result.Buffer.IsEmpty)
                    return result.Buffer;
                input.AdvanceTo(result.Buffer.End);
                bool late = _connection.InputTimeout.Expired;
                if (result.IsCompleted || late)
                {
                    LmtpLog.Dropped(_log, _connection.SessionId, _connection.Remote.Address.ToString(), transfer?.Received ?? 0);
                    if (late)
                        Say(LmtpReply.TimedOut);
                    _quit = true;
                    return null;
                }
            }
        }
        finally
        {
            _connection.InputTimeout.Clear();
        }
    }

    /// <summary>Reads on over a chunk that nobody wants; false when the connection is over.</summary>
    private async ValueTask<bool> SwallowAsync(long octets)
    {
        if (octets > 2 * _options.MaxMessageSize)
        {
            Say(LmtpReply.TooBig);
            _quit = true;
            return false;
        }
        while (octets > 0)
        {
            if (await ReadAsync(null).ConfigureAwait(false) is not { } bytes)
                return false;
            ReadOnlySequence<byte> part = bytes.Slice(0, Math.Min(octets, bytes.Length));
            octets -= part.Length;
            _connection.Input.AdvanceTo(part.End);
        }
        return true;
    }
}
