using System.Globalization;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload;

namespace MailCluster.Consistency.Faults;

/// <summary>The workload's clients, as faults see them: what they were told is read from the history.</summary>
internal sealed class WorkingClients(Workload.Workload workload, WorkloadOptions options) : ILoad
{
    public Delays Since(long moment)
    {
        Pauses pauses = workload.Pauses(moment);
        int unavailable = options.Recorder.Operations().Count(o => o.Code == "UNAVAILABLE" && o.Completed >= moment);
        return new Delays(pauses.Commands, pauses.P50, pauses.P99, pauses.Longest, unavailable);
    }

    public IReadOnlyList<Ended> EndedSince(long moment) =>
        [
            .. from operation in options.Recorder.Operations()
               where operation.Invoked >= moment || operation.Completed >= moment
               from end in operation.Seen.OfType<SeenEnd>()
               // A mailbox that went away ends its sessions with BYE (and says so), whatever else happens.
               where end.At >= moment && !(end.Bye ?? "").Contains("mailbox", StringComparison.OrdinalIgnoreCase)
               select new Ended(operation.Session, options.Recorder.Sessions[operation.Session].FrontEnd, end.Bye is not null, end.Bye ?? "without BYE"),
        ];

    public async Task SlowClientAsync(TimeSpan duration, CancellationToken stop)
    {
        await Task.CompletedTask;
    }

    public async Task ReconnectStormAsync(int clients, CancellationToken stop)
    {
        await Task.CompletedTask;
    }
}
