using MailCluster.Contracts;
using MailCluster.Grains;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>A silo's side of questions about the mailboxes that it owns, and of repairs that were made under its owners.</summary>
internal sealed partial class OwnerDesk(
    OwnerInquiries inquiries, OwnedMailboxes owned, CommitLanes lanes, IGrainFactory grains, ILocalSiloDetails silo, NodeOptions options, ILogger<OwnerDesk> log)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (OwnerInquiry inquiry in inquiries.ReadAsync(stoppingToken))
            {
                try
                {
                    if (owned.TryGet(inquiry.Mailbox, out OwnedMailbox? claim))
                        await TakeAsync(inquiry, claim);
                }
                catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
                {
                    LogFailed(e, inquiry.Mailbox);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task TakeAsync(OwnerInquiry inquiry, OwnedMailbox claim)
    {
        if (inquiry.Epoch >= claim.Epoch)
        {
            LogRepaired(inquiry.Mailbox);
            await grains.GetGrain<IMailboxGrain>(inquiry.Mailbox.ToString()).End(inquiry.End ? MailboxEnd.UidValidityChanged : MailboxEnd.OwnerChanged);
        }
        if (inquiry.Reply is not null)
        {
            await inquiries.AnswerAsync(inquiry, new OwnerAnswer(
                options.Name, silo.SiloAddress.ToParsableString(), claim.Since, claim.Epoch, claim.Loaded(), claim.UnderWay(), lanes.Waiting(inquiry.Mailbox)));
        }
    }

    [LoggerMessage(LogLevel.Information, "Mailbox {Mailbox} was repaired by an administrator; its owner reads it again")]
    private partial void LogRepaired(MailboxKey mailbox);

    [LoggerMessage(LogLevel.Warning, "A question about mailbox {Mailbox} could not be answered")]
    private partial void LogFailed(Exception e, MailboxKey mailbox);
}
