namespace MailCluster.Tests.Fuzz;

/// <summary>Something that takes any bytes. A failure is any exception that <see cref="RunAsync"/> throws.</summary>
public abstract class Target
{
    // Only against a hang.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Names the target, also in its corpus files: "name-….bin".</summary>
    public abstract string Name { get; }

    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>What its language is made of.</summary>
    public abstract IReadOnlyList<string> Words { get; }

    /// <param name="variant">Further choices of the run (a charset, where the bytes are cut), by the input's own bytes.</param>
    protected abstract Task RunAsync(byte[] input, Random variant);

    public async Task TryAsync(byte[] input)
    {
        // Not HashCode's number, which differs from process to process.
        int seed = input.Aggregate(17, static (sum, b) => unchecked((sum * 31) + b));
        await Task.Run(() => RunAsync(input, new Random(seed))).WaitAsync(Patience);
    }
}
