using System.Diagnostics;
using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Dialects;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Net;

namespace MailCluster.Imap.Session;

public sealed partial class ImapSession
{
    /// <summary>One command from its first byte to its tagged reply.</summary>
    private async ValueTask HandleAsync(CommandRead read)
    {
        if (KickReason is { } reason)
        {
            Bye(null, reason);
            return;
        }
        if (read.Status == CommandReadStatus.TooLong)
        {
            Answer(ImapParser.TagOf(read.Bytes.Span), "", Completion.Bad("The command is too long"));
            return;
        }
        if (!TryReadHeader(read, out Command command))
        {
            string? tag = ImapParser.TagOf(read.Bytes.Span);
            if (await DropLiteralsAsync())
                Answer(tag, "", Completion.Bad(tag is null ? "Expected a tag and a command" : "Expected a command"));
            return;
        }
        using Activity? span = MailTraces.Command(command.Name);
        long start = Services.Time.GetTimestamp();
        WaitAnew();
        _runningTag = command.Tag;
        Completion completion = await RunAsync(command);
        _runningTag = null;
        if (!await DropLiteralsAsync())
            completion = Completion.Answered;
        if (completion.Status != CompletionStatus.Answered)
            Answer(command.Tag, command.Name, completion);
        string name = Find(command.Name) is null ? "unknown" : command.Name;
        double seconds = Services.Time.GetElapsedTime(start).TotalSeconds;
        ImapMetrics.Commands.Record(seconds, new("command", name), new("result", completion.Status.ToString()));
        LogCommand(Connection.SessionId, command.Tag, name, completion.Status, completion.Code, seconds * 1000);
    }

    private async ValueTask<Completion> RunAsync(Command command)
    {
        if (Find(command.Name) is not { } row)
            return Completion.Bad("Unknown command");
        try
        {
            if (State is Selected { Mailbox.Open.End: { } end })
            {
                Bye(end);
                return Completion.No("NONEXISTENT", "The mailbox is gone");
            }
            SessionState before = State;
            if (row.Effects.HasFlag(Effects.TakesNumbers) && before is Selected { User.UidOnly: true })
                return Completion.UidRequired;
            if (row.Effects.HasFlag(Effects.Writes) && before is Selected { Mailbox.ReadOnly: true })
            {
                return Completion.No("READ-ONLY", "The mailbox was opened read-only");
            }
            if (row.Effects.HasFlag(Effects.SyncsFirst) && before is Selected first && await SyncAsync(first, new Telling(command.Uid)) is { } notSynced)
            {
                if (first.Mailbox.Open.End is { } gone)
                    Bye(gone);
                return notSynced;
            }
            if (row.Run(this, before, command) is not { } running)
                return Completion.Bad(before is Authenticated ? "Not allowed in this state" : "Log in first");
            Completion completion = await running;
            // Who has waited for what is away in vain does not wait for news from there once more.
            if (completion.Status is CompletionStatus.Ok or CompletionStatus.No && completion.Code != ErrorCodes.Unavailable
                && State is Selected after && ReferenceEquals(after, before)
                && await TellAtEndAsync(after, row.Effects, command.Uid) && completion.TellsModSeq)
                completion = completion with { Code = $"HIGHESTMODSEQ {after.Mailbox.Messages.Messages.ModSeq}" };
            return completion;
        }
        catch (ImapSyntaxException e)
        {
            return Completion.Bad(e.Message);
        }
        catch (StoreUnavailableException)
        {
            return new MailError(MailErrorCode.Unavailable, "The mail store can't be reached now, try again later");
        }
        catch (OperationCanceledException)
        {
            // The wait for the rest of the command was broken off.
            if (!EndedByServer())
                Bye("UNAVAILABLE", "The connection has to close");
            return Completion.Answered;
        }
        catch (EndOfStreamException)
        {
            // The client went away inside a literal.
            State = new LoggedOut();
            return Completion.Answered;
        }
        catch (Exception e) when (e is not ConnectionClosedException)
        {
            LogFailed(e, Connection.SessionId, command.Tag, command.Name);
            return Completion.No("SERVERBUG", "An internal error happened, it was logged");
        }
    }

    private CommandRow? Find(string name) => (Options.Dialects ? OldCommands.Find(name) : null) ?? CommandTable.Find(name);

    private void Answer(string? tag, string name, Completion completion)
    {
        string text = completion.Text ?? name + " completed";
        switch (completion.Status)
        {
            case CompletionStatus.Ok:
                Reply.Status(tag, "OK"u8, completion.Code, text);
                _badInARow = 0;
                break;
            case CompletionStatus.No:
                Reply.Status(tag, "NO"u8, completion.Code, text);
                _badInARow = 0;
                break;
            default:
                Reply.Status(tag, "BAD"u8, completion.Code, text, name.Length == 0 ? null : name);
                if (++_badInARow >= (State is Authenticated ? Options.BadCommands : Options.BadCommandsBeforeLogin) && State is not LoggedOut)
                    Bye(null, "Too many bad commands");
                break;
        }
    }

    /// <summary>The command again, after a literal of its prefix has joined it.</summary>
    /// <exception cref="ImapSyntaxException">Its start is not that of a command.</exception>
    internal Command Reread(CommandRead read)
    {
        var parser = new ImapParser(read.Bytes.Span, Reply.Charset);
        CommandHeader header = SessionGrammar.Header(ref parser);
        return new Command(header, read.Bytes[parser.Position..], Reply.Charset, read.Status == CommandReadStatus.Literal ? read.Literal : null, Options.Dialects);
    }

    private bool TryReadHeader(CommandRead read, out Command command)
    {
        try
        {
            command = Reread(read);
            return true;
        }
        catch (ImapSyntaxException)
        {
            command = null!;
            return false;
        }
    }

    /// <summary>Lets the input go on behind literals that the command has left; false when the session ended with one that was too large.</summary>
    private async ValueTask<bool> DropLiteralsAsync()
    {
        // What is too large by up to once the limit is swallowed: cheaper for both sides than a new connection.
        long limit = State is Authenticated ? 2 * Options.AppendLimit : Options.Commands.SwallowLimit;
        while (Reader.HasOpenLiteral)
        {
            if (State is LoggedOut || await NextAsync(reader => reader.DropLiteralAsync(limit, default)) is null)
                return false;
        }
        return true;
    }
}
