using System.Globalization;
using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;
using MimeKit.Utils;

namespace MailCluster.Sieve.Tests;

/// <summary>date (RFC 5260 §4).</summary>
internal sealed class DateTest(Fields fields, DatePart part, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static DateTest Make(Arguments arguments)
    {
        int? index = arguments.FieldIndex("index");
        DatePart part = DatePart.Zone(arguments, original: true);
        MatchSpec match = arguments.Match();
        arguments.Positional(3);
        Text name = arguments.NextString();
        Fields.Check(arguments, [name]);
        part = part.Named(arguments);
        return new DateTest(new Fields([name], index), part, arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        string? value = null;
        // The first field that has a date (RFC 5260 §4).
        foreach (HeaderField field in fields.Of(run))
        {
            // What is behind the last semicolon, as in Received.
            ReadOnlySpan<byte> raw = field.Unfolded(run.Limits.FieldLength);
            run.Step(raw.Length);
            int semicolon = raw.LastIndexOf((byte)';');
            if (DateUtils.TryParse(raw[(semicolon + 1)..].ToArray(), out DateTimeOffset date))
            {
                value = part.Of(run, date);
                break;
            }
        }
        return new(match.Test(run, value is null ? [] : [value], keys));
    }
}

/// <summary>currentdate (RFC 5260 §5): when the message came in.</summary>
internal sealed class CurrentDate(DatePart part, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static CurrentDate Make(Arguments arguments)
    {
        DatePart part = DatePart.Zone(arguments, original: false);
        MatchSpec match = arguments.Match();
        arguments.Positional(2);
        part = part.Named(arguments);
        return new CurrentDate(part, arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(match.Test(run, part.Of(run, run.Message.Received) is { } value ? [value] : [], keys));
}

/// <summary>A part of a date in a zone (RFC 5260 §4.2).</summary>
internal sealed record DatePart(Text? TimeZone, bool Original, string Name)
{
    private static readonly HashSet<string> Known = ["year", "month", "day", "date", "julian", "hour", "minute", "second", "time", "iso8601", "std11", "zone", "weekday"];

    /// <summary>:zone and :originalzone; the server's zone otherwise, which is UTC.</summary>
    public static DatePart Zone(Arguments arguments, bool original)
    {
        Text? zone = arguments.String("zone");
        bool asWritten = original && arguments.Flag("originalzone");
        if (zone is not null && asWritten)
            throw Checker.At(arguments.Place, "':zone' and ':originalzone' can't be combined");
        if (zone?.Constant is { } constant && Offset(constant) is null)
            throw Checker.At(arguments.Place, $"'{constant}' is no zone like \"+0100\"");
        return new DatePart(zone, asWritten, "");
    }

    public DatePart Named(Arguments arguments)
    {
        string name = arguments.NextConstant().ToLowerInvariant();
        return Known.Contains(name) ? this with { Name = name } : throw Checker.At(arguments.Place, $"'{name}' is no part of a date");
    }

    public string? Of(Run run, DateTimeOffset date)
    {
        TimeSpan? offset = Original ? date.Offset : TimeZone is null ? TimeSpan.Zero : Offset(TimeZone.Expand(run));
        if (offset is not { } zone)
            return null;
        try
        {
            date = date.ToOffset(zone);
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;
        }
        string sign = $"{(zone < TimeSpan.Zero ? "-" : "+")}{zone:hh}";
        return Name switch
        {
            "year" => date.ToString("yyyy", CultureInfo.InvariantCulture),
            "month" => date.ToString("MM", CultureInfo.InvariantCulture),
            "day" => date.ToString("dd", CultureInfo.InvariantCulture),
            "date" => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            // Days since 17 November 1858 (Modified Julian Day).
            "julian" => ((int)Math.Floor((date.Date - new DateTime(1858, 11, 17)).TotalDays)).ToString(CultureInfo.InvariantCulture),
            "hour" => date.ToString("HH", CultureInfo.InvariantCulture),
            "minute" => date.ToString("mm", CultureInfo.InvariantCulture),
            "second" => date.ToString("ss", CultureInfo.InvariantCulture),
            "time" => date.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
            "iso8601" => date.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + $"{sign}:{zone:mm}",
            "std11" => date.ToString("ddd, dd MMM yyyy HH:mm:ss ", CultureInfo.InvariantCulture) + $"{sign}{zone:mm}",
            "zone" => $"{sign}{zone:mm}",
            _ => ((int)date.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        };
    }

    /// <summary>To 14 hours from UTC, which is as far as any zone is.</summary>
    private static TimeSpan? Offset(string zone) =>
        zone is ['+' or '-', _, _, _, _] && int.TryParse(zone.AsSpan(1, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int hours)
            && int.TryParse(zone.AsSpan(3, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int minutes) && minutes < 60 && (hours * 60) + minutes <= 14 * 60
            ? new TimeSpan(hours, minutes, 0) * (zone[0] == '-' ? -1 : 1) : null;
}
