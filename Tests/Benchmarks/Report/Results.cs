using System.Globalization;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;
using MailCluster.Benchmarks.Works;

namespace MailCluster.Benchmarks.Report;

/// <summary>All runs of one work: for each target its rounds; what went wrong where it did; and PostgreSQL's own figure.</summary>
internal sealed record WorkResults(Work Work, IReadOnlyDictionary<Target, List<Figures>> Runs, IReadOnlyDictionary<Target, string> Failures, double? Postgres);

/// <summary>Tables of medians and ratios.</summary>
internal static class Results
{
    /// <summary>One work, a line a target.</summary>
    public static Table Of(WorkResults results)
    {
        Unit unit = results.Work.Unit;
        var table = new Table(results.Work.Name, unit.Text, "rounds", "p50 ms", "p99 ms", "server CPU ms each", "of which", "generator", "others", "PSS MB", "private MB");
        foreach ((Target target, List<Figures> runs) in results.Runs)
        {
            if (runs.Count == 0)
            {
                table.Add([target.Name, "failed", .. Enumerable.Repeat("", 9)]);
                continue;
            }
            table.Add(
                target.Name,
                Number(Value(runs)),
                string.Join(" ", runs.Select(static r => Number(r.Value))),
                Number(Median(runs, static r => r.P50)),
                Number(Median(runs, static r => r.P99)),
                Number(Median(runs, static r => r.Usage.Server * 1000 / Math.Max(r.Commands, 1))),
                target.Parts.Count == 1 ? "" : string.Join(" + ", target.Parts.Select((p, i) => $"{p.Name} {Number(Median(runs, r => r.Usage.Parts[i] * 1000 / Math.Max(r.Commands, 1)))}")),
                Percent(Median(runs, static r => r.Usage.GeneratorShare)),
                Percent(Median(runs, static r => r.Usage.OthersShare)),
                Number(Median(runs, static r => r.Usage.Proportional / 1e6)),
                Number(Median(runs, static r => r.Usage.Private / 1e6)));
        }
        if (results.Postgres is { } own)
            table.Add(["PostgreSQL itself", Number(own), .. Enumerable.Repeat("", 9)]);
        return table;
    }

    /// <summary>All works: ours, the better of Dovecot's formats as they are usual, and what is wanted.</summary>
    public static Table Summary(IReadOnlyList<WorkResults> all, Target ours)
    {
        Target[] others = [.. all.SelectMany(static r => r.Runs.Keys).Distinct().Where(t => t != ours)];
        var table = new Table(["work", "unit", ours.Name, .. others.Select(static o => o.Name), "PostgreSQL itself", "ratio to the better", "to fsync=always", "to default", "to PostgreSQL", "goal"]);
        foreach (WorkResults results in all)
        {
            double? mine = Of(results, ours);
            table.Add([
                results.Work.Does,
                results.Work.Unit.Text,
                Number(mine),
                .. others.Select(o => Number(Of(results, o))),
                Number(results.Postgres),
                Ratio(mine, Best(results, others, DovecotVariant.MdBox, DovecotVariant.Maildir, DovecotVariant.Hibernating)),
                Ratio(mine, Best(results, others, DovecotVariant.MdBoxAlways, DovecotVariant.MaildirAlways)),
                Ratio(mine, Best(results, others, DovecotVariant.Default)),
                Ratio(mine, results.Postgres),
                results.Work.Goal,
            ]);
        }
        return table;
    }

    private static double? Of(WorkResults results, Target target) => results.Runs.TryGetValue(target, out List<Figures>? runs) && runs.Count > 0 ? Value(runs) : null;

    private static double? Best(WorkResults results, IEnumerable<Target> targets, params DovecotVariant[] variants)
    {
        double[] values = [.. targets.Where(t => variants.Any(v => v.Name == t.Name)).Select(t => Of(results, t)).OfType<double>()];
        return values.Length == 0 ? null : results.Work.Unit.MoreIsBetter ? values.Max() : values.Min();
    }

    private static double Value(List<Figures> runs) => Median(runs, static r => r.Value);

    private static double Median(List<Figures> runs, Func<Figures, double> of)
    {
        double[] sorted = [.. runs.Select(of).Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Ratio(double? mine, double? theirs) => mine is { } a && theirs is { } b && b > 0 ? (a / b).ToString("0.00", CultureInfo.InvariantCulture) : "";

    private static string Percent(double part) => part.ToString("0 %", CultureInfo.InvariantCulture);

    // Three digits that mean something.
    private static string Number(double? value) => value switch
    {
        null => "",
        >= 100 => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.Value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.000", CultureInfo.InvariantCulture),
    };
}
