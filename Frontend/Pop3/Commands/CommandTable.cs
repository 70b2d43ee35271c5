using System.Collections.Frozen;
using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>One command: its keyword, whether something may follow it, and who does it.</summary>
/// <param name="Run">Null when the session is in another state.</param>
internal sealed record CommandRow(string Keyword, bool TakesArgument, Func<Pop3Session, SessionState, string, ValueTask?> Run);

/// <summary>Every command that the server knows. APOP is not one: it needs the passwords themselves, or what is as good as them, and MD5.</summary>
internal static class CommandTable
{
    private static readonly FrozenDictionary<string, CommandRow> Rows = new[]
    {
        // Any state.
        Row<SessionState>("CAPA", false, static (session, state, _) => Capa.Run(session, state)),
        Row<SessionState>("LANG", true, static (session, _, argument) => Lang.Run(session, argument)),
        Row<SessionState>("QUIT", false, static (session, state, _) => Quit.RunAsync(session, state)),

        // AUTHORIZATION.
        Row<Authorization>("USER", true, static (session, _, argument) => User.Run(session, argument)),
        Row<Authorization>("PASS", true, Pass.RunAsync),
        Row<Authorization>("AUTH", true, static (session, _, argument) => Auth.RunAsync(session, argument)),
        Row<Authorization>("STLS", false, static (session, _, _) => Stls.RunAsync(session)),
        Row<Authorization>("UTF8", false, static (session, _, _) => Utf8.Run(session)),

        // TRANSACTION.
        Row<Transaction>("STAT", false, static (session, state, _) => Stat.RunAsync(session, state)),
        Row<Transaction>("LIST", true, List.RunAsync),
        Row<Transaction>("UIDL", true, Uidl.RunAsync),
        Row<Transaction>("RETR", true, Retr.RunAsync),
        Row<Transaction>("TOP", true, Top.RunAsync),
        Row<Transaction>("DELE", true, Dele.RunAsync),
        Row<Transaction>("RSET", false, static (session, state, _) => Rset.Run(session, state)),
        Row<Transaction>("NOOP", false, static (session, _, _) => Noop.Run(session)),
    }.ToFrozenDictionary(static row => row.Keyword);

    /// <summary>The row of a keyword in capitals; null for an unknown one.</summary>
    public static CommandRow? Find(string keyword) => Rows.GetValueOrDefault(keyword);

    private static CommandRow Row<TState>(string keyword, bool takesArgument, Func<Pop3Session, TState, string, ValueTask> run)
        where TState : SessionState =>
        new(keyword, takesArgument, (session, state, argument) => state is TState right ? run(session, right, argument) : null);
}
