using System.Text;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>
/// Messages whose octets follow from their mark, so that what comes back can be compared without keeping anything. A mark is
/// "seed-client-number-octets", with "d" at its end where it is delivered by LMTP: the server puts header lines before those.
/// </summary>
internal sealed class Marks(int seed, int client)
{
    private int _last;

    public NewMessage Next(int octets, FlagSet flags, bool isDelivered = false)
    {
        string mark = $"{seed}-{client}-{++_last}-{octets}{(isDelivered ? "d" : "")}";
        return new NewMessage(mark, flags, octets);
    }

    /// <summary>A text that nobody has set before.</summary>
    public string NextValue() => $"{client}-{++_last}";

    public static byte[] OctetsOf(NewMessage message) => Octets(message.Mark, message.Size);

    /// <summary>Whether these are the octets of the mark in their header; true for messages that are not ours.</summary>
    public static bool AreRight(byte[] octets)
    {
        int end = octets.AsSpan().IndexOf("\r\n\r\n"u8);
        string mark = FetchItems.MarkIn(Encoding.Latin1.GetString(octets, 0, end < 0 ? octets.Length : end));
        if (mark.Length == 0)
            return true;
        bool isDelivered = mark.EndsWith('d');
        if (!int.TryParse(mark.TrimEnd('d')[(mark.LastIndexOf('-') + 1)..], out int size))
            return true;
        byte[] stored = Octets(mark, size);
        return isDelivered ? octets.AsSpan().EndsWith(stored) : octets.AsSpan().SequenceEqual(stored);
    }

    private static byte[] Octets(string mark, int size)
    {
        var text = new StringBuilder(
            $"X-Check: {mark}\r\nFrom: check@check.test\r\nTo: check@check.test\r\nSubject: {mark}\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{mark}@check.test>\r\n\r\n");
        // Of its own random numbers, that are the same in every run and on every machine.
        uint state = 2166136261;
        foreach (char c in mark)
            state = (state ^ c) * 16777619;
        while (text.Length < size - 2)
        {
            for (int left = Math.Min(70, size - 2 - text.Length); left > 0; left--)
            {
                state = (state * 1664525) + 1013904223;
                text.Append((char)('a' + ((state >> 16) % 26)));
            }
            if (text.Length < size - 4)
                text.Append("\r\n");
        }
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }
}
