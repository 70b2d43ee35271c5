using System.IO.Pipelines;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// One message of APPEND that is put together of texts and of parts of messages (RFC 4469; URL-PARTIAL of RFC 5550): each streams into the store in its turn, none is kept in memory.
/// </summary>
internal sealed class Catenate(ImapSession session, Authenticated state)
{
    private readonly Pipe _message = new();
    private int _parts;

    /// <summary>What is behind the list, once it was read to its end, and the literal that is announced there; gone once more input is read.</summary>
    public CommandRead Rest { get; private set; }

    /// <summary>The message in the store, or why there is none.</summary>
    /// <param name="read">The command up to its end or its first literal, of which <paramref name="parts"/> is what follows "CATENATE (".</param>
    public async ValueTask<(Completion? Failed, StagedBody? Body)> StageAsync(CommandRead read, ReadOnlyMemory<byte> parts)
    {
        Task<MailResult<StagedBody>> staging = StoreAsync();
        Completion? failed = null;
        bool whole = false;
        try
        {
            failed = await WriteAsync(read, parts);
            whole = failed is null;
        }
        finally
        {
            // Half a message never looks like one.
            await _message.Writer.CompleteAsync(whole ? null : new OperationCanceledException("The message is not complete."));
            await ((Task)staging).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (failed is { } no)
            return (no, null);
        MailResult<StagedBody> staged = await staging;
        if (staged.Error is { } error)
            return (error, null);
        return staged.Value!.Size == 0 ? (Completion.No("CANNOT", "A message is not empty"), staged.Value) : (default(Completion?), staged.Value);
    }

    private async Task<MailResult<StagedBody>> StoreAsync()
    {
        try
        {
            return await session.Cluster.Bodies.StageAsync(state.User.Settings.Tenant, _message.Reader, 1, null, session.Options.AppendLimit, session.Gone);
        }
        finally
        {
            // Whoever still writes does not wait for a reader that has gone.
            await _message.Reader.CompleteAsync();
        }
    }

    private async ValueTask<Completion?> WriteAsync(CommandRead read, ReadOnlyMemory<byte> parts)
    {
        while (true)
        {
            (IReadOnlyList<string> urls, CatenateEnd end, int length) = Parse(parts);
            _parts += urls.Count + 1;
            if (_parts > CatenateGrammar.MaxParts)
                return Completion.Bad("CATENATE has too many parts");
            if (end == CatenateEnd.Closed)
                Rest = read with { Bytes = parts[length..] };
            foreach (string url in urls)
            {
                if (await CopyAsync(url) is { } failed)
                    return failed;
            }
            if (end == CatenateEnd.Closed)
                return null;
            if (end == CatenateEnd.UrlLiteral)
                return Completion.Bad("Send URLs in quotes");
            if (await CopyTextAsync(read.Literal) is { } bad)
                return bad;
            if (await session.NextAsync(static reader => reader.ContinueAsync(default)) is not { } more)
                return Completion.Answered;
            if (more.Status == CommandReadStatus.TooLong)
                return Completion.Bad("The command is too long");
            (read, parts) = (more, more.Bytes);
        }
    }

    private (IReadOnlyList<string> Urls, CatenateEnd End, int Length) Parse(ReadOnlyMemory<byte> parts)
    {
        var parser = new ImapParser(parts.Span, session.Reply.Charset);
        (IReadOnlyList<string> urls, CatenateEnd end) = CatenateGrammar.Parts(ref parser, first: _parts == 0);
        return (urls, end, parser.Position);
    }

    private async ValueTask<Completion?> CopyTextAsync(LiteralAnnouncement literal)
    {
        if (literal.Size > session.Options.AppendLimit)
            return new MailError(MailErrorCode.TooBig, $"A message has at most {session.Options.AppendLimit} octets");
        await using LiteralStream text = await session.Reader.OpenLiteralAsync(default);
        await session.StreamingAsync(async () =>
        {
            await text.CopyToAsync(_message.Writer);
            return true;
        });
        return text.SawNul && !literal.Binary ? Completion.Bad("A literal holds NUL") : default(Completion?);
    }

    private async ValueTask<Completion?> CopyAsync(string text)
    {
        if (MessageUrl.Parse(text) is not { } url || await FindAsync(url) is not { } section)
            return BadUrl(text);
        try
        {
            await foreach (ReadOnlyMemory<byte> piece in section.ReadAsync(session.Gone))
                await _message.Writer.WriteAsync(piece, session.Gone);
            return null;
        }
        catch (BodyGoneException)
        {
            return BadUrl(text);
        }
    }

    /// <summary>What a URL names, now; null where that is nothing.</summary>
    private async ValueTask<SectionContent?> FindAsync(MessageUrl url)
    {
        (AccountId account, MailboxSnapshot? messages, uint uidValidity) = url.Mailbox is { } name
            ? await OpenAsync(name)
            : state is Selected { Mailbox: { View: { } view } selected } ? (selected.Key.Account, view.Messages, selected.UidValidity) : default((AccountId, MailboxSnapshot?, uint));
        if (messages is null || (url.UidValidity is { } asked && asked != uidValidity) || !messages.TryFind(url.Uid, out MessageRef message))
            return null;
        IReadOnlyList<StoredEmail?> emails = await session.Cluster.Bodies.GetEmailsAsync(account, [message.Email], withContent: true, session.Gone);
        return emails[0] is { } email
            ? await SectionResolver.ResolveAsync(new MessageBytes(session.Cluster.Bodies, email), email.Content!.Root, url.Section, url.Partial, session.Gone)
            : null;
    }

    private async ValueTask<(AccountId, MailboxSnapshot?, uint)> OpenAsync(string name)
    {
        MailResult<FoundMailbox> found = await session.FindAsync(state.User, new MailboxArgument(name, NameForm.Regular));
        if (found.Value is not { } mailbox)
            return default;
        MailboxKey key = mailbox.Key;
        AccountId? viewer = mailbox.Named.Viewer;
        IMailboxGrain owner = session.Cluster.Mailbox(key);
        MailResult<MailboxSelected> counters = await session.Cluster.CallAsync(() => viewer is { } asking ? owner.SelectAs(true, asking) : owner.Select(true), session.Wait);
        if (counters.Value is not { } now)
            return default;
        using OpenMailbox open = session.Cluster.Mailboxes.Open(key, now.Epoch, now.Status.UidValidity, viewer, now.Foreign);
        MailResult<MailboxSnapshot> synced = await open.SyncAsync(session.Wait);
        return (key.Account, synced.Value, now.Status.UidValidity);
    }

    private static Completion BadUrl(string url)
    {
        // It goes into a quoted string of the answer.
        bool plain = url.Length <= 1000 && url.All(static c => c is >= ' ' and <= '~' and not ('"' or '\\' or ']'));
        return Completion.No(plain ? $"BADURL \"{url}\"" : "BADURL \"\"", "The URL names nothing that can be read");
    }
}
