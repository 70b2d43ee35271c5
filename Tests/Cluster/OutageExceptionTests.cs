using MailCluster.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class OutageExceptionTests
{
    [Fact]
    public void An_outage_is_still_one_on_another_node()
    {
        IServiceCollection collection = new ServiceCollection().AddSerializer();
        Server.Hosting.Cluster.CarryExceptions(collection);
        using ServiceProvider services = collection.BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        Exception thrown = new StoreUnavailableException("PostgreSQL cannot be reached.", new NpgsqlException("Lost.", new IOException("Reset.")));
        Assert.IsType<StoreUnavailableException>(serializer.Deserialize<Exception>(serializer.SerializeToArray(thrown)));
    }
}
