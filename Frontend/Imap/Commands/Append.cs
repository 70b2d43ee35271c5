using System.IO.Pipelines;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// APPEND (RFC 9051 §6.3.12), of several messages, too (RFC 3502): all or none; CATENATE (RFC 4469) is beside it. A message streams from the connection into the store. What speaks against it is
/// said before the client is asked for a synchronising literal: the mailbox, then the size, then the quota. What this command
/// leaves unread is swallowed by the session.
/// </summary>
internal static class Append
{
    /// <summary>The most messages of one command.</summary>
    private const int MaxMessages = 1000;

    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command) => RunAsync(session, state, command, replaced: null);

    /// <summary>APPEND, or REPLACE of a message of the selected mailbox.</summary>
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command, ReplacedMessage? replaced)
    {
        var staged = new List<StagedBody>();
        bool stored = false;
        try
        {
            Completion completion = await RunAsync(session, state, command, replaced, staged);
            stored = completion.Status == CompletionStatus.Ok;
            return completion;
        }
        finally
        {
            if (!stored)
            {
                foreach (StagedBody body in staged)
                    await DiscardAsync(session, body);
            }
        }
    }

    private static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command, ReplacedMessage? replaced, List<StagedBody> staged)
    {
        ImapUser user = state.User;
        var messages = new List<NewMessage>();
        Grammar<AppendPrefix?> grammar = replaced is null ? AppendGrammar.ParsePrefix : AppendGrammar.ParseReplace;
        (AppendPrefix? prefix, ReadOnlyMemory<byte> parts) = command.ParseStart(grammar);
        while (prefix is null or { IsIncomplete: true })
        {
            // The mailbox name itself is a literal, or an annotation.
            if (await AcceptAsync(session) is not { } more)
                return Completion.Answered;
            if (more.Status == CommandReadStatus.TooLong)
                return Completion.Bad(prefix is null ? "The mailbox name is too long" : "The command is too long");
            command = session.Reread(more);
            (prefix, parts) = command.ParseStart(grammar);
        }
        if (replaced is { Uid: null } && replaced.Find(prefix.Replaced) is { } notThere)
            return notThere;
        if (!prefix.Catenates && command.Literal is null)
            return Completion.Bad("Expected a message as a literal");
        CommandRead read = command.Literal is { } first ? new(CommandReadStatus.Literal, default, first) : new(CommandReadStatus.Command);
        MailboxArgument mailbox = prefix.Mailbox;
        // Before it asks for a literal the server must know; otherwise the commit finds out whether the mailbox has the name.
        MailResult<FoundMailbox> target = await session.FindAppendTargetAsync(user, mailbox, recall: !read.Literal.Synchronizing);
        while (prefix is not null)
        {
            LiteralAnnouncement literal = read.Literal;
            MailError? refused = target.Error;
            if (refused is null && !prefix.Catenates && literal.Size > session.Options.AppendLimit)
                refused = new MailError(MailErrorCode.TooBig, $"A message has at most {session.Options.AppendLimit} octets");
            if (refused is null && MessageLimit.Refuse(session, messages.Count + 1) is { } overLimit)
                return overLimit;
            if (refused is null && messages.Count == MaxMessages)
                refused = new MailError(MailErrorCode.Limit, $"A command has at most {MaxMessages} messages");
            if (refused is null && !target.Value!.Info.Rights.Has(MailRights.Insert))
                refused = new MailError(MailErrorCode.NoPermission, "You may put no messages into this mailbox");
            if (prefix.Annotations is not null && session.Services.Annotations is null)
                return Completion.Bad("There are no annotations here");
            if (refused is null && prefix.Annotations is { } annotations)
                refused = MayAnnotate(session, annotations, target.Value!.Info.Rights);
            if (refused is null && literal.Synchronizing && target.Value!.Named.Viewer is null)
                refused = await OverQuotaAsync(session, user, staged, literal.Size, replaced);
            if (refused is { } error)
                return error;

            Catenate? catenate = prefix.Catenates ? new Catenate(session, state) : null;
            // The first message may wait in memory for its commit; where more follow, all of them are stored at once, so that none holds memory while the next is awaited.
            if (staged.Count == 1 && !await KeepAsync(session, staged[0]))
                return new MailError(MailErrorCode.Unavailable, "The message cannot be stored now.");
            (Completion? failed, StagedBody? body) = catenate is null ? await StageAsync(session, user, literal, hold: replaced is null && staged.Count == 0) : await catenate.StageAsync(read, parts);
            if (body is not null)
                staged.Add(body);
            if (catenate is not null)
                read = catenate.Rest;
            else if (await session.NextAsync(static reader => reader.ContinueAsync(default)) is { } rest)
                read = rest;
            else
                return Completion.Answered;
            if (failed is { } no)
                return no;
            if (read.Status == CommandReadStatus.TooLong)
                return Completion.Bad("The command is too long");
            if (prefix.Annotations is { } named && await MessageParts.RefuseAsync(session, named, body!) is { } noPart)
                return noPart;
            messages.Add(Message(session, prefix, body!));
            (prefix, parts) = Next(read, mailbox, session.Reply.Charset);
            while (prefix is { IsIncomplete: true })
            {
                if (await AcceptAsync(session) is not { } longer)
                    return Completion.Answered;
                if (longer.Status == CommandReadStatus.TooLong)
                    return Completion.Bad("The command is too long");
                (prefix, parts) = Next(read = longer, mailbox, session.Reply.Charset);
            }
            if (replaced is not null && prefix is not null)
                return Completion.Bad("One message takes the place of one");
            if (prefix is { Catenates: false } && read.Status != CommandReadStatus.Literal)
                return Completion.Bad("Expected a message as a literal");
        }

        if (replaced is not null)
            return await replaced.ReplaceAsync(mailbox, target.Value!, messages[0]);
        OperationId operation = session.Cluster.NextOperation();
        MailResult<AppendResult> result = await session.PatientAsync(AppendAsync(session, user, operation, target.Value!, messages), "Still storing");
        if (result.Error is { Code: MailErrorCode.MailboxGone or MailErrorCode.Renamed })
        {
            target = await session.FindAppendTargetAsync(user, mailbox, recall: false);
            if (target.Error is { } none)
                return none;
            result = await session.PatientAsync(AppendAsync(session, user, operation, target.Value!, messages), "Still storing");
        }
        if (result.Error is { } notStored)
            return notStored.Code is MailErrorCode.MailboxGone or MailErrorCode.Renamed ? notStored with { Code = MailErrorCode.TryCreate } : notStored;
        Added(session, target.Value!.Key.Mailbox, result.Value!.Uids, result.Value.ModSeq);
        ImapMetrics.Appended.Add(messages.Sum(static m => (long)m.Size));
        return result.Value.UidValidity == 0 ? Completion.Done : Completion.Ok($"APPENDUID {result.Value.UidValidity} {result.Value.Uids}");
    }

    private static ValueTask<CommandRead?> AcceptAsync(ImapSession session) =>
        session.NextAsync(reader => reader.AcceptIntoMemoryAsync(session.Options.Commands.CommandLimit, default));

    /// <summary>What this session itself has put into a mailbox is no news to its client (RFC 5465 §5, §5.2).</summary>
    internal static void Added(ImapSession session, MailboxId mailbox, UidSet uids, long modSeq)
    {
        if (session.State is Selected { Mailbox: var selected } && selected.Key.Mailbox == mailbox)
            selected.OwnAdded = uids;
        else
            session.Notify?.OwnAdded(mailbox, uids, modSeq);
    }

    private static ValueTask<MailResult<AppendResult>> AppendAsync(
        ImapSession session, ImapUser user, OperationId operation, FoundMailbox target, List<NewMessage> messages)
    {
        var request = new AppendRequest(operation, user.Actor, messages, Path: target.Info.Path);
        return session.Cluster.AppendAsync(target.Key, request, session.Wait);
    }

    private static (AppendPrefix? Prefix, ReadOnlyMemory<byte> Parts) Next(CommandRead rest, MailboxArgument mailbox, WireCharset charset)
    {
        var parser = new ImapParser(rest.Bytes.Span, charset);
        AppendPrefix? prefix = AppendGrammar.ParseNext(ref parser, mailbox);
        return (prefix, rest.Bytes[parser.Position..]);
    }

    /// <summary>Reads one literal into the store.</summary>
    private static async ValueTask<(Completion? Failed, StagedBody? Body)> StageAsync(ImapSession session, ImapUser user, LiteralAnnouncement literal, bool hold)
    {
        await using LiteralStream message = await session.Reader.OpenLiteralAsync(default);
        if (literal.Size == 0)
            return (Completion.No("CANNOT", "A message is not empty"), null);
        PipeReader source = PipeReader.Create(message, new StreamPipeReaderOptions(leaveOpen: true));
        MailResult<StagedBody> staged = await session.StreamingAsync(
            () => hold
                ? session.Cluster.Bodies.HoldAsync(user.Settings.Tenant, source, 1, literal.Size, session.Options.AppendLimit, session.Gone)
                : session.Cluster.Bodies.StageAsync(user.Settings.Tenant, source, 1, literal.Size, session.Options.AppendLimit, session.Gone));
        await source.CompleteAsync();
        session.Wait.Add(message.SinceEnd);
        if (staged.Error is { } error)
            return (error, null);
        // RFC 9051 §4.3: only a literal8 may hold NUL.
        if (message.SawNul && !literal.Binary)
            return (Completion.Bad("A literal holds NUL"), staged.Value);
        if (message.SawEightBitHeader && !session.Options.AppendEightBitHeaders && !user.Rev2 && !user.Utf8)
            return (Completion.No("CANNOT", "8-bit headers are taken from sessions that enabled IMAP4rev2 or UTF8=ACCEPT only"), staged.Value);
        return (default(Completion?), staged.Value);
    }

    private static async ValueTask<bool> KeepAsync(ImapSession session, StagedBody body)
    {
        try
        {
            await session.Cluster.Bodies.KeepAsync(body.Body);
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    private static NewMessage Message(ImapSession session, AppendPrefix prefix, StagedBody body)
    {
        DateTimeOffset date = prefix.InternalDate?.ToDateTimeOffset() ?? session.Services.Time.GetUtcNow();
        return new NewMessage(
            body.Body, 0, [], checked((uint)body.Size), date.ToUnixTimeSeconds(), (short)date.Offset.TotalMinutes, prefix.Flags, body.ThreadKeys, prefix.Annotations is { } annotations ? [.. annotations.Where(static a => a.Value is not null)] : null);
    }

    /// <summary>Why a message may not come with these; null when it may. The owner has the last word.</summary>
    private static MailError? MayAnnotate(ImapSession session, IReadOnlyList<AnnotationValue> annotations, MailRights rights)
    {
        foreach (AnnotationValue annotation in annotations)
        {
            if (!rights.Has(annotation.Shared ? MailRights.Annotate : MailRights.Read))
                return new MailError(MailErrorCode.NoPermission, "You may not annotate messages of this mailbox");
            if (annotation.Value?.Length > session.Options.AnnotationOctets)
                return new MailError(MailErrorCode.AnnotationTooBig, $"An annotation has at most {session.Options.AnnotationOctets} octets");
        }
        return null;
    }

    /// <summary>The account's quota as it is now; the commit has the last word.</summary>
    private static async ValueTask<MailError?> OverQuotaAsync(ImapSession session, ImapUser user, List<StagedBody> staged, long size, ReplacedMessage? replaced)
    {
        if (user.Settings.MaxBytes is null && user.Settings.MaxMessages is null)
            return null;
        MailResult<MailboxTree> tree = await session.Cluster.CallAsync(() => user.Account.List(true), session.Wait);
        if (tree.Error is { } error)
            return error;
        long bytes = size + staged.Sum(static b => b.Size) + tree.Value!.Mailboxes.Sum(static m => m.Status?.Bytes ?? 0);
        if (replaced is not null)
            return bytes - replaced.Size > user.Settings.MaxBytes ? new MailError(MailErrorCode.OverQuota, "The quota would be exceeded") : null;
        long messages = 1 + staged.Count + tree.Value.Mailboxes.Sum(static m => m.Status?.Messages ?? 0);
        return bytes > user.Settings.MaxBytes || messages > user.Settings.MaxMessages
            ? new MailError(MailErrorCode.OverQuota, "The quota would be exceeded")
            : null;
    }

    private static async ValueTask DiscardAsync(ImapSession session, StagedBody body)
    {
        try
        {
            await session.Cluster.Bodies.DiscardAsync(body, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // It is collected in time.
        }
    }
}
