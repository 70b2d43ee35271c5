using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>POP3 sessions, one after the other: log in, RETR of all messages, QUIT. Counted in messages.</summary>
internal sealed class Retrieve() : LoopWork("pop3-retr", $"POP3 RETR of {Messages:#,0} messages of 4 KB, log-in and QUIT included, 1 connection", Unit.PerSecond, "≥ 1", 1)
{
    private const int Messages = 1000;
    private const int Bytes = 4096;

    public override Task PrepareAsync(Target target, Settings settings) => target.MailboxAsync("pop3", Messages, Bytes);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string user = await target.MailboxAsync("pop3", Messages, Bytes);
        return new Client(async () =>
        {
            var all = new Answer(0, Commands: Messages);
            using Pop3Connection connection = await Pop3Connection.LoggedInAsync(target.Pop3, user, target.Password);
            for (int i = 1; i <= Messages; i++)
            {
                Answer one = await connection.RetrAsync(i);
                all = all with { Ticks = all.Ticks + one.Ticks, Octets = all.Octets + one.Octets };
            }
            await connection.QuitAsync();
            return all;
        });
    }
}
