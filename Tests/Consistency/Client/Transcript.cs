using System.Diagnostics;
using System.Text;

namespace MailCluster.Consistency.Client;

/// <summary>The last 64 KB or so of a conversation, as lines "seconds S: …". Thread-safe.</summary>
internal sealed class Transcript
{
    private const int Bound = 64 * 1024;
    private const int LongestLine = 1000;

    private static readonly long Start = Stopwatch.GetTimestamp();

    // Latin-1 octets: half of what strings take, for thousands of sessions.
    private readonly Queue<byte[]> _lines = [];
    private readonly Lock _gate = new();
    private int _size;

    /// <summary>Seconds since the program's start, as transcripts show them.</summary>
    public static double Seconds(long ticks) => Stopwatch.GetElapsedTime(Start, ticks).TotalSeconds;

    public void Client(string line) => Add("C: ", line);

    public void Server(string line) => Add("S: ", line);

    /// <summary>Something that neither said: the end of the connection, a breach.</summary>
    public void Note(string line) => Add("-- ", line);

    public override string ToString()
    {
        lock (_gate)
            return string.Join('\n', _lines.Select(Encoding.Latin1.GetString));
    }

    private void Add(string who, string line)
    {
        string shown = line.Length > LongestLine ? line[..LongestLine] + "..." : line;
        byte[] octets = Encoding.Latin1.GetBytes($"{Seconds(Stopwatch.GetTimestamp()),9:F3} {who}{shown.Replace("\r\n", "|")}");
        lock (_gate)
        {
            _lines.Enqueue(octets);
            _size += octets.Length;
            while (_size > Bound)
                _size -= _lines.Dequeue().Length;
        }
    }
}
