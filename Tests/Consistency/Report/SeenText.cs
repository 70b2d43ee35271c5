using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Report;

/// <summary>One line for what a client was told.</summary>
internal static class SeenText
{
    public static string Of(Seen seen) => seen switch
    {
        SeenMessage s => $"UID {s.Uid} of {s.In}: {Join(Item("mark", s.Mark), Item("flags", s.Flags), Item("modseq", s.ModSeq), s.Whole ? null : "octets differ")}",
        SeenAnnotations s => $"UID {s.Uid} of {s.In}: {string.Join(", ", s.Told)}",
        SeenAll s => $"all of {s.In}: {Uids(s.Uids)}",
        SeenFlag s => $"{s.Flag} in {s.In}: {Uids(s.Uids)}",
        SeenNews s => $"news of {s.In}: {Join(Item("UIDNEXT", s.UidNext), Item("HIGHESTMODSEQ", s.HighestModSeq))}",
        SeenCounts s => $"{s.Name} ({s.In}): {Join(Item("messages", s.Messages), Item("UIDNEXT", s.UidNext), Item("UIDVALIDITY", s.UidValidity), Item("HIGHESTMODSEQ", s.HighestModSeq), Item("unseen", s.Unseen))}",
        SeenGone s => $"gone from {s.In}: {Uids(s.Uids)}",
        SeenVanished s => $"vanished from {s.In} since {s.Since}: {Uids(s.Uids)}",
        SeenUsage s => $"usage of {s.Account}: {Join(Item("KB", s.StorageKilobytes), Item("messages", s.Messages))}",
        SeenBreach s => $"breach: {s.What}",
        _ => seen.ToString(),
    };

    private static string Uids(Contracts.UidSet uids)
    {
        string text = uids.IsEmpty ? "none" : uids.ToString();
        return text.Length <= 300 ? text : text[..300] + "…";
    }

    private static string? Item(string name, object? value) => value is null ? null : $"{name} {value}";

    private static string Join(params string?[] items) => string.Join(", ", items.Where(static i => i is not null));
}
