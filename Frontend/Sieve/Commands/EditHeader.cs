using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>addheader (RFC 5293 §4).</summary>
internal sealed class AddHeader(Text name, Text value, bool last) : Statement
{
    public static AddHeader Make(Arguments arguments)
    {
        bool last = arguments.Flag("last");
        arguments.Positional(2);
        Text name = arguments.NextString();
        if (name.Constant is { } constant && !FieldNames.IsOne(constant))
            throw Checker.At(arguments.Place, $"'{constant}' is no name of a header field");
        return new AddHeader(name, arguments.NextString(), last);
    }

    public override ValueTask RunAsync(Run run)
    {
        string field = name.Expand(run);
        if (!FieldNames.IsOne(field))
            throw new SieveFailure($"addheader: '{field}' is no name of a header field");
        run.Header = run.Header.Add(HeaderField.Make(field, value.Expand(run)), last);
        run.Step(run.Header.Fields.Count);
        return default;
    }
}

/// <summary>deleteheader (RFC 5293 §5). Received and Auto-Submitted stay: what stops loops is not a script's to take away (§6).</summary>
internal sealed class DeleteHeader(Text name, IReadOnlyList<Text>? patterns, MatchSpec match, int? index) : Statement
{
    public static DeleteHeader Make(Arguments arguments)
    {
        int? index = arguments.FieldIndex("editheader");
        MatchSpec match = arguments.Match();
        arguments.Positional(1, 2);
        Text name = arguments.NextString();
        if (name.Constant is { } constant && !FieldNames.IsOne(constant))
            throw Checker.At(arguments.Place, $"'{constant}' is no name of a header field");
        return new DeleteHeader(name, arguments.Left > 0 ? arguments.NextStrings() : null, match, index);
    }

    public override ValueTask RunAsync(Run run)
    {
        string field = name.Expand(run);
        if (!FieldNames.IsOne(field))
            throw new SieveFailure($"deleteheader: '{field}' is no name of a header field");
        if (field.Equals("Received", StringComparison.OrdinalIgnoreCase) || field.Equals("Auto-Submitted", StringComparison.OrdinalIgnoreCase))
            return default;
        HeaderField[] all = [.. run.Header.Of(field)];
        if (index is { } number)
        {
            int at = number > 0 ? number - 1 : all.Length + number;
            all = at >= 0 && at < all.Length ? [all[at]] : [];
        }
        if (match.Type == MatchKind.Count && patterns is not null)
        {
            // The number of all of them decides about all (RFC 5293 §5).
            if (!match.Test(run, all.Select(static _ => ""), patterns))
                return default;
        }
        else if (patterns is not null)
            all = [.. all.Where(f => match.Test(run, [f.Value(run.Limits.FieldLength)], patterns))];
        run.Step(run.Header.Fields.Count);
        run.Header = run.Header.Remove(all.ToHashSet<HeaderField>(ReferenceEqualityComparer.Instance));
        return default;
    }
}

internal static class FieldNames
{
    /// <summary>RFC 5322 §2.2.</summary>
    public static bool IsOne(string name) => name.Length is > 0 and <= 100 && name.All(static c => c is > ' ' and < '\x7f' and not ':');
}
