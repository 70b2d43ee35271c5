using System.Globalization;
using System.Text;

namespace MailCluster.ManageSieve.Wire;

/// <summary>A command with its arguments (RFC 5804 §4).</summary>
/// <param name="Verb">In capitals.</param>
internal sealed record SieveCommand(string Verb, IReadOnlyList<SieveArgument> Arguments)
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>An argument that is a string of UTF-8 without NUL; null where it is none.</summary>
    public string? Text(int index)
    {
        if (index >= Arguments.Count || !Arguments[index].IsString)
            return null;
        try
        {
            return Arguments[index].Bytes.Contains((byte)0) ? null : StrictUtf8.GetString(Arguments[index].Bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    public byte[]? Bytes(int index) => index < Arguments.Count && Arguments[index].IsString ? Arguments[index].Bytes : null;

    public long? Number(int index) => index < Arguments.Count && !Arguments[index].IsString
        && long.TryParse(Encoding.ASCII.GetString(Arguments[index].Bytes), NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= uint.MaxValue ? number : null;
}

/// <param name="IsString">Quoted, or a literal; otherwise a number.</param>
internal readonly record struct SieveArgument(byte[] Bytes, bool IsString);

internal enum ReadStatus : byte
{
    Command,

    /// <summary>It was no command; the next one begins behind it.</summary>
    Bad,

    /// <summary>A literal is larger than allowed; it was swallowed with the rest of its command.</summary>
    TooLarge,

    /// <summary>Nothing that makes sense: say BYE.</summary>
    Flood,
    TimedOut,

    /// <summary>The server shuts down, or has something to say.</summary>
    Interrupted,
    Closed,
}

internal readonly record struct CommandRead(ReadStatus Status, SieveCommand? Command, string Text = "");
