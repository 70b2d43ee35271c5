using System.Buffers;
using System.Globalization;
using System.Text;
using MailCluster.Net;

namespace MailCluster.ManageSieve.Wire;

/// <summary>
/// Takes commands from a connection: lines with quoted strings and numbers, and literals, which nobody waits to be asked for (RFC 5804 §4, literal-c2s). Memory is bounded
/// by the largest literal and the longest line.
/// </summary>
internal sealed class CommandReader(IConnection connection, int maxLine)
{
    private const int MaxArguments = 4;

    private const int MaxVerb = 32;

    /// <param name="maxLiteral">Octets of all literals of a command.</param>
    /// <param name="timeLeft">Asked before each wait: a log-in has one time for all that comes.</param>
    public ValueTask<CommandRead> ReadAsync(int maxLiteral, Func<TimeSpan> timeLeft) => ReadAsync(new LineParser(null), maxLiteral, timeLeft);

    /// <summary>A line that is a string and no command: the answer to a challenge. It is the command's first argument.</summary>
    public ValueTask<CommandRead> ReadStringAsync(int maxLiteral, Func<TimeSpan> timeLeft) => ReadAsync(new LineParser(""), maxLiteral, timeLeft);

    private async ValueTask<CommandRead> ReadAsync(LineParser line, int maxLiteral, Func<TimeSpan> timeLeft)
    {
        int left = maxLiteral;
        bool tooLarge = false;
        while (true)
        {
            InputLine input = await connection.ReadLineAsync(maxLine, timeLeft()).ConfigureAwait(false);
            if (input.Outcome != InputOutcome.Ok)
                return new CommandRead(StatusOf(input.Outcome), null, "The line is too long");
            long? literal = line.Parse(input.Text);
            connection.Input.AdvanceTo(input.End);
            if (line.Error is { } error && literal is null)
                return new CommandRead(ReadStatus.Bad, null, error);
            if (literal is not { } octets)
                return tooLarge ? new CommandRead(ReadStatus.TooLarge, line.Command) : new CommandRead(ReadStatus.Command, line.Command);
            if (octets > (long)maxLiteral * 4 + 1024 * 1024)
                return new CommandRead(ReadStatus.Flood, null, "The literal is too large");
            // What is too large, or belongs to a line that is wrong, is read over.
            bool keep = octets <= left && line.Error is null;
            tooLarge |= octets > left;
            left -= keep ? (int)octets : 0;
            byte[] bytes = keep ? new byte[octets] : [];
            if (await FillAsync(bytes, octets, timeLeft).ConfigureAwait(false) is { } ended)
                return new CommandRead(ended, null);
            line.Add(bytes);
        }
    }

    private async ValueTask<ReadStatus?> FillAsync(byte[] bytes, long octets, Func<TimeSpan> timeLeft)
    {
        for (long at = 0; at < octets;)
        {
            InputBytes input = await connection.ReadAsync(timeLeft()).ConfigureAwait(false);
            if (input.Outcome != InputOutcome.Ok)
                return StatusOf(input.Outcome);
            ReadOnlySequence<byte> part = input.Buffer.Slice(0, Math.Min(octets - at, input.Buffer.Length));
            if (bytes.Length > 0)
                part.CopyTo(bytes.AsSpan((int)at));
            at += part.Length;
            connection.Input.AdvanceTo(part.End);
        }
        return null;
    }

    private static ReadStatus StatusOf(InputOutcome outcome) => outcome switch
    {
        InputOutcome.TooLong => ReadStatus.Bad,
        InputOutcome.Flood => ReadStatus.Flood,
        InputOutcome.TimedOut => ReadStatus.TimedOut,
        InputOutcome.Closed => ReadStatus.Closed,
        _ => ReadStatus.Interrupted,
    };

    /// <summary>A command while its lines come.</summary>
    private sealed class LineParser(string? verb)
    {
        private readonly List<SieveArgument> _arguments = [];
        private string? _verb = verb;
        private bool _spaced = verb is not null;

        public string? Error { get; private set; }

        public SieveCommand Command => new(_verb!, _arguments);

        public void Add(byte[] literal) => Add(new SieveArgument(literal, true));

        /// <summary>Takes a line, or what is behind a literal; not null: it ends with a literal of so many octets.</summary>
        public long? Parse(ReadOnlySequence<byte> text)
        {
            ReadOnlySpan<byte> line = text.IsSingleSegment ? text.FirstSpan : text.ToArray();
            int at = 0;
            if (_verb is null)
            {
                while (at < line.Length && (char.IsAsciiLetter((char)line[at]) || line[at] == '-'))
                    at++;
                _verb = Encoding.ASCII.GetString(line[..Math.Min(at, MaxVerb)]).ToUpperInvariant();
                if (at == 0 || at > MaxVerb)
                    return Fail("A command is expected", line);
            }
            for (; at < line.Length; _spaced = false)
            {
                if (line[at] != ' ' && !_spaced)
                    return Fail("A space is expected between arguments", line);
                while (at < line.Length && line[at] == ' ')
                    at++;
                if (at == line.Length)
                    break;
                switch (line[at])
                {
                    case (byte)'"':
                        if (!Quoted(line, ref at))
                            return Fail("A string does not end", line);
                        break;
                    case >= (byte)'0' and <= (byte)'9':
                        int start = at;
                        while (at < line.Length && char.IsAsciiDigit((char)line[at]))
                            at++;
                        Add(new SieveArgument(line[start..at].ToArray(), false));
                        break;
                    case (byte)'{':
                        return Literal(line[at..]) ?? Fail("A literal is expected here: {octets+} at the end of the line", default);
                    default:
                        return Fail("A string or a number is expected", line);
                }
            }
            return null;
        }

        /// <summary>A wrong line may announce a literal, too, which is no command.</summary>
        private long? Fail(string error, ReadOnlySpan<byte> line)
        {
            Error ??= error;
            int brace = line.LastIndexOf((byte)'{');
            return brace >= 0 ? Literal(line[brace..]) : null;
        }

        private void Add(SieveArgument argument)
        {
            if (_arguments.Count >= MaxArguments)
                Error ??= "Too many arguments";
            else
                _arguments.Add(argument);
        }

        private bool Quoted(ReadOnlySpan<byte> line, ref int at)
        {
            var bytes = new List<byte>();
            for (at++; at < line.Length; at++)
            {
                if (line[at] == '"')
                {
                    at++;
                    Add(new SieveArgument([.. bytes], true));
                    return true;
                }
                if (line[at] == '\\' && at + 1 < line.Length)
                    at++;
                bytes.Add(line[at]);
            }
            return false;
        }

        private static long? Literal(ReadOnlySpan<byte> text)
        {
            if (text.Length < 3 || text[^1] != '}')
                return null;
            ReadOnlySpan<byte> digits = text[1..^1];
            if (digits[^1] == '+')
                digits = digits[..^1];
            return digits.Length is > 0 and <= 10 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long octets) ? octets : null;
        }
    }
}
