using MailCluster.Tests.Support;
using Xunit;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(MailServer))]
[assembly: AssemblyFixture(typeof(PostgresFixture))]

// Twice as many as there are processors here: one that waits, for a commit's disk or another program, is no reason for others to.
[assembly: Parallelization(MaxThreads = 4)]
