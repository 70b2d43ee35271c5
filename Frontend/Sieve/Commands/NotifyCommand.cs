using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>notify (RFC 5435 §3) by mailto (RFC 5436). Nothing is told of what is a machine's own notification (RFC 5436 §2.7).</summary>
internal sealed class NotifyCommand(Text method, Text? from, Text? importance, Text? message) : Statement
{
    public static NotifyCommand Make(Arguments arguments)
    {
        Text? from = arguments.String("from"), importance = arguments.String("importance"), message = arguments.String("message");
        // Options of other methods; mailto has none, and those that are not known are passed over (RFC 5435 §3.5).
        _ = arguments.Strings("options");
        if (importance?.Constant is { } level && level is not ("1" or "2" or "3"))
            throw Checker.At(arguments.Place, "':importance' is \"1\", \"2\" or \"3\"");
        arguments.Positional(1);
        Text method = arguments.NextString();
        if (method.Constant is { } uri && MailtoUri.Parse(uri) is null)
            throw Checker.At(arguments.Place, $"'{uri}' is no method that is known here: it must be a mailto URI with 1 to 8 recipients");
        return new NotifyCommand(method, from, importance, message);
    }

    public override ValueTask RunAsync(Run run)
    {
        MailtoUri uri = MailtoUri.Parse(method.Expand(run)) ?? throw new SieveFailure("notify: the method is no mailto URI");
        string? sender = from?.Expand(run);
        if (sender is { Length: > 0 } && Addresses.Valid(sender) is null)
            throw new SieveFailure("notify: ':from' is no address");
        int level = importance?.Expand(run) switch
        {
            "1" => 1,
            "3" => 3,
            _ => 2,
        };
        string? text = message?.Expand(run);
        if (run.Message.Header.Of("Auto-Submitted").Any(f => f.Value(run.Limits.FieldLength).StartsWith("auto-notified", StringComparison.OrdinalIgnoreCase)))
            return default;
        run.Add(new Notify(run.Header, uri, sender is { Length: > 0 } ? sender : null, level, text));
        return default;
    }
}
