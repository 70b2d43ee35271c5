using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Tests;

/// <summary>The fields that tests of the header look at, by name and, where a script says so, by number (RFC 5260 §6).</summary>
internal sealed class Fields(IReadOnlyList<Text> names, int? index)
{
    public IEnumerable<HeaderField> Of(Run run)
    {
        foreach (Text name in names)
        {
            string wanted = name.Expand(run);
            run.Step(run.Header.Fields.Count);
            if (index is not { } number)
            {
                foreach (HeaderField field in run.Header.Of(wanted))
                    yield return field;
                continue;
            }
            HeaderField[] all = [.. run.Header.Of(wanted)];
            int at = number > 0 ? number - 1 : all.Length + number;
            if (at >= 0 && at < all.Length)
                yield return all[at];
        }
    }

    public static void Check(Arguments arguments, IEnumerable<Text> names)
    {
        if (names.FirstOrDefault(static n => n.Constant is { } c && !Commands.FieldNames.IsOne(c)) is { } wrong)
            throw Checker.At(arguments.Place, $"'{wrong.Constant}' is no name of a header field");
    }
}

/// <summary>header (RFC 5228 §5.7).</summary>
internal sealed class HeaderTest(Fields fields, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static HeaderTest Make(Arguments arguments)
    {
        int? index = arguments.FieldIndex("index");
        MatchSpec match = arguments.Match();
        arguments.Positional(2);
        IReadOnlyList<Text> names = arguments.NextStrings();
        Fields.Check(arguments, names);
        return new HeaderTest(new Fields(names, index), arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(match.Test(run, fields.Of(run).Select(f => f.Value(run.Limits.FieldLength)), keys));
}

/// <summary>exists (RFC 5228 §5.5): each of them.</summary>
internal sealed class Exists(IReadOnlyList<Text> names) : Test
{
    public static Exists Make(Arguments arguments)
    {
        arguments.Positional(1);
        IReadOnlyList<Text> names = arguments.NextStrings();
        Fields.Check(arguments, names);
        return new Exists(names);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        run.Step(names.Count * (long)run.Header.Fields.Count);
        return new(names.All(n => run.Header.Of(n.Expand(run)).Any()));
    }
}

/// <summary>size (RFC 5228 §5.9).</summary>
internal sealed class SizeTest(long limit, bool over) : Test
{
    public static SizeTest Make(Arguments arguments)
    {
        bool over = arguments.Flag("over"), under = arguments.Flag("under");
        if (over == under)
            throw Checker.At(arguments.Place, "'size' takes one of ':over' and ':under'");
        arguments.Positional(1);
        return new SizeTest(arguments.NextNumber(), over);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(over ? run.Message.Size > limit : run.Message.Size < limit);
}

/// <summary>address (RFC 5228 §5.1).</summary>
internal sealed class AddressTest(Fields fields, IReadOnlyList<Text> keys, AddressPart part, MatchSpec match) : Test
{
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "From", "To", "Cc", "Bcc", "Sender", "Reply-To", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender", "Resent-Reply-To", "Return-Path",
        "Delivered-To", "X-Original-To", "Envelope-To", "Envelope-From", "Apparently-To", "Mail-Followup-To", "Mail-Reply-To", "Disposition-Notification-To",
        "Return-Receipt-To", "Errors-To", "Approved", "X-Apparently-To", "X-Delivered-To", "X-Envelope-To", "X-Envelope-From",
    };

    public static AddressTest Make(Arguments arguments)
    {
        int? index = arguments.FieldIndex("index");
        AddressPart part = arguments.AddressPart();
        MatchSpec match = arguments.Match();
        arguments.Positional(2);
        IReadOnlyList<Text> names = arguments.NextStrings();
        // RFC 5228 §5.1: only fields that have addresses.
        if (names.FirstOrDefault(static n => n.Constant is { } c && !Known.Contains(c)) is { } wrong)
            throw Checker.At(arguments.Place, $"'{wrong.Constant}' is no header field of addresses");
        return new AddressTest(new Fields(names, index), arguments.NextStrings(), part, match);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(match.Test(
        run,
        fields.Of(run).SelectMany(f => ListOf(run, f)).Select(a => Addresses.Part(a, part)).OfType<string>(),
        keys));

    private static IReadOnlyList<string> ListOf(Run run, HeaderField field)
    {
        byte[] text = field.Unfolded(run.Limits.FieldLength);
        run.Step(text.Length * 4L);
        return Addresses.Of(text);
    }
}

/// <summary>envelope (RFC 5228 §5.4): "from" and "to".</summary>
internal sealed class EnvelopeTest(IReadOnlyList<Text> parts, IReadOnlyList<Text> keys, AddressPart part, MatchSpec match) : Test
{
    public static EnvelopeTest Make(Arguments arguments)
    {
        AddressPart part = arguments.AddressPart();
        MatchSpec match = arguments.Match();
        arguments.Positional(2);
        IReadOnlyList<Text> parts = arguments.NextStrings();
        if (parts.FirstOrDefault(static p => p.Constant is { } c && c.ToLowerInvariant() is not ("from" or "to")) is { } wrong)
            throw Checker.At(arguments.Place, $"the envelope has no part '{wrong.Constant}' here");
        return new EnvelopeTest(parts, arguments.NextStrings(), part, match);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(match.Test(
        run,
        parts.Select(p => p.Expand(run).ToLowerInvariant()).Select(p => p switch
        {
            "from" => run.Message.Sender,
            "to" => run.Message.Recipient,
            _ => null,
        }).OfType<string>().Select(a => Addresses.Part(a, part)).OfType<string>(),
        keys));
}
