using System.Security.Cryptography;
using System.Text;
using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>vacation (RFC 5230) with :seconds (RFC 6131).</summary>
internal sealed class VacationCommand : Statement
{
    private const int MaxDays = 365;

    private Text Reason { get; init; } = null!;

    private Text? Subject { get; init; }

    private Text? From { get; init; }

    private Text? Handle { get; init; }

    private IReadOnlyList<Text> Addresses { get; init; } = [];

    private bool Mime { get; init; }

    private long? Days { get; init; }

    private long? Seconds { get; init; }

    public static VacationCommand Make(Arguments arguments)
    {
        Text? from = arguments.String("from");
        if (from?.Constant is { } constant && Running.Addresses.Valid(constant) is null)
            throw Checker.At(arguments.Place, $"'{constant}' is no address");
        long? days = arguments.Number("days"), seconds = arguments.Number("seconds", "vacation-seconds");
        if (days is not null && seconds is not null)
            throw Checker.At(arguments.Place, "':days' and ':seconds' can't be combined");
        Text? subject = arguments.String("subject"), handle = arguments.String("handle");
        IReadOnlyList<Text> addresses = arguments.Strings("addresses") ?? [];
        bool mime = arguments.Flag("mime");
        arguments.Positional(1);
        return new VacationCommand
        {
            Reason = arguments.NextString(), Subject = subject, From = from, Handle = handle, Addresses = addresses, Mime = mime, Days = days, Seconds = seconds,
        };
    }

    public override ValueTask RunAsync(Run run)
    {
        string reason = Reason.Expand(run);
        string? subject = Subject?.Expand(run), from = From?.Expand(run), handle = Handle?.Expand(run);
        if (from is not null)
            from = Running.Addresses.Valid(from) ?? throw new SieveFailure("vacation: ':from' is no address");
        if (run.Actions.Any(static a => a is Vacation))
            throw new SieveFailure("vacation twice");
        // The fields of lists and recipients are looked through.
        run.Step(run.Message.Header.Octets * 4L);
        if (!AutomaticReply.IsDue(run, [.. Addresses.Select(a => a.Expand(run))]))
            return default;
        handle ??= Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{subject}\0{from}\0{Mime}\0{reason}")));
        run.Add(new Vacation(run.Message.Header, handle, Interval(run.Setting), run.Message.Recipient, subject, from, reason, Mime));
        return default;
    }

    /// <summary>Between what the site allows at least and a year (RFC 5230 §4.1, RFC 6131 §2); a week where nothing is said.</summary>
    private TimeSpan Interval(SieveSetting setting)
    {
        TimeSpan wanted = Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromDays(Math.Min(Days ?? 7, MaxDays));
        TimeSpan least = Seconds is null ? setting.VacationAtLeast : setting.VacationSecondsAtLeast;
        TimeSpan most = TimeSpan.FromDays(MaxDays);
        return wanted < least ? least : wanted > most ? most : wanted;
    }
}
