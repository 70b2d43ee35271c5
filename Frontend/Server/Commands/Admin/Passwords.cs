using System.CommandLine;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary>Passwords that administrators give: never as an argument, for the list of processes shows those to everybody.</summary>
internal static class Passwords
{
    public static Option<bool> FromStdin() => new("--password-stdin")
    {
        Description = "the first line of standard input is the password, a SCRAM-SHA-256 verifier (RFC 5803), or another system's hash ({SSHA512}…, {BLF-CRYPT}…; {PLAIN} before a password that begins with '{')",
    };

    /// <exception cref="OptionsException">There is none, or it is a hash that can't be used.</exception>
    public static NewPassword Read()
    {
        string line = Console.ReadLine() is { Length: > 0 } read ? read : throw new OptionsException("Standard input has no password.");
        NewPassword password = StoredPassword.Of(line);
        return password.Error is { } error ? throw new OptionsException(error) : password;
    }
}
