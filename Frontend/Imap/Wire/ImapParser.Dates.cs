using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>
/// A date-time as the client wrote it (RFC 9051 date-time): the clock on the wall and its zone in minutes east of UTC. A DateTimeOffset cannot
/// hold the first hours of year 1, and a mail's date must never fail.
/// </summary>
public readonly record struct WireDateTime(DateTime Local, int ZoneMinutes)
{
    static readonly DateTime Earliest = new(1970, 1, 1);

    // A day before the end, so that no zone leads behind it.
    static readonly DateTime Latest = new(9999, 12, 30);

    /// <summary>The moment, with its zone. What lies before 1970 becomes the start of 1970, the last two days of 9999 become one.</summary>
    public DateTimeOffset ToDateTimeOffset()
    {
        var zone = TimeSpan.FromMinutes(ZoneMinutes);
        var ticks = Math.Clamp(Local.Ticks - zone.Ticks, Earliest.Ticks, Latest.Ticks);
        return new DateTimeOffset(ticks, TimeSpan.Zero).ToOffset(zone);
    }
}

public ref partial struct ImapParser
{
    /// <summary>date: d-Mon-yyyy, quoted or not. Year 0 is taken as 1, which no mail can tell apart.</summary>
    public DateOnly Date()
    {
        var quoted = TrySkip((byte)'"');
        var (year, month, day) = DayMonthYear();
        if (quoted)
        {
            Skip((byte)'"', "the end of a quoted date");
        }
        return new DateOnly(year, month, day);
    }

    /// <summary>date-time: "dd-Mon-yyyy hh:mm:ss +zzzz", in quotes. A leap second is taken as second 59.</summary>
    public WireDateTime DateTime()
    {
        Skip((byte)'"', "a date-time");
        TrySkip((byte)' ');
        var (year, month, day) = DayMonthYear();
        Space();
        var hour = Digits(2, 23, "an hour");
        Skip((byte)':', "a colon");
        var minute = Digits(2, 59, "a minute");
        Skip((byte)':', "a colon");
        var second = Math.Min(Digits(2, 60, "a second"), 59);
        Space();
        var sign = TrySkip((byte)'-') ? -1 : 1;
        if (sign > 0)
        {
            Skip((byte)'+', "a zone");
        }
        var zone = (Digits(2, 14, "a zone") * 60) + Digits(2, 59, "a zone");
        if (zone > 14 * 60)
        {
            Fail("Expected a zone");
        }
        Skip((byte)'"', "the end of a quoted date-time");
        return new WireDateTime(new DateTime(year, month, day, hour, minute, second), sign * zone);
    }

    (int Year, int Month, int Day) DayMonthYear()
    {
        var day = (int)Math.Min(Number("a date"), 99);
        Skip((byte)'-', "a date");
        var month = Month();
        Skip((byte)'-', "a date");
        var year = Math.Max(1, Digits(4, 9999, "a year"));
        if (day < 1 || day > System.DateTime.DaysInMonth(year, month))
        {
            Fail("That day does not exist");
        }
        return (year, month, day);
    }

    int Month()
    {
        if (Rest.Length >= 3)
        {
            for (var month = 0; month < 12; month++)
            {
                if (Ascii.EqualsIgnoreCase(Rest[..3], WireDates.Months.Slice(month * 3, 3)))
                {
                    _at += 3;
                    return month + 1;
                }
            }
        }
        Fail("Expected a month");
        return 0;
    }

    int Digits(int count, int max, string expected)
    {
        var value = 0;
        for (var i = 0; i < count; i++, _at++)
        {
            if (AtEnd || (uint)(_input[_at] - '0') > 9)
            {
                Fail("Expected " + expected);
            }
            value = (value * 10) + (_input[_at] - '0');
        }
        if (value > max)
        {
            Fail("Expected " + expected);
        }
        return value;
    }
}

static class WireDates
{
    public static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;
}
