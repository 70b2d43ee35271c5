#if MUTATIONS
namespace MailCluster.Contracts;

/// <summary>
/// A safeguard that is switched off, to show that the consistency checker notices: only in builds with -p:Mutations=true, which are never shipped,
/// and there only where the environment variable MAILCLUSTER_MUTATION names it.
/// </summary>
public static class Mutation
{
    private static readonly string? _name = Environment.GetEnvironmentVariable("MAILCLUSTER_MUTATION");

    /// <summary>Commits are done under any epoch, and a silo that was declared dead goes on.</summary>
    public static bool NoFence => _name == "no-fence";

    /// <summary>Owners drop pushes now and then, and front ends take pushes for the whole truth.</summary>
    public static bool DropPush => _name == "drop-push";

    /// <summary>Commits end without an answer now and then, and their retries are not recognised.</summary>
    public static bool RetryTwice => _name == "retry-twice";

    /// <summary>True once in so many calls.</summary>
    public static bool OnceIn(int calls) => Random.Shared.Next(calls) == 0;
}
#endif
