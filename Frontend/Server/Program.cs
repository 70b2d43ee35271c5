using System.CommandLine;
using MailCluster.Server.Commands;
using MailCluster.Server.Commands.Admin;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;

var root = new RootCommand("MailCluster, a distributed mail store.") { DemoCommand.Create(), NodeCommand.Create(), AdminCommand.Create() };
try
{
    // The host answers SIGINT and SIGTERM itself, with a drain that takes longer than a command line's patience.
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is OptionsException or SchemaException or PrivatePostgresException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
