using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>Stories on the cluster of processes: one at a time, with nothing else beside them.</summary>
[CollectionDefinition(nameof(NodesCollection), DisableParallelization = true)]
public sealed class NodesCollection : ICollectionFixture<MailNodes>;
