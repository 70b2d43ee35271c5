using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>Deliveries by LMTP to the client's account, and sometimes to others in the same transaction; sometimes the same once more, as a sender does that lost the answer.</summary>
internal static class Delivering
{
    /// <summary>Files what comes for user+filter-NAME into NAME, where there is such a mailbox, with a flag; else into INBOX.</summary>
    public const string Filter = """
        require ["fileinto", "imap4flags", "envelope", "subaddress", "variables"];
        if envelope :detail :matches "to" "filter-*" { fileinto :flags ["\\Flagged"] "${1}"; }
        """;

    public static async Task DeliverAsync(Worker worker)
    {
        var recipients = new List<string> { worker.Account.User };
        while (worker.Chance(0.3))
            recipients.Add(worker.OneOf(worker.Options.Accounts).User);
        recipients = [.. recipients.Distinct()];
        FlagSet flags = FlagSet.Empty;
        if (worker.Options.Filters && worker.Chance(0.4))
        {
            string folder = worker.OneOf(worker.Account.Possible);
            recipients = [.. recipients.Select(r => r.Replace("@", $"+filter-{folder}@"))];
            flags = new FlagSet([@"\Flagged"]);
        }
        NewMessage message = worker.Marks.Next(Appending.AnySize(worker), flags, isDelivered: true);
        byte[] octets = Marks.OctetsOf(message);
        IReadOnlyList<Outcome> outcomes = await LmtpSession.DeliverAsync(worker.Context, worker.FrontEnd.Lmtp!, recipients, message, octets);
        if (worker.Options.Redelivers && (outcomes.Any(static o => o != Outcome.Ok) || worker.Chance(0.1)))
            await LmtpSession.DeliverAsync(worker.Context, worker.FrontEnd.Lmtp!, recipients, message, octets);
    }
}
