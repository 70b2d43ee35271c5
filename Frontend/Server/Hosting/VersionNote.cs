using MailCluster.Server.Configuration;
using MailCluster.Storage.Membership;
using Npgsql;
using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>Notes which code this silo runs, before it joins the cluster: a contract step of the schema looks there for older members. Front ends do it in their list of sessions.</summary>
internal sealed class VersionNote(NpgsqlDataSource database, ILocalSiloDetails silo, NodeOptions options) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => NodeMember.NoteAsync(database, silo.SiloAddress.ToParsableString(), options.Name);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
