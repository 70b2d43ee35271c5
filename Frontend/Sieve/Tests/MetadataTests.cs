using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Tests;

/// <summary>metadata and servermetadata (RFC 5490 §3.4, §3.6): an annotation of a mailbox, or of the server, as its owner reads it. What does not exist matches nothing.</summary>
internal sealed class MetadataTest(Text? mailbox, Text entry, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static MetadataTest Make(Arguments arguments, bool server)
    {
        MatchSpec match = arguments.Match();
        arguments.Positional(server ? 2 : 3);
        Text? mailbox = server ? null : arguments.NextString();
        return new MetadataTest(mailbox, arguments.NextString(), arguments.NextStrings(), match);
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        run.Step(512);
        string? value = await run.Host.MetadataAsync(mailbox?.Expand(run), entry.Expand(run), run.Cancelled).ConfigureAwait(false);
        return match.Test(run, value is null ? [] : [value], keys);
    }
}

/// <summary>metadataexists and servermetadataexists (RFC 5490 §3.5, §3.7): all of them.</summary>
internal sealed class MetadataExists(Text? mailbox, IReadOnlyList<Text> entries) : Test
{
    public static MetadataExists Make(Arguments arguments, bool server)
    {
        arguments.Positional(server ? 1 : 2);
        Text? mailbox = server ? null : arguments.NextString();
        return new MetadataExists(mailbox, arguments.NextStrings());
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        foreach (Text entry in entries)
        {
            run.Step(512);
            if (await run.Host.MetadataAsync(mailbox?.Expand(run), entry.Expand(run), run.Cancelled).ConfigureAwait(false) is null)
                return false;
        }
        return true;
    }
}
