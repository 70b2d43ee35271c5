using System.Buffers;
using System.Text;
using MailCluster.Net;

namespace MailCluster.Mta;

/// <summary>What the services for mail servers have in common: long-lived connections of a few machines of ours, text in UTF-8, no greeting of theirs and no goodbye.</summary>
internal abstract class MtaSession(IConnection connection)
{
    /// <summary>Octets of a line. 64 KB: the largest response of a SASL mechanism in base64.</summary>
    protected const int MaxLineLength = 64 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    protected IConnection Connection => connection;

    public virtual async Task RunAsync()
    {
        // A mail server keeps a connection for each of its processes: limits for strangers don't concern it.
        connection.LoggedIn();
        while (await StepAsync())
        {
            if (connection.Output.ShouldFlush)
                await connection.Output.FlushAsync();
        }
    }

    /// <summary>Takes one request; false at the end of the connection.</summary>
    protected abstract ValueTask<bool> StepAsync();

    /// <summary>The next line; null where the connection is over, or has to be.</summary>
    protected async ValueTask<string?> ReadLineAsync()
    {
        // Idle ones are the mail server's to close: Postfix keeps them for minutes.
        InputLine line = await connection.ReadLineAsync(MaxLineLength, Timeout.InfiniteTimeSpan, maxSwallow: 0);
        if (line.Outcome != InputOutcome.Ok)
            return null;
        string? text = Decode(line.Text);
        connection.Input.AdvanceTo(line.End);
        return text;
    }

    /// <summary>Null for what is no UTF-8.</summary>
    protected static string? Decode(in ReadOnlySequence<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    protected void Write(string text) => Encoding.UTF8.GetBytes(text, connection.Output);
}
