using System.CommandLine;
using MailCluster.Server.Demo;

namespace MailCluster.Server.Commands;

/// <summary><c>mailcluster demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "the directory that keeps everything", DefaultValueFactory = _ => ".data" };
        var offset = new Option<int>("--port-offset")
        {
            Description = "added to the well-known ports: IMAP 143, IMAPS 993, LMTP 24, HTTP 80",
            DefaultValueFactory = _ => 1000,
        };
        offset.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65535 - 993)
            {
                result.AddError($"--port-offset must be from 0 to {65535 - 993}.");
            }
        });
        var command = new Command("demo", "Runs everything on this machine: a private PostgreSQL and one node, with two accounts.") { data, offset };
        command.SetAction(async (parsed, _) =>
        {
            await new DemoRun(parsed.GetValue(data)!, parsed.GetValue(offset)).RunAsync();
            return 0;
        });
        return command;
    }
}
