using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sieve.Replies;
using MailCluster.Sieve.Running;

namespace MailCluster.Lmtp.Filtering;

/// <summary>Carries out what scripts have decided, for one message and one account.</summary>
internal sealed class FilteredDelivery(
    MailClusterClient cluster, IMailFilters store, FilterOptions options, Target target, string address, StagedBody body, Trace trace, Placement placement, FilterHost host,
    SieveMessage message, SieveSetting setting)
{
    /// <summary>Says whose filter has redirected a message: where it comes back, it is not redirected again.</summary>
    public const string LoopField = "X-Sieve-Redirected-From";

    private const string FailureField = "X-Sieve-Failure";

    private readonly AccountSettings _account = target.Settings;
    private readonly Guid _delivery = trace.DeliveryOf(body, address);
    private string? _failure;
    private bool _tookClaim;

    public async ValueTask<FilterOutcomes> CarryOutAsync(SieveResult result, CancellationToken cancellationToken)
    {
        _failure = result.Failure;
        IReadOnlyList<SieveAction> actions = result.Actions;
        if (actions is [Sieve.Running.Reject reject, ..] && !RefusesByMail(reject))
            return new FilterOutcomes(null, null, reject.Reason, _failure, false, "rejected");
        List<FileInto> places = [.. actions.OfType<FileInto>()];
        List<OutgoingMail> mail = Mail(actions, places);
        bool leavesTraces = mail.Count > 0 || result.Marks.Count > 0 || host.AskedForMarks;
        var done = new MemoryKey(MemoryKind.Delivery, _delivery);
        bool again = leavesTraces && (await store.RecallAsync(_account.Account, [done], cancellationToken).ConfigureAwait(false)).Contains(done);
        // It was wholly done before: what the script would say now it says because of that.
        if (again && _account.Deduplicate)
            return new FilterOutcomes(null, null, null, null, false, "duplicate");

        (MailError? error, Placed? first) = await StoreAsync(places, cancellationToken).ConfigureAwait(false);
        if (error is not null)
            return Ended(error, first, actions);
        if (leavesTraces && !again)
        {
            (MailError? late, Placed? kept) = await CommitAsync(result, mail, places.Count, cancellationToken).ConfigureAwait(false);
            if (late is not null)
                return Ended(late, first, actions);
            first ??= kept;
        }
        return Ended(null, first, actions);
    }

    private FilterOutcomes Ended(MailError? error, Placed? first, IReadOnlyList<SieveAction> actions) =>
        new(error, first, null, _failure, _tookClaim, actions.Count == 0 ? "discarded" : string.Join(',', actions.Select(static a => a.GetType().Name.ToLowerInvariant())));

    /// <summary>
    /// reject keeps the words of a reason that the connection can't carry by a notice of its own (RFC 5429 §2.2), where mail can leave and somebody may be answered.
    /// </summary>
    private bool RefusesByMail(Sieve.Running.Reject reject) =>
        !reject.Extended && options.Outgoing && !trace.Utf8 && trace.Sender.Length > 0 && !Ascii.IsValid(reject.Reason) && !IsLooping();

    /// <summary>A message that has been through too many hands, or through ours.</summary>
    private bool IsLooping() => message.Header.Of("Received").Count() > options.Hops
        || message.Header.Of(LoopField).Any(f => f.Value(1024).Equals(_account.User, StringComparison.OrdinalIgnoreCase));

    private List<OutgoingMail> Mail(IReadOnlyList<SieveAction> actions, List<FileInto> places)
    {
        var mail = new List<OutgoingMail>();
        bool loops = IsLooping();
        foreach (SieveAction action in actions)
        {
            try
            {
                AddMail(mail, action, loops, places.Count == 0);
            }
            catch (FormatException e)
            {
                // An address or a text that no message can have.
                Fail($"{action.GetType().Name.ToLowerInvariant()}: {e.Message}");
            }
        }
        // Redirections and notices that were left out kept nothing.
        if (places.Count == 0 && !mail.Any(static m => m.Required) && actions.Any(static a => a is Redirect or Sieve.Running.Reject))
            places.Add(new FileInto(message.Header, null, []));
        return mail;
    }

    private void AddMail(List<OutgoingMail> mail, SieveAction action, bool loops, bool isOnly)
    {
        short ordinal = (short)mail.Count;
        string name = $"{_delivery:N}.{ordinal}";
        switch (action)
        {
            case Redirect when loops:
                Fail("the message runs in a circle and is not redirected");
                break;
            case Redirect redirect:
                mail.Add(new OutgoingMail(
                    ordinal, OutgoingKind.Redirect, trace.Sender, [redirect.Address], Head(redirect.Header), body.Body, redirect.Header.OnlyAdded ? 0 : redirect.Header.Octets, body.Size,
                    trace.Utf8, null, Required: isOnly));
                break;
            case Vacation vacation when !loops:
                mail.Add(new OutgoingMail(
                    ordinal, OutgoingKind.Vacation, "", [trace.Sender], SieveReplies.Vacation(vacation, message, setting, name), null, 0, 0, trace.Utf8,
                    (new MemoryKey(MemoryKind.Vacation, KeyOf($"{vacation.Handle}\0{trace.Sender.ToLowerInvariant()}")), vacation.Interval), Required: false));
                break;
            case Notify notify when !loops:
                byte[] notification = SieveReplies.Notify(notify, message, setting, name);
                // One for each, so that none is sent to twice because another was not there.
                foreach (string recipient in notify.Method.To.Concat(notify.Method.Cc).Distinct(StringComparer.OrdinalIgnoreCase))
                    mail.Add(new OutgoingMail((short)mail.Count, OutgoingKind.Notify, "", [recipient], notification, null, 0, 0, trace.Utf8, null, Required: false));
                break;
            case Sieve.Running.Reject reject:
                mail.Add(new OutgoingMail(
                    ordinal, OutgoingKind.Reject, "", [trace.Sender], SieveReplies.Reject(reject, message, setting, name), body.Body, body.Size, body.Size, trace.Utf8, null,
                    Required: true));
                break;
        }
    }

    /// <summary>What a redirected message begins with: our trace (RFC 5321 §4.4), and whose filter it was; then the header where a script has edited it.</summary>
    private byte[] Head(MessageHeader header) =>
        [.. trace.Received(address), .. Encoding.UTF8.GetBytes($"{LoopField}: {_account.User}\r\n"), .. header.OnlyAdded ? header.AddedBytes : header.AllBytes];

    /// <summary>The copies, in order; the first error that keeps one from being stored ends it.</summary>
    private async ValueTask<(MailError?, Placed?)> StoreAsync(List<FileInto> places, CancellationToken cancellationToken)
    {
        Placed? first = null;
        var claims = new Queue<int>();
        int unedited = places.Count(static p => p.Header.OnlyAdded);
        if (unedited > 1)
        {
            MailResult<IReadOnlyList<int>> more = await store.ClaimAsync(body.Body, unedited - 1, cancellationToken).ConfigureAwait(false);
            if (more.Error is { } gone)
                return (gone, null);
            claims = new Queue<int>(more.Value!);
        }
        bool ownClaim = true;
        for (int i = 0; i < places.Count; i++)
        {
            FileInto place = places[i];
            StagedBody? edited = null;
            int claim = 0;
            if (!place.Header.OnlyAdded)
            {
                MailResult<StagedBody> staged = await StageEditedAsync(place.Header, cancellationToken).ConfigureAwait(false);
                if (staged.Error is { } unstaged)
                    return (unstaged, first);
                edited = staged.Value;
            }
            else if (ownClaim)
            {
                ownClaim = false;
                claim = target.Claim;
            }
            else
            {
                claim = claims.Dequeue();
            }
            Placed placed = await StoreOneAsync(place, edited ?? body, claim, i, cancellationToken).ConfigureAwait(false);
            if (edited is not null && !placed.TookClaim)
                await cluster.Bodies.DiscardAsync(edited, CancellationToken.None).ConfigureAwait(false);
            if (edited is null && claim == target.Claim)
                _tookClaim = placed.TookClaim;
            if (placed.Error is { } error)
                return (error, first ?? placed);
            first ??= placed;
        }
        return (null, first);
    }

    /// <param name="number">Of the copy: the delivery's mark for each is another, and the same in each repetition.</param>
    private async ValueTask<Placed> StoreOneAsync(FileInto place, StagedBody source, int claim, int number, CancellationToken cancellationToken)
    {
        Func<bool, ValueTask<MailboxInfo?>>? find = await FindAsync(place, cancellationToken).ConfigureAwait(false);
        // Told in the message itself, so that it has to be known before.
        if (place.Mailbox is not null && find is not null && await find(true).ConfigureAwait(false) is null)
            find = null;
        byte[] prefix = trace.Prefix(address);
        if (_failure is not null)
            prefix = [.. prefix, .. HeaderField.Make(FailureField, _failure).Raw.Span];
        if (place.Header.OnlyAdded)
            prefix = [.. prefix, .. place.Header.AddedBytes];
        if (source.Size + prefix.Length > uint.MaxValue)
            return new Placed(new MailError(MailErrorCode.TooBig, "Too large."));
        var flags = FlagsOf(place.Flags);
        var stored = new NewMessage(
            source.Body, claim, prefix, (uint)(source.Size + prefix.Length), trace.Date.ToUnixTimeSeconds(), 0, flags, source.ThreadKeys);
        Guid? mark = _account.Deduplicate ? CopyOf(number) : null;
        // What a script files its owner files; what a sub-address names the sender does.
        bool posted = place.Mailbox is null && _account.SharedStore;
        Placed placed = await placement.StoreAsync(_account, Actor, stored, mark, find, cancellationToken, posted).ConfigureAwait(false);
        if (placed.Error is { Code: MailErrorCode.Limit } && flags.Keywords.Count > 0)
        {
            // The mailbox takes no further keywords: better the message without them.
            Fail($"a limit of flags is reached: {placed.Error.Text}");
            placed = await placement.StoreAsync(_account, Actor, stored with { Flags = flags with { Keywords = [] } }, mark, find, cancellationToken, posted).ConfigureAwait(false);
        }
        return placed;
    }

    /// <summary>How the wanted mailbox is found; null: INBOX.</summary>
    private async ValueTask<Func<bool, ValueTask<MailboxInfo?>>?> FindAsync(FileInto place, CancellationToken cancellationToken)
    {
        if (place.Mailbox is null)
            return target.Detail is { Length: > 0 } detail ? recall => placement.FindFolderAsync(_account, detail, recall, cancellationToken) : null;
        if (place.MailboxId is { } id && await host.FindIdAsync(id, cancellationToken).ConfigureAwait(false) is { } byId)
            return _ => new(byId);
        if (place.SpecialUse is { } use && await host.FindUseAsync(use, cancellationToken).ConfigureAwait(false) is { } byUse)
            return _ => new(byUse);
        if (host.PathOf(place.Mailbox) is not { } path)
        {
            Fail($"fileinto: '{place.Mailbox}' is no name of a mailbox");
            return null;
        }
        return async recall =>
        {
            MailResult<MailboxInfo> found = await placement.FindAsync(_account.Account, path, recall, cancellationToken).ConfigureAwait(false);
            if (found.Value is { Selectable: true } mailbox)
                return mailbox;
            if (found.Error is { Code: not MailErrorCode.NonExistent } away)
                throw new StoreUnavailableException(away.Text);
            return place.Create ? await CreateAsync(path, place.SpecialUse, cancellationToken).ConfigureAwait(false) : Missing(place.Mailbox);
        };
    }

    private MailboxInfo? Missing(string name)
    {
        Fail($"fileinto: there is no mailbox '{name}'");
        return null;
    }

    private async ValueTask<MailboxInfo?> CreateAsync(MailboxPath path, string? use, CancellationToken cancellationToken)
    {
        OperationId operation = cluster.NextOperation();
        IAccountGrain owner = cluster.Account(_account.Account);
        MailResult<MailboxInfo> made = await cluster.CallAsync(() => owner.Create(operation, path, use is null ? [] : [use]), cancellationToken).ConfigureAwait(false);
        if (made.IsOk)
        {
            // Clients that show subscribed mailboxes only would never see it.
            await cluster.CallAsync(() => owner.Subscribe(path, true), cancellationToken).ConfigureAwait(false);
            return made.Value;
        }
        if (made.Error.Code == MailErrorCode.AlreadyExists
            && (await placement.FindAsync(_account.Account, path, recall: false, cancellationToken).ConfigureAwait(false)).Value is { Selectable: true } other)
            return other;
        Fail($"fileinto: the mailbox '{path.ToString(_account.Delimiter)}' can't be made: {made.Error.Text}");
        return null;
    }

    /// <summary>The outbox and the memory. Where the day's limit is reached the message is kept in place of being redirected.</summary>
    private async ValueTask<(MailError?, Placed?)> CommitAsync(SieveResult result, List<OutgoingMail> mail, int places, CancellationToken cancellationToken)
    {
        Placed? kept = null;
        for (IReadOnlyList<OutgoingMail> leaving = mail; ;)
        {
            FilterOutcome outcome = await store.CommitAsync(
                new FilterCommit(_account.Account, _account.Tenant, _delivery, [.. result.Marks.Select(static m => (FilterHost.MarkOf(m.Mark), m.For))], leaving, options.OutgoingADay),
                cancellationToken).ConfigureAwait(false);
            switch (outcome)
            {
                case FilterOutcome.OverLimit:
                    Fail($"more than {options.OutgoingADay} messages would leave in a day");
                    kept = await StoreOneAsync(new FileInto(message.Header, null, []), body, target.Claim, places, cancellationToken).ConfigureAwait(false);
                    _tookClaim |= kept.TookClaim;
                    if (kept.Error is { } error)
                        return (error, null);
                    leaving = [.. leaving.Where(static m => !m.Required)];
                    continue;
                case FilterOutcome.BodyGone:
                    return (new MailError(MailErrorCode.BodyGone, "The body is gone."), null);
                default:
                    foreach (OutgoingMail left in outcome == FilterOutcome.Done ? leaving : [])
                        LmtpMetrics.Outgoing.Add(1, new KeyValuePair<string, object?>("kind", left.Kind.ToString().ToLowerInvariant()));
                    return (null, kept);
            }
        }
    }

    /// <summary>Stores the message anew with the header that a script has made of its own.</summary>
    private async ValueTask<MailResult<StagedBody>> StageEditedAsync(MessageHeader header, CancellationToken cancellationToken)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 512 * 1024, resumeWriterThreshold: 256 * 1024, useSynchronizationContext: false));
        Task<MailResult<StagedBody>> staging = cluster.Bodies.StageAsync(_account.Tenant, pipe.Reader, 1, body.Size, long.MaxValue, cancellationToken).AsTask();
        Exception? broken = null;
        try
        {
            await pipe.Writer.WriteAsync(header.AllBytes, cancellationToken).ConfigureAwait(false);
            await foreach (ReadOnlyMemory<byte> piece in cluster.Bodies.ReadAsync(body.Body, body.Size, header.Octets, body.Size - header.Octets, cancellationToken).ConfigureAwait(false))
            {
                if ((await pipe.Writer.WriteAsync(piece, cancellationToken).ConfigureAwait(false)).IsCompleted)
                    break;
            }
        }
        catch (Exception e)
        {
            broken = e;
            throw;
        }
        finally
        {
            // The end of the pipe must not be taken for the end of the message.
            await pipe.Writer.CompleteAsync(broken).ConfigureAwait(false);
            if (broken is not null)
                await staging.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
        }
        return await staging.ConfigureAwait(false);
    }

    private Actor Actor => new(_account.User, trace.QueueId, trace.ClientAddress.ToString());

    /// <summary>The first copy has the mark that a delivery without filters has.</summary>
    private Guid CopyOf(int number) => number == 0 ? _delivery : KeyOf($"{_delivery:N}\0copy {number}");

    private static Guid KeyOf(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    private void Fail(string failure) => _failure ??= failure;

    private static FlagList FlagsOf(IReadOnlyList<string> flags)
    {
        var system = SystemFlags.None;
        var keywords = new List<string>();
        foreach (string flag in flags)
        {
            if (flag[0] == '\\')
                system |= Enum.TryParse(flag[1..], ignoreCase: true, out SystemFlags known) ? known : SystemFlags.None;
            else
                keywords.Add(flag);
        }
        return new FlagList(system, keywords);
    }
}
