using System.Security.Cryptography;
using System.Text;
using MailCluster.Sieve.Commands;
using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Tests;

/// <summary>mailboxexists (RFC 5490 §3.1): all of them.</summary>
internal sealed class MailboxExists(IReadOnlyList<Text> names) : Test
{
    public static MailboxExists Make(Arguments arguments)
    {
        arguments.Positional(1);
        return new MailboxExists(arguments.NextStrings());
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        foreach (Text name in names)
        {
            run.Step(512);
            if (!await run.Host.MailboxExistsAsync(name.Expand(run), run.Cancelled).ConfigureAwait(false))
                return false;
        }
        return true;
    }
}

/// <summary>mailboxidexists (RFC 9042 §4): all of them.</summary>
internal sealed class MailboxIdExists(IReadOnlyList<Text> ids) : Test
{
    public static MailboxIdExists Make(Arguments arguments)
    {
        arguments.Positional(1);
        return new MailboxIdExists(arguments.NextStrings());
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        foreach (Text id in ids)
        {
            run.Step(512);
            if (!await run.Host.MailboxIdExistsAsync(id.Expand(run), run.Cancelled).ConfigureAwait(false))
                return false;
        }
        return true;
    }
}

/// <summary>specialuse_exists (RFC 8579 §3): some mailbox has each use, or the named one has all.</summary>
internal sealed class SpecialUseExists(Text? mailbox, IReadOnlyList<Text> uses) : Test
{
    public static SpecialUseExists Make(Arguments arguments)
    {
        arguments.Positional(1, 2);
        Text? mailbox = arguments.Left == 2 ? arguments.NextString() : null;
        return new SpecialUseExists(mailbox, arguments.NextStrings());
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        foreach (Text use in uses)
        {
            run.Step(512);
            string wanted = use.Expand(run);
            if (!SpecialUses.IsOne(wanted) || !await run.Host.SpecialUseExistsAsync(mailbox?.Expand(run), wanted, run.Cancelled).ConfigureAwait(false))
                return false;
        }
        return true;
    }
}

/// <summary>duplicate (RFC 7352): whether an earlier message had the same Message-ID, field or value.</summary>
internal sealed class DuplicateTest(Text? handle, Text? field, Text? uniqueId, long seconds, bool last) : Test
{
    private const long WeekSeconds = 7 * 86_400;

    private const long MaxSeconds = 30 * 86_400;

    public static DuplicateTest Make(Arguments arguments)
    {
        Text? handle = arguments.String("handle"), field = arguments.String("header"), unique = arguments.String("uniqueid");
        if (field is not null && unique is not null)
            throw Checker.At(arguments.Place, "':header' and ':uniqueid' can't be combined");
        if (field?.Constant is { } name && !FieldNames.IsOne(name))
            throw Checker.At(arguments.Place, $"'{name}' is no name of a header field");
        long seconds = arguments.Number("seconds") ?? WeekSeconds;
        bool last = arguments.Flag("last");
        arguments.Positional(0);
        return new DuplicateTest(handle, field, unique, Math.Clamp(seconds, 1, MaxSeconds), last);
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        run.Step(512);
        string name = field?.Expand(run) ?? "Message-ID";
        string? id = uniqueId is not null ? uniqueId.Expand(run) : run.Header.Of(name).FirstOrDefault()?.Value(run.Limits.FieldLength);
        // A message without the field is no duplicate (RFC 7352 §3.1).
        if (string.IsNullOrEmpty(id))
            return false;
        // The kind of id is part of it: "a" of a header field is not "a" of a value (RFC 7352 §3.1).
        string mark = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{(uniqueId is not null ? "v" : "h" + name.ToLowerInvariant())}\0{handle?.Expand(run)}\0{id}")))[..32];
        bool known = await run.Host.IsMarkedAsync(mark, run.Cancelled).ConfigureAwait(false);
        // With :last each sighting begins the time anew; without it only the first (RFC 7352 §3.3).
        if ((!known || last) && run.Marks.All(m => m.Mark != mark))
        {
            if (run.Marks.Count >= run.Limits.Actions)
                throw new SieveFailure($"more than {run.Limits.Actions} tests for duplicates");
            run.Marks.Add(new DuplicateMark(mark, TimeSpan.FromSeconds(seconds)));
        }
        return known;
    }
}
