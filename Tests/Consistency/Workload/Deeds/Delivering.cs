using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>Deliveries by LMTP to the client's account, and sometimes to others in the same transaction; sometimes the same once more, as a sender does that lost the answer.</summary>
internal static class Delivering
{
    public static async Task DeliverAsync(Worker worker)
    {
        var recipients = new List<string> { worker.Account.User };
        while (worker.Chance(0.3))
            recipients.Add(worker.OneOf(worker.Options.Accounts).User);
        recipients = [.. recipients.Distinct()];
        NewMessage message = worker.Marks.Next(Appending.AnySize(worker), FlagSet.Empty, isDelivered: true);
        byte[] octets = Marks.OctetsOf(message);
        IReadOnlyList<Outcome> outcomes = await LmtpSession.DeliverAsync(worker.Context, worker.FrontEnd.Lmtp!, recipients, message, octets);
        if (worker.Options.Redelivers && (outcomes.Any(static o => o != Outcome.Ok) || worker.Chance(0.1)))
            await LmtpSession.DeliverAsync(worker.Context, worker.FrontEnd.Lmtp!, recipients, message, octets);
    }
}
