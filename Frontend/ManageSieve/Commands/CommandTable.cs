using System.Collections.Frozen;
using MailCluster.ManageSieve.Wire;

namespace MailCluster.ManageSieve.Commands;

/// <summary>A command: its arguments, when it may be given, and what it does. It has answered when it returns; true: with OK.</summary>
/// <param name="Login">True: after a log-in only; false: before one only; null: always.</param>
internal sealed record CommandRow(string Usage, int AtLeast, int AtMost, bool? Login, Func<ManageSieveSession, SieveCommand, ValueTask<bool>> RunAsync);

internal static class CommandTable
{
    public static readonly FrozenDictionary<string, CommandRow> All = new Dictionary<string, CommandRow>
    {
        ["AUTHENTICATE"] = new("AUTHENTICATE \"mechanism\" [\"initial response\"]", 1, 2, false, Authenticate.RunAsync),
        ["STARTTLS"] = new("STARTTLS", 0, 0, false, StartTls.RunAsync),
        ["UNAUTHENTICATE"] = new("UNAUTHENTICATE", 0, 0, true, Session.UnauthenticateAsync),
        ["LOGOUT"] = new("LOGOUT", 0, 0, null, Session.LogoutAsync),
        ["CAPABILITY"] = new("CAPABILITY", 0, 0, null, Capability.RunAsync),
        ["NOOP"] = new("NOOP [\"tag\"]", 0, 1, null, Session.NoopAsync),
        ["HAVESPACE"] = new("HAVESPACE \"name\" octets", 2, 2, true, Space.HaveSpaceAsync),
        ["PUTSCRIPT"] = new("PUTSCRIPT \"name\" {octets+}", 2, 2, true, Upload.PutScriptAsync),
        ["CHECKSCRIPT"] = new("CHECKSCRIPT {octets+}", 1, 1, true, Upload.CheckScriptAsync),
        ["LISTSCRIPTS"] = new("LISTSCRIPTS", 0, 0, true, Scripts.ListAsync),
        ["SETACTIVE"] = new("SETACTIVE \"name\"", 1, 1, true, Scripts.SetActiveAsync),
        ["GETSCRIPT"] = new("GETSCRIPT \"name\"", 1, 1, true, Scripts.GetAsync),
        ["DELETESCRIPT"] = new("DELETESCRIPT \"name\"", 1, 1, true, Scripts.DeleteAsync),
        ["RENAMESCRIPT"] = new("RENAMESCRIPT \"old name\" \"new name\"", 2, 2, true, Scripts.RenameAsync),
    }.ToFrozenDictionary();
}
