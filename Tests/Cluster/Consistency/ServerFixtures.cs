using MailCluster.Storage.Private;
using Xunit;

namespace MailCluster.Tests.Cluster.Consistency;

internal static class ServerFixtures
{
    public static void NeedPostgres()
    {
        if (PostgresPrograms.Find() is null)
            Assert.Skip($"PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");
    }
}
