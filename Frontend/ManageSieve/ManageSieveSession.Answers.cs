using MailCluster.Contracts;
using MailCluster.ManageSieve.Wire;

namespace MailCluster.ManageSieve;

internal sealed partial class ManageSieveSession
{
    /// <summary>OK, or NO with the code of an expected failure (RFC 5804 §1.3).</summary>
    public bool Answer(ScriptError? error)
    {
        (string? code, string? text) = error switch
        {
            null => (null, null),
            ScriptError.NonExistent => ("NONEXISTENT", "There is no script of this name"),
            ScriptError.Active => ("ACTIVE", "The active script can't be deleted"),
            ScriptError.AlreadyExists => ("ALREADYEXISTS", "There is a script of this name already"),
            ScriptError.TooManyScripts => ("QUOTA/MAXSCRIPTS", $"There are at most {Options.Quota.Scripts} scripts"),
            _ => ("QUOTA", $"All scripts together have at most {Options.Quota.Octets} octets"),
        };
        Reply.Status(error is null ? "OK" : "NO", code, text);
        return error is null;
    }

    /// <summary>A string that answers a challenge, alone in its line; null: there was none, which was answered.</summary>
    public async ValueTask<byte[]?> NextStringAsync()
    {
        CommandRead read = await _reader.ReadStringAsync(LiteralBeforeLogin, _timeLeft).ConfigureAwait(false);
        if (read.Status == ReadStatus.Command && read.Command!.Bytes(0) is { } bytes)
            return bytes;
        Answer(read.Status is ReadStatus.Command ? new CommandRead(ReadStatus.Bad, null, "A string is expected here") : read);
        return null;
    }
}
