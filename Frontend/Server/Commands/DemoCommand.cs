using System.CommandLine;
using MailCluster.Server.Demo;

namespace MailCluster.Server.Commands;

/// <summary><c>mailcluster demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "the directory that keeps everything", DefaultValueFactory = _ => ".data" };
        // The highest of them is ManageSieve's.
        var offset = NumberOption.Create(
            "--port-offset", "added to the well-known ports: IMAP 143, IMAPS 993, POP3 110, POP3S 995, ManageSieve 4190, LMTP 24, HTTP 80", usually: 1000, least: 0, most: 65535 - 4190);
        var command = new Command("demo", "Runs everything on this machine: a private PostgreSQL and one node, with two accounts.") { data, offset };
        command.SetAction(async (parsed, _) =>
        {
            await new DemoRun(parsed.GetValue(data)!, parsed.GetValue(offset)).RunAsync();
            return 0;
        });
        return command;
    }
}
