using System.CommandLine;
using MailCluster.Benchmarks;

var commands = new RootCommand("Benchmarks of MailCluster. Each starts what it needs, says what it measured, and takes it down again.")
{
    LargeMessages.Command(),
    Appends.Command(),
};
return await commands.Parse(args).InvokeAsync();
