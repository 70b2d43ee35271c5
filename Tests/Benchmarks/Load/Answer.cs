using System.Diagnostics;

namespace MailCluster.Benchmarks.Load;

/// <summary>What a command, or several sent together, took and brought.</summary>
/// <param name="Ticks">From the first octet sent to the last of the tagged answer, in units of <see cref="Stopwatch.Frequency"/>.</param>
/// <param name="Untagged">Untagged responses that came with it.</param>
/// <param name="Octets">Octets received.</param>
/// <param name="Commands">How many commands it stands for.</param>
internal readonly record struct Answer(long Ticks, int Untagged = 0, long Octets = 0, int Commands = 1)
{
    public static Answer Since(long started, int commands = 1) => new(Stopwatch.GetTimestamp() - started, Commands: commands);
}

/// <summary>A server said something else than what the work needs.</summary>
internal sealed class UnexpectedAnswerException(string answer) : Exception($"The server answered: {answer}");
