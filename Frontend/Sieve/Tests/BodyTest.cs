using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Tests;

internal enum BodyTransform : byte
{
    /// <summary>All text parts, decoded.</summary>
    Text,

    /// <summary>Parts of certain types, decoded.</summary>
    Content,

    /// <summary>What is behind the header, as it is.</summary>
    Raw,
}

/// <summary>body (RFC 5173): of the message's first <see cref="SieveLimits.BodyOctets"/>.</summary>
internal sealed class BodyTest(BodyTransform transform, IReadOnlyList<Text> types, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static BodyTest Make(Arguments arguments)
    {
        bool raw = arguments.Flag("raw"), text = arguments.Flag("text");
        IReadOnlyList<Text>? content = arguments.Strings("content");
        if ((raw ? 1 : 0) + (text ? 1 : 0) + (content is null ? 0 : 1) > 1)
            throw Checker.At(arguments.Place, "one of ':raw', ':content' and ':text'");
        MatchSpec match = arguments.Match();
        arguments.Positional(1);
        return new BodyTest(raw ? BodyTransform.Raw : content is null ? BodyTransform.Text : BodyTransform.Content, content ?? [], arguments.NextStrings(), match);
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        run.Parts ??= MessageParts.Of(await run.Host.ReadAsync(run.Limits.BodyOctets, run.Cancelled).ConfigureAwait(false));
        IEnumerable<string> values = transform switch
        {
            BodyTransform.Raw => [run.Parts.Raw],
            BodyTransform.Text => run.Parts.Texts(["text"]),
            _ => run.Parts.Texts([.. types.Select(t => t.Expand(run).ToLowerInvariant())]),
        };
        // What a body test finds is not kept for ${1} (RFC 5173 §6).
        List<string> before = run.Scope.Matched;
        bool found = match.Test(run, values, keys);
        run.Scope.Matched = before;
        return found;
    }
}
