using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// \Seen is each user's own where accounts share mailboxes. A history of such a run is read as if it were a flag of another name for each of them: what a user stores and is told
/// as \Seen is that of his name, in all mailboxes, so that copies keep it; and he is told nothing of the others'.
/// </summary>
internal static class Perspectives
{
    private const string Seen = @"\Seen";

    /// <summary>The history as it is where nobody works in another's mailbox.</summary>
    public static IReadOnlyList<Operation> Of(IReadOnlyList<Operation> history) =>
        history.Any(WorksElsewhere) ? [.. history.Select(Named)] : history;

    /// <summary>Whether who did an operation is told of a flag at all.</summary>
    public static bool IsTold(string flag, Operation by) => !IsOwn(flag) || flag.Equals(Own(by.Account), StringComparison.OrdinalIgnoreCase);

    /// <summary>The flags of which users of both operations are told.</summary>
    public static FlagSet Common(FlagSet flags, Operation one, Operation other) =>
        one.Account == other.Account ? flags : new FlagSet(flags.Names.Where(static f => !IsOwn(f)));

    private static bool WorksElsewhere(Operation o) =>
        o.Seen.Any(s => s is SeenMessage told && told.In.Account != o.Account)
        || o.Act switch { Append act => act.Into, Store act => act.In, Replace act => act.Into, _ => (MailboxRef?)null } is { } changed && changed.Account != o.Account;

    private static bool IsOwn(string flag) => flag.StartsWith(Seen + "@", StringComparison.OrdinalIgnoreCase);

    private static string Own(string account) => $"{Seen}@{account}";

    private static Operation Named(Operation o)
    {
        FlagSet Map(FlagSet flags) => flags.Contains(Seen) ? new FlagSet(flags.Names.Select(f => f.Equals(Seen, StringComparison.OrdinalIgnoreCase) ? Own(o.Account) : f)) : flags;
        return o with
        {
            Act = o.Act switch
            {
                Store store => store with { Flags = Map(store.Flags) },
                Append append => append with { Messages = [.. append.Messages.Select(m => m with { Flags = Map(m.Flags) })] },
                Replace replace => replace with { Message = replace.Message with { Flags = Map(replace.Message.Flags) } },
                _ => o.Act,
            },
            Seen =
            [
                .. o.Seen.Select(s => s switch
                {
                    SeenMessage { Flags: { } flags } told => told with { Flags = Map(flags) },
                    SeenFlag told => told with { Flag = told.Flag.Equals(Seen, StringComparison.OrdinalIgnoreCase) ? Own(o.Account) : told.Flag },
                    _ => s,
                }),
            ],
        };
    }
}
