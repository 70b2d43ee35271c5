using MailCluster.Server.Hosting;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class FileLimitTests
{
    [Theory]
    [InlineData("Max open files            262144               262144               files     ", 261_632)]
    [InlineData("Max open files            420                  4096                 files     ", 84)]
    [InlineData("Max open files            unlimited            unlimited            files     ", int.MaxValue)]
    public void Clients_leave_open_files_for_the_rest(string line, int connections) =>
        Assert.Equal(connections, FileLimit.Connections(["Limit                     Soft Limit           Hard Limit           Units     ", line]));
}
