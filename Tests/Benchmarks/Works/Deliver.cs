using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>Deliveries by LMTP from 8 connections that stay open.</summary>
internal sealed class Deliver(int recipients, string goal)
    : LoopWork($"lmtp-{recipients}", $"LMTP 4 KB, 8 connections, {recipients} recipient{(recipients > 1 ? "s" : "")}, messages", Unit.PerSecond, goal, 8)
{
    public override bool IsAgainst(DovecotVariant variant) => variant.IsUsualForWrites;

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string[] users = new string[recipients];
        for (int i = 0; i < recipients; i++)
            users[i] = await target.AccountAsync($"lmtp-{number}-{i}");
        LmtpConnection connection = await LmtpConnection.GreetedAsync(target.Lmtp);
        byte[] envelope = LmtpConnection.Envelope(users);
        NumberedBytes message = SampleMessages.Message(4096, number);
        return new Client(() => connection.DeliverAsync(envelope, recipients, message.Next()), connection);
    }
}
