using System.CommandLine;
using MailCluster.Server.Commands.Admin;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;

namespace MailCluster.Server.Commands;

/// <summary>All that the program does, by its arguments.</summary>
internal static class MainCommand
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var root = new RootCommand("MailCluster, a distributed mail store.") { DemoCommand.Create(), NodeCommand.Create(), AdminCommand.Create() };
        try
        {
            // The host answers SIGINT and SIGTERM itself, with a drain that takes longer than a command line's patience.
            // An argument may begin with @: it is no file with further arguments.
            return await root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null }).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is OptionsException or SchemaException or PrivatePostgresException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
