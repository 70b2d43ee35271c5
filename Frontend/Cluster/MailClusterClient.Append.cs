using MailCluster.Contracts;

namespace MailCluster.Cluster;

public sealed partial class MailClusterClient
{
    private static readonly MailError _ask = new(MailErrorCode.Filtered, "The owner is in another process.");

    /// <summary>
    /// Adds messages, as <see cref="IMailboxGrain.Append"/>; their bodies may be held by this process (<see cref="IMessageBodies.HoldAsync"/>): an owner in it takes them along,
    /// for one elsewhere they are stored first. Where that cannot be known beforehand, the owner finds them gone and is asked again, by the same operation id.
    /// What is for accounts without filters is not stored first: an owner elsewhere may not know how to ask for them, so that the answer is <see cref="MailErrorCode.Filtered"/>.
    /// </summary>
    public async ValueTask<MailResult<AppendResult>> AppendAsync(MailboxKey mailbox, AppendRequest request, CommandWait wait)
    {
        IMailboxGrain owner = Mailbox(mailbox);
        try
        {
            if (!Mailboxes.Local.MayOwn(mailbox))
            {
                if (request.Unfiltered)
                    return _ask;
                await KeepAsync(request).ConfigureAwait(false);
            }
            MailResult<AppendResult> result = await CallAsync(() => owner.Append(request), wait).ConfigureAwait(false);
            if (result.Error is not { Code: MailErrorCode.BodyGone })
                return result;
            return request.Unfiltered ? _ask : await KeepAsync(request).ConfigureAwait(false) ? await CallAsync(() => owner.Append(request), wait).ConfigureAwait(false) : result;
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
