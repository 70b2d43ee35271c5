using System.CommandLine;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Maintenance;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin cluster …</c></summary>
internal static class ClusterCommands
{
    // One that leaves clients room for as many restores again, and one far below the 63 bits of a modseq.
    private const long MaxUids = 1_000_000_000;
    private const long MaxModSeqs = 1L << 40;

    public static Command Create() => new("cluster", "The cluster as a whole.") { Restored() };

    private static Command Restored()
    {
        var uids = new Option<long>("--uids")
        {
            Description = "how far UIDs go ahead: more than any mailbox got new messages since the backup", DefaultValueFactory = _ => RestoreAhead.Default.Uids,
        };
        var modSeqs = new Option<long>("--modseqs")
        {
            Description = "how far modseqs go ahead: more than any mailbox was changed since the backup", DefaultValueFactory = _ => RestoreAhead.Default.ModSeqs,
        };
        var fromStart = new Option<bool>("--from-start") { Description = "begin anew where an earlier run was broken off: when the backup itself was made during one" };
        return AdminTarget.Command("restored",
            "Run once after PostgreSQL was restored from a backup, before any node starts: no UID, modseq, UIDVALIDITY or id of before is ever given out again.",
            [uids, modSeqs, fromStart], async (stores, parsed) =>
        {
            var ahead = new RestoreAhead(parsed.GetValue(uids), parsed.GetValue(modSeqs));
            if (ahead.Uids is < 1 or > MaxUids || ahead.ModSeqs is < 1 or > MaxModSeqs)
            {
                throw new OptionsException($"--uids is 1 to {MaxUids}, --modseqs 1 to {MaxModSeqs}.");
            }
            try
            {
                var moved = await new RestoredCluster(stores.Database).RunAsync(
                    ahead, parsed.GetValue(fromStart), p => Console.WriteLine($"{p.Accounts} accounts with {p.Mailboxes} mailboxes and {p.Messages} messages"), CancellationToken.None);
                Console.WriteLine(moved.Resumed ? "an earlier run was gone on with" : "done");
                Console.WriteLine($"moved: UIDNEXT and HIGHESTMODSEQ of {moved.Mailboxes} mailboxes, the modseqs of {moved.Messages} messages, epochs, the UIDVALIDITYs to come of {moved.Accounts} accounts, ids");
                Console.WriteLine("the members of the time of the backup are forgotten; nodes may start");
                return 0;
            }
            catch (NodesAliveException e)
            {
                return AdminTarget.Refuse(e.Message);
            }
        });
    }
}
