using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>APPENDs that each wait for their OK, into INBOXes of their own or into one.</summary>
internal sealed class Append(string name, int bytes, int clients, bool own, string goal)
    : LoopWork(name, $"APPEND {bytes / 1024} KB, {clients} connection{(clients > 1 ? "s" : "")}, {(own ? "own mailboxes" : "one mailbox")}", Unit.PerSecond, goal, clients)
{
    public override bool IsAgainst(DovecotVariant variant) => variant.IsUsualForWrites;

    public override Task<double>? PostgresAsync(string connectionString, Settings settings) =>
        own && Clients >= 8 ? PostgresFigures.InsertsAsync(connectionString, Clients, bytes, settings.Seconds) : null;

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await target.AccountAsync(own ? $"append-{number}" : "append-one"));
        NumberedBytes command = SampleMessages.Append("INBOX", bytes, number);
        return new Client(() => connection.RunAsync(command.Next()), connection);
    }
}
