using MailCluster.Contracts;
using MailCluster.ManageSieve.Wire;
using MailCluster.Sieve;

namespace MailCluster.ManageSieve.Commands;

internal static class Upload
{
    /// <summary>PUTSCRIPT (RFC 5804 §2.6): nothing that is not valid is kept.</summary>
    public static async ValueTask<bool> PutScriptAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Text(0) is not { } name || !ScriptNames.IsOne(name))
            return Scripts.NoName(session);
        if (await CompileAsync(session, command, 1).ConfigureAwait(false) is not { } script)
            return false;
        if (await session.Scripts.PutAsync(session.Live!.Account, name, command.Bytes(1)!, session.Options.Quota, session.Gone).ConfigureAwait(false) is { } error)
            return session.Answer(error);
        return Done(session, script);
    }

    /// <summary>CHECKSCRIPT (RFC 5804 §2.12).</summary>
    public static async ValueTask<bool> CheckScriptAsync(ManageSieveSession session, SieveCommand command) =>
        await CompileAsync(session, command, 0).ConfigureAwait(false) is { } script && Done(session, script);

    private static async ValueTask<SieveScript?> CompileAsync(ManageSieveSession session, SieveCommand command, int argument)
    {
        if (command.Bytes(argument) is not { } source)
        {
            session.Bad("A script is a string");
            return null;
        }
        if (source.Length > session.Options.Limits.ScriptOctets)
        {
            session.Reply.Status("NO", "QUOTA/MAXSIZE", $"A script has at most {session.Options.Limits.ScriptOctets} octets");
            return null;
        }
        // Not on the event loop, which others wait for.
        await Task.Yield();
        try
        {
            return SieveScript.Compile(source, session.Options.Outgoing, session.Options.Limits);
        }
        catch (SieveSyntaxException e)
        {
            session.Reply.Status("NO", null, e.Problem.ToString());
            return null;
        }
    }

    private static bool Done(ManageSieveSession session, SieveScript script)
    {
        if (script.Warnings.Count == 0)
            session.Reply.Status("OK");
        else
            session.Reply.Status("OK", "WARNINGS", string.Join("\r\n", script.Warnings.Take(20)));
        return true;
    }
}

/// <summary>HAVESPACE (RFC 5804 §2.5).</summary>
internal static class Space
{
    public static async ValueTask<bool> HaveSpaceAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Text(0) is not { } name || !ScriptNames.IsOne(name))
            return Scripts.NoName(session);
        if (command.Number(1) is not { } octets)
        {
            session.Bad("The size is a number");
            return false;
        }
        if (octets > session.Options.Limits.ScriptOctets)
        {
            session.Reply.Status("NO", "QUOTA/MAXSIZE", $"A script has at most {session.Options.Limits.ScriptOctets} octets");
            return false;
        }
        return session.Answer(await session.Scripts.HaveSpaceAsync(session.Live!.Account, name, octets, session.Options.Quota, session.Gone).ConfigureAwait(false));
    }
}
