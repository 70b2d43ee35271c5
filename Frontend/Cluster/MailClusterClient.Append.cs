using MailCluster.Contracts;

namespace MailCluster.Cluster;

public sealed partial class MailClusterClient
{
    private static readonly MailError _ask = new(MailErrorCode.Filtered, "Filters have to decide what becomes of the message.");

    /// <summary>
    /// Adds messages, as <see cref="IMailboxGrain.Append"/>; their bodies may be held by this process (<see cref="IMessageBodies.HoldAsync"/>): an owner in it takes them along,
    /// for one elsewhere they are stored first. Where that cannot be known beforehand, the owner finds them gone and is asked again, by the same operation id.
    /// An owner that does not know of <see cref="AppendRequest.Unfiltered"/> stores nothing, and the answer is <see cref="MailErrorCode.Filtered"/>.
    /// </summary>
    public async ValueTask<MailResult<AppendResult>> AppendAsync(MailboxKey mailbox, AppendRequest request, CommandWait wait)
    {
        IMailboxGrain owner = Mailbox(mailbox);
        try
        {
            AppendRequest sent = request.Unfiltered ? request.Sealed() : request;
            if (!Mailboxes.Local.MayOwn(mailbox))
                await KeepAsync(request).ConfigureAwait(false);
            MailResult<AppendResult> result = await ChangeAsync(Once, wait).ConfigureAwait(false);
            // What is not held any more a commit of another of its messages may just have stored. Where filters have to be asked for, whoever has asked comes again.
            if (result.Error is { Code: MailErrorCode.BodyGone } && (await KeepAsync(request).ConfigureAwait(false) || !request.Unfiltered))
                result = await ChangeAsync(Once, wait).ConfigureAwait(false);
            return request.Unfiltered && result.Error is { Code: MailErrorCode.BodyGone } ? _ask : result;

            ValueTask<MailResult<AppendResult>> Once() =>
                Mailboxes.Local.OwnerOf(mailbox)?.TryAppend(request, wait.Resume(request.Messages.Count)) is { } here ? new(here) : owner.Append(sent);
        }
        catch (StoreUnavailableException)
        {
            return Away;
        }
    }

    /// <summary>Stores what is held; false where nothing was.</summary>
    private async ValueTask<bool> KeepAsync(AppendRequest request)
    {
        bool any = false;
        foreach (NewMessage message in request.Messages)
            any |= await Bodies.KeepAsync(message.Body).ConfigureAwait(false);
        return any;
    }
}
