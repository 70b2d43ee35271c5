using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>fileinto (RFC 5228 §4.1) with :copy (RFC 3894), :flags (RFC 5232), :create (RFC 5490), :mailboxid (RFC 9042), :specialuse (RFC 8579).</summary>
internal sealed class FileIntoCommand(Text mailbox, IReadOnlyList<Text>? flags, bool copy, bool create, Text? id, Text? use) : Statement
{
    public static FileIntoCommand Make(Arguments arguments)
    {
        bool copy = arguments.Flag("copy", "copy");
        bool create = arguments.Flag("create", "mailbox");
        IReadOnlyList<Text>? flags = arguments.Strings("flags", "imap4flags");
        Text? id = arguments.String("mailboxid", "mailboxid");
        Text? use = arguments.String("specialuse", "special-use");
        if (id is not null && use is not null)
            throw Checker.At(arguments.Place, "':mailboxid' and ':specialuse' can't be combined");
        if (use?.Constant is { } constant && !SpecialUses.IsOne(constant))
            throw Checker.At(arguments.Place, $"'{constant}' is no special use");
        arguments.Positional(1);
        return new FileIntoCommand(arguments.NextString(), flags, copy, create, id, use);
    }

    public override ValueTask RunAsync(Run run)
    {
        string? special = use?.Expand(run);
        if (special is not null && !SpecialUses.IsOne(special))
            throw new SieveFailure($"fileinto: '{special}' is no special use");
        run.Add(new FileInto(run.Header, mailbox.Expand(run), FlagNames.Of(run, flags)) { Create = create, MailboxId = id?.Expand(run), SpecialUse = special });
        run.ImplicitKeep &= copy;
        return default;
    }
}

internal static class SpecialUses
{
    /// <summary>"\Junk": a backslash and a name.</summary>
    public static bool IsOne(string use) => use.Length > 1 && use[0] == '\\' && use.AsSpan(1).IndexOfAnyExceptInRange('A', 'z') < 0;
}
