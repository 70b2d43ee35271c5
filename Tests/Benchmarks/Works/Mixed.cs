using System.Diagnostics;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>What people's clients do all day: 50 of them log in, select, fetch, store, append, expunge and log out. A mailbox keeps its 20 messages.</summary>
internal sealed class Mixed() : LoopWork("mixed", "sessions of 50 clients, commands", Unit.PerSecond, "≥ 1.5, ≥ 3 × default", 50)
{
    private const int Kept = 20;

    public override bool IsAgainst(DovecotVariant variant) => variant == DovecotVariant.Default || variant.IsUsualForWrites;

    public override async Task PrepareAsync(Target target, Settings settings)
    {
        for (int i = 0; i < 50; i++)
            await target.MailboxAsync($"mixed-{i}", Kept, 4096);
    }

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        NumberedBytes append = SampleMessages.Append("INBOX", 4096, number);
        string user = await target.MailboxAsync($"mixed-{number}", Kept, 4096);
        byte[][] before =
        [
            ImapConnection.Login(user, target.Password),
            ImapConnection.Command("CAPABILITY"),
            ImapConnection.Command("LIST \"\" \"*\""),
            ImapConnection.Command("SELECT INBOX"),
            ImapConnection.Command("FETCH 1:* (UID FLAGS)"),
            ImapConnection.Command("FETCH 1:10 (UID ENVELOPE BODYSTRUCTURE)"),
            ImapConnection.Command($"FETCH {Kept} BODY.PEEK[]"),
            ImapConnection.Command($"STORE {Kept} +FLAGS (\\Seen)"),
        ];
        byte[][] after =
        [
            ImapConnection.Command("NOOP"),
            ImapConnection.Command("STORE 1 +FLAGS.SILENT (\\Deleted)"),
            ImapConnection.Command("EXPUNGE"),
            ImapConnection.Command("LOGOUT"),
        ];
        return new Client(async () =>
        {
            long started = Stopwatch.GetTimestamp();
            using ImapConnection connection = await ImapConnection.GreetedAsync(target.Imap);
            foreach (byte[] command in before)
                await connection.RunAsync(command);
            await connection.RunAsync(append.Next());
            foreach (byte[] command in after)
                await connection.RunAsync(command);
            return Answer.Since(started, before.Length + 1 + after.Length);
        });
    }
}
