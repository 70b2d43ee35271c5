using System.Globalization;

namespace MailCluster.Consistency.Faults;

/// <summary>A fault that was asked for.</summary>
internal sealed record FaultChoice(Fault Fault, int Seconds);

/// <summary>The table of faults, and the grammar of --faults.</summary>
internal static class AllFaults
{
    public static IReadOnlyList<Fault> List { get; } =
    [
        new KillSilo(), new StopSilo(), new KillFrontEnd(), new RollingRestart(), new AddSilo(), new KillBackend(), new RestartPostgres(), new StopPostgres(),
        new ExhaustPool(), new FailOverPostgres(), new CutSilo(), new CutSiloFromPostgres(), new BadNetwork(), new SlowClient(), new ReconnectStorm(), new BusyCpu(),
    ];

    /// <summary>"all", "none", "" (a mix for everybody: one machine, no root), or names with commas, each "name" or "name:seconds".</summary>
    /// <exception cref="CheckException">There is no such fault.</exception>
    public static IReadOnlyList<FaultChoice> Parse(string list) => list switch
    {
        "" => [.. List.Where(static f => f is { ByDefault: true, Needs: FaultNeeds.None }).Select(static f => new FaultChoice(f, f.Seconds ?? 0))],
        "all" => [.. List.Select(static f => new FaultChoice(f, f.Seconds ?? 0))],
        "none" => [],
        _ => [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(One)],
    };

    private static FaultChoice One(string text)
    {
        string[] parts = text.Split(':', 2);
        Fault fault = List.FirstOrDefault(f => f.Name == parts[0])
            ?? throw new CheckException($"There is no fault '{parts[0]}'. There are: {string.Join(", ", List.Select(static f => f.Name))}.");
        if (parts.Length == 1)
            return new FaultChoice(fault, fault.Seconds ?? 0);
        if (fault.Seconds is null)
            throw new CheckException($"The fault '{fault.Name}' lasts as long as it takes: it has no seconds.");
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is > 0 and <= 3600
            ? new FaultChoice(fault, seconds)
            : throw new CheckException($"'{text}': the seconds of a fault are a number from 1 to 3600.");
    }
}
