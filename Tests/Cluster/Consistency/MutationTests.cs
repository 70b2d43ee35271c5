using MailCluster.Consistency;
using MailCluster.Consistency.History;
using MailCluster.Contracts;
using MailCluster.Tests.Cluster.Stories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Consistency;

/// <summary>The checker finds what it is there for: each safeguard is switched off in turn, in a build that is made for these tests alone.</summary>
[Collection(nameof(NodesCollection))]
public sealed class MutationTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    // .build/bin/MailCluster.Server/debug/… → .build/mutations/bin/MailCluster.Server/debug/…
    private static readonly string Program = ServerProcess.Program.Replace("/.build/bin/", "/.build/mutations/bin/", StringComparison.Ordinal);

    [Theory]
    [InlineData("no-fence")]
    [InlineData("drop-push")]
    [InlineData("retry-twice")]
    public async Task What_a_safeguard_prevents_is_found_without_it(string mutation)
    {
        ServerFixtures.NeedPostgres();
        if (!File.Exists(Program))
            Assert.Skip("The server with switches for its safeguards is not built: ./mailcluster test does it.");
        // Chance may spare a seed; on a busy machine a zombie may end before anybody has written by it.
        for (int seed = 1; ; seed++)
        {
            IReadOnlyList<Violation> found = await MutationHunt.RunAsync(Program, mutation, seed, Bound);
            foreach (Violation violation in found.Take(5))
                output.WriteLine($"{mutation}, seed {seed}: {violation.Promise}: {violation.What}");
            if (found.Count > 0)
                return;
            Assert.True(seed < 10, $"{mutation} was not found");
        }
    }

    [Fact]
    public void What_is_shipped_has_no_such_switch()
    {
        Assert.Null(typeof(MailboxSnapshot).Assembly.GetType("MailCluster.Contracts.Mutation"));
        byte[] name = System.Text.Encoding.Unicode.GetBytes("MAILCLUSTER_MUTATION");
        string[] files = Directory.GetFiles(Path.GetDirectoryName(ServerProcess.Program)!, "MailCluster*.dll");
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(name) < 0, file));
    }
}
