using MailCluster.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(MailServer))]
