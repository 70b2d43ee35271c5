using MailCluster.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(MailServer))]
[assembly: AssemblyFixture(typeof(PostgresFixture))]
