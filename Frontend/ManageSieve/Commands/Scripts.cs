using System.Globalization;
using MailCluster.Contracts;
using MailCluster.ManageSieve.Wire;
using MailCluster.Sieve;

namespace MailCluster.ManageSieve.Commands;

internal static class Scripts
{
    /// <summary>LISTSCRIPTS (RFC 5804 §2.7). Its OK tells why the filter failed last, where it did: clients show what an answer says.</summary>
    public static async ValueTask<bool> ListAsync(ManageSieveSession session, SieveCommand command)
    {
        ScriptList list = await session.Scripts.ListAsync(session.Live!.Account, session.Gone).ConfigureAwait(false);
        foreach (ScriptInfo script in list.Scripts)
            session.Reply.Line(script.Name, word: script.Active ? "ACTIVE" : null);
        session.Reply.Status("OK", null, list.Failure is null
            ? null : string.Create(CultureInfo.InvariantCulture, $"The active script failed last at {list.FailedAt:yyyy-MM-dd HH:mm:ss} UTC: {list.Failure}"));
        return true;
    }

    /// <summary>SETACTIVE (RFC 5804 §2.8); "" is none.</summary>
    public static async ValueTask<bool> SetActiveAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Text(0) is not { } name)
            return NoName(session);
        if (name.Length > 0)
        {
            if (await session.Scripts.GetAsync(session.Live!.Account, name, session.Gone).ConfigureAwait(false) is not { } stored)
                return session.Answer(ScriptError.NonExistent);
            try
            {
                // It was valid when it came, maybe under other options.
                SieveScript.Compile(stored.Source, session.Options.Outgoing, session.Options.Limits);
            }
            catch (SieveSyntaxException e)
            {
                session.Reply.Status("NO", null, e.Problem.ToString());
                return false;
            }
        }
        return session.Answer(await session.Scripts.SetActiveAsync(session.Live!.Account, name.Length == 0 ? null : name, session.Gone).ConfigureAwait(false));
    }

    /// <summary>GETSCRIPT (RFC 5804 §2.9).</summary>
    public static async ValueTask<bool> GetAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Text(0) is not { } name)
            return NoName(session);
        if (await session.Scripts.GetAsync(session.Live!.Account, name, session.Gone).ConfigureAwait(false) is not { } stored)
            return session.Answer(ScriptError.NonExistent);
        session.Reply.Literal(stored.Source);
        session.Reply.Status("OK");
        return true;
    }

    /// <summary>DELETESCRIPT (RFC 5804 §2.10).</summary>
    public static async ValueTask<bool> DeleteAsync(ManageSieveSession session, SieveCommand command) => command.Text(0) is { } name
        ? session.Answer(await session.Scripts.DeleteAsync(session.Live!.Account, name, session.Gone).ConfigureAwait(false)) : NoName(session);

    /// <summary>RENAMESCRIPT (RFC 5804 §2.11).</summary>
    public static async ValueTask<bool> RenameAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Text(0) is not { } from || command.Text(1) is not { } to || !ScriptNames.IsOne(to))
            return NoName(session);
        return session.Answer(await session.Scripts.RenameAsync(session.Live!.Account, from, to, session.Gone).ConfigureAwait(false));
    }

    public static bool NoName(ManageSieveSession session)
    {
        session.Bad("A script's name has 1 to 128 characters, none of them a control character");
        return false;
    }
}
