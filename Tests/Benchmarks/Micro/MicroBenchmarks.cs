using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace MailCluster.Benchmarks.Micro;

/// <summary>Single functions, measured by BenchmarkDotNet in this process: nothing is generated or restored.</summary>
internal static class MicroBenchmarks
{
    public static Command Command()
    {
        var filter = new Option<string>("--filter") { Description = "Those whose class or method matches, with * for anything.", DefaultValueFactory = static _ => "*" };
        var longer = new Option<bool>("--long") { Description = "More iterations: for differences of a few percent." };
        var command = new Command("micro", "Grammar, snapshots, FETCH encoding, UID sets, MIME structure, without servers.") { filter, longer };
        command.SetAction(result =>
        {
            DirectoryInfo artifacts = Directory.CreateTempSubdirectory("mailcluster-micro-");
            try
            {
                Job job = (result.GetValue(longer) ? Job.MediumRun : Job.ShortRun).WithToolchain(InProcessNoEmitToolchain.Instance);
                IConfig config = DefaultConfig.Instance.AddJob(job).AddDiagnoser(MemoryDiagnoser.Default).WithArtifactsPath(artifacts.FullName)
                    .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile);
                BenchmarkSwitcher.FromAssembly(typeof(MicroBenchmarks).Assembly).Run(["--filter", result.GetValue(filter)!], config);
            }
            finally
            {
                artifacts.Delete(recursive: true);
            }
        });
        return command;
    }
}
