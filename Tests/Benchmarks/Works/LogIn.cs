using System.Diagnostics;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>Connect, LOGIN, LOGOUT, from 8 clients; each user has logged in before.</summary>
internal sealed class LogIn(string name, bool tls, string goal)
    : LoopWork(name, tls ? "login and logout over TLS, full handshakes, 8 connections" : "login and logout, 8 connections", Unit.PerSecond, goal, 8)
{
    private static readonly byte[] LogOut = ImapConnection.Command("LOGOUT");

    public override bool IsAgainst(DovecotVariant variant) => variant == DovecotVariant.MdBox || variant == DovecotVariant.Maildir || variant == DovecotVariant.Default;

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        byte[] login = ImapConnection.Login(await target.AccountAsync($"login-{number}"), target.Password);
        return new Client(async () =>
        {
            long started = Stopwatch.GetTimestamp();
            using ImapConnection connection = await ImapConnection.GreetedAsync(tls ? target.Imaps : target.Imap, tls, blocking: true);
            await connection.RunAsync(login);
            await connection.RunAsync(LogOut);
            return Answer.Since(started);
        });
    }
}
