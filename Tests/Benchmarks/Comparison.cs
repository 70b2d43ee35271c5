using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Profile;
using MailCluster.Benchmarks.Report;
using MailCluster.Benchmarks.Targets;
using MailCluster.Benchmarks.Works;

namespace MailCluster.Benchmarks;

/// <summary>The works against MailCluster alone, or side by side with another server: round by round, each server in its turn.</summary>
internal static class Comparison
{
    public static RootCommand Command()
    {
        var names = new Argument<string[]>("works") { Description = "Names, or what stands before the '-' of several; none means all.", Arity = ArgumentArity.ZeroOrMore };
        var list = new Option<bool>("--list") { Description = "Tells the works and ends." };
        var against = new Option<string?>("--against") { Description = "The server to compare with: dovecot." };
        against.AcceptOnlyFromAmong("dovecot");
        var apart = new Option<bool>("--apart") { Description = "Runs a silo and two front ends as processes of their own beside the one node: what the hop costs." };
        var rounds = new Option<int>("--rounds") { Description = "How often each server has its turn; medians are reported. Default 3 with --against, else 1." };
        var seconds = new Option<double>("--seconds") { Description = "How long a run lasts.", DefaultValueFactory = static _ => 4 };
        var messages = new Option<int>("--messages") { Description = "Messages in the mailbox that is fetched, selected and searched.", DefaultValueFactory = static _ => 10_000 };
        var bytes = new Option<int>("--message-bytes") { Description = "Octets of each of those messages.", DefaultValueFactory = static _ => 4096 };
        var idlers = new Option<int>("--connections") { Description = "Connections whose memory is measured.", DefaultValueFactory = static _ => 2000 };
        var warmUp = new Option<double>("--warm-up") { Description = "How long each work is done at each server before it is measured for the first time, in seconds. The node compiles what it runs for some 20 seconds.", DefaultValueFactory = static _ => 8 };
        var variants = new Option<string[]>("--variants") { Description = "Only those ways of running Dovecot whose names contain one of these.", AllowMultipleArgumentsPerToken = true };
        var profile = new Option<bool>("--profile") { Description = "Tells where the time of one LOGIN, SELECT, FETCH, STORE and APPEND goes, from the product's own spans, and ends." };
        var markdown = new Option<FileInfo?>("--markdown") { Description = "Writes the report to this file, too." };
        var command = new RootCommand("Benchmarks of MailCluster. Each starts what it needs, says what it measured, and takes it down again.")
        {
            names, list, against, apart, rounds, seconds, messages, bytes, idlers, warmUp, variants, profile, markdown,
        };
        command.SetAction(async (result, cancellation) =>
        {
            IReadOnlyList<Work> works;
            try
            {
                works = AllWorks.Named(result.GetValue(names)!);
            }
            catch (ArgumentException e)
            {
                Console.Error.WriteLine(e.Message);
                return 2;
            }
            if (result.GetValue(list))
            {
                foreach (Work work in works)
                    Console.WriteLine($"{work.Name,-18} {work.Does}");
                Console.WriteLine($"{"large",-18} memory while messages of 100 MB come and go (a command with options of its own)");
                Console.WriteLine($"{"growth",-18} how costs grow with messages and accounts, and what the database pays (a command with options of its own)");
                Console.WriteLine($"{"micro",-18} grammar, snapshots, FETCH encoding, UID sets, MIME, without servers (a command with options of its own)");
                return 0;
            }
            if (result.GetValue(profile))
                return await CommandProfile.RunAsync(result.GetValue(seconds), cancellation);
            bool compares = result.GetValue(against) is not null;
            int times = result.GetValue(rounds) is > 0 and var given ? given : compares ? 3 : 1;
            var settings = new Settings(result.GetValue(seconds), result.GetValue(messages), result.GetValue(idlers), result.GetValue(bytes), Math.Min(result.GetValue(warmUp), 300));
            using var report = new ReportText(result.GetValue(markdown));
            string[] wanted = result.GetValue(variants) ?? [];
            DovecotVariant[] chosen = !compares ? [] : [.. DovecotVariant.All.Where(v => wanted.Length == 0 || wanted.Any(v.Name.Contains))];
            return await RunAsync(works, chosen, result.GetValue(apart), times, settings, report, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        IReadOnlyList<Work> works, IReadOnlyList<DovecotVariant> variants, bool apart, int rounds, Settings settings, ReportText report, CancellationToken cancellation)
    {
        string? dovecot = variants.Count == 0 ? null : await DovecotTarget.VersionAsync()
            ?? throw new InvalidOperationException("Dovecot is not on this machine: run 'apt-get install dovecot-imapd dovecot-lmtpd dovecot-pop3d' (as root), then start again.");
        report.Line($"{Machine.Describe()}; load average at the start {Machine.Load()}; {DateTime.UtcNow:yyyy-MM-dd}.");
        report.Line($"{rounds} round{(rounds == 1 ? "" : "s")} of {settings.Seconds} s each after {settings.WarmUp} s of warm-up, medians; the large mailbox has {settings.Messages:#,0} messages of {settings.MessageBytes:#,0} octets; {settings.IdleConnections:#,0} idle connections.");
        using InotifyLimit? watches = variants.Count == 0 ? null : InotifyLimit.Raise();
        DirectoryInfo directory = Directory.CreateTempSubdirectory("mailcluster-bench-");
        // Other users' processes read the certificate.
        directory.UnixFileMode = (UnixFileMode)0b111_101_101;
        var targets = new List<(Target Target, DovecotVariant? Variant)>();
        var done = new List<WorkResults>();
        bool complete = true;
        try
        {
            string certificate = Path.Combine(directory.FullName, "certificate.pem");
            await File.WriteAllTextAsync(certificate, SelfSigned(), cancellation);
            var ours = await MailClusterTarget.StartAsync(certificate);
            targets.Add((ours, null));
            if (apart)
                targets.Add((await MailClusterTarget.StartAsync(certificate, apart: true), null));
            foreach (DovecotVariant variant in variants.Where(v => works.Any(w => w.IsAgainst(v))))
                targets.Add((await DovecotTarget.StartAsync(variant, certificate), variant));
            report.Line("");
            foreach ((Target target, DovecotVariant? variant) in targets)
                report.Line($"- {target.Name}{(variant is null ? "" : $" ({dovecot})")}: {target.Describes}");
            report.Line("");
            foreach (Work work in works)
            {
                cancellation.ThrowIfCancellationRequested();
                Target[] those = [.. targets.Where(t => t.Variant is null || work.IsAgainst(t.Variant)).Select(static t => t.Target)];
                WorkResults results = await RunAsync(work, those, ours, rounds, settings, cancellation);
                done.Add(results);
                complete &= results.Failures.Count == 0;
                report.Line(Results.Of(results).ToString());
                foreach ((Target target, string failure) in results.Failures)
                    report.Line($"{target.Name}: {failure}\n");
            }
            if (works.Count > 1 || targets.Count > 1)
                report.Line(Results.Summary(done, ours).ToString());
            return complete ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("interrupted");
            return 130;
        }
        finally
        {
            foreach ((Target target, _) in targets)
                await target.DisposeAsync();
            directory.Delete(recursive: true);
        }
    }

    // A B A B …: whatever else happens on the machine happens to all of them.
    private static async Task<WorkResults> RunAsync(
        Work work, IReadOnlyList<Target> targets, MailClusterTarget ours, int rounds, Settings settings, CancellationToken cancellation)
    {
        Console.Error.WriteLine($"{work.Name}: {work.Does}");
        var runs = targets.ToDictionary(static t => t, static _ => new List<Figures>());
        var failures = new Dictionary<Target, string>();
        for (int round = 0; round < rounds; round++)
        {
            foreach (Target target in targets.Where(t => !failures.ContainsKey(t)))
            {
                try
                {
                    await work.PrepareAsync(target, settings).WaitAsync(TimeSpan.FromMinutes(15), cancellation);
                    // What the one before has written and not waited for must not be this one's wait.
                    await SyncAsync(cancellation);
                    runs[target].Add(await work.RunAsync(target, settings, cancellation));
                }
                catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
                {
                    // One server that fails in one work is a result, not the end.
                    failures[target] = $"{e.GetType().Name}: {e.Message}";
                }
            }
        }
        double? postgres = null;
        try
        {
            if (work.PostgresAsync(ours.ConnectionString, settings) is { } own)
                postgres = await own.WaitAsync(cancellation);
        }
        catch (Npgsql.NpgsqlException e)
        {
            Console.Error.WriteLine($"PostgreSQL itself: {e.Message}");
        }
        return new WorkResults(work, runs, failures, postgres);
    }

    /// <summary>Returns when the disks have all that was written to files so far.</summary>
    private static async Task SyncAsync(CancellationToken cancellation)
    {
        using var sync = Process.Start("sync");
        await sync.WaitForExitAsync(cancellation);
    }

    // The same key for all: P-256, as certificate authorities' clients make them today.
    private static string SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>Lines for the eye, and for a file where one is named.</summary>
    private sealed class ReportText(FileInfo? file) : IDisposable
    {
        private readonly StringBuilder _text = new();

        public void Line(string line)
        {
            Console.WriteLine(line);
            _text.AppendLine(line);
        }

        public void Dispose()
        {
            if (file is not null)
                File.WriteAllText(file.FullName, _text.ToString());
        }
    }
}
