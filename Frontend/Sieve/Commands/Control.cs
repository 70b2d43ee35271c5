using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>stop (RFC 5228 §3.3).</summary>
internal sealed class Stop : Statement
{
    public static Stop Make(Arguments arguments)
    {
        arguments.Positional(0);
        return new Stop();
    }

    public override ValueTask RunAsync(Run run)
    {
        run.Flow = Flow.Stop;
        return default;
    }
}

/// <summary>keep (RFC 5228 §4.3), with :flags (RFC 5232 §5).</summary>
internal sealed class Keep(IReadOnlyList<Text>? flags) : Statement
{
    public static Keep Make(Arguments arguments)
    {
        var keep = new Keep(arguments.Strings("flags", "imap4flags"));
        arguments.Positional(0);
        return keep;
    }

    public override ValueTask RunAsync(Run run)
    {
        run.Add(new FileInto(run.Header, null, FlagNames.Of(run, flags)));
        return default;
    }
}

/// <summary>discard (RFC 5228 §4.4).</summary>
internal sealed class Discard : Statement
{
    public static Discard Make(Arguments arguments)
    {
        arguments.Positional(0);
        return new Discard();
    }

    public override ValueTask RunAsync(Run run)
    {
        run.ImplicitKeep = false;
        return default;
    }
}

/// <summary>reject and ereject (RFC 5429).</summary>
internal sealed class RejectCommand(Text reason, bool extended) : Statement
{
    public static RejectCommand Make(Arguments arguments, bool extended)
    {
        arguments.Positional(1);
        return new RejectCommand(arguments.NextString(), extended);
    }

    public override ValueTask RunAsync(Run run)
    {
        run.Add(new Reject(run.Message.Header, reason.Expand(run), extended));
        run.ImplicitKeep = false;
        return default;
    }
}

/// <summary>redirect (RFC 5228 §4.2), with :copy (RFC 3894).</summary>
internal sealed class RedirectCommand(Text address, bool copy) : Statement
{
    public static RedirectCommand Make(Arguments arguments)
    {
        bool copy = arguments.Flag("copy", "copy");
        arguments.Positional(1);
        Text address = arguments.NextString();
        if (address.Constant is { } known && Addresses.Valid(known) is null)
            throw Checker.At(arguments.Place, $"'{known}' is no address");
        return new RedirectCommand(address, copy);
    }

    public override ValueTask RunAsync(Run run)
    {
        string text = address.Expand(run);
        run.Add(new Redirect(run.Header, Addresses.Valid(text) ?? throw new SieveFailure($"redirect: '{text}' is no address")));
        run.ImplicitKeep &= copy;
        return default;
    }
}
