using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>A command that answers a line, with INBOX selected, from 8 clients on mailboxes of their own: what it costs the server.</summary>
internal sealed class SmallCommand(string name, string command, string goal)
    : LoopWork(name, $"{command}, 8 connections, server CPU a command", Unit.CpuMilliseconds, goal, 8)
{
    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string user = await target.MailboxAsync($"small-{number}", 10, 1024);
        ImapConnection connection = await target.LoggedInAsync(user);
        try
        {
            await connection.RunAsync(ImapConnection.Command("CREATE Other"));
        }
        catch (UnexpectedAnswerException)
        {
            // It is there since the first run.
        }
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] octets = ImapConnection.Command(command);
        return new Client(() => connection.RunAsync(octets), connection);
    }
}
