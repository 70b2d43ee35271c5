using System.CommandLine;
using MailCluster.Benchmarks;
using MailCluster.Benchmarks.Growth;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Micro;

InlineSockets.Use();
// Clients that block have a thread each, at once.
ThreadPool.SetMinThreads(64, 64);
RootCommand commands = Comparison.Command();
commands.Add(LargeMessages.Command());
commands.Add(GrowthCommand.Command());
commands.Add(GuessTimes.Command());
commands.Add(MicroBenchmarks.Command());
// Ctrl-C takes down what was started: that needs more than the usual two seconds.
return await commands.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
