using System.Text;

namespace MailCluster.Benchmarks.Load;

/// <summary>Messages such as people get, the same for every server: made of a number, so that each differs.</summary>
internal static class SampleMessages
{
    /// <summary>A word that is in the subject and the text of one message in 200.</summary>
    public const string Needle = "xylograph";

    private const int NumberLength = 12;
    private const string NumberPlace = "000000000000";

    private static readonly string[] Words =
    [
        "the", "of", "meeting", "next", "week", "please", "find", "report", "attached", "and", "we", "should", "talk", "about", "budget", "for", "project",
        "in", "March", "before", "customers", "see", "new", "version", "thanks", "regards", "could", "you", "send", "me", "numbers", "from", "last", "year",
    ];

    /// <summary>A message of about <paramref name="bytes"/> octets; one in four has an alternative in HTML and a small attachment.</summary>
    public static byte[] Of(int number, int bytes, string? id = null)
    {
        var random = new Random(number);
        string needle = number % 200 == 7 ? Needle + " " : "";
        var text = new StringBuilder(bytes + 200);
        text.Append($"Received: from mail.bench.example (mail.bench.example [192.0.2.{number % 250}])\r\n\tby mx.example (Postfix) with ESMTPS id {number:X8}\r\n");
        text.Append($"\tfor <user@example>; Tue, 24 Nov 2026 10:00:00 +0000\r\nDate: Tue, 24 Nov 2026 10:{number / 60 % 60:00}:{number % 60:00} +0000\r\n");
        text.Append($"From: Person {number % 100} <person{number % 100}@bench.example>\r\nTo: Some Body <user@example>, other@bench.example\r\n");
        text.Append($"Subject: {needle}{Some(random, 5)}\r\nMessage-ID: <{id ?? number.ToString("D12")}.{bytes}@bench.example>\r\nMIME-Version: 1.0\r\n");
        if (number % 4 == 3 && bytes >= 2048)
        {
            text.Append("Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n--=_outer\r\nContent-Type: multipart/alternative; boundary=\"=_inner\"\r\n\r\n");
            text.Append("--=_inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
            Fill(text, random, needle, text.Length + 400);
            text.Append("--=_inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>");
            Fill(text, random, "", text.Length + 400);
            text.Append("</p>\r\n--=_inner--\r\n--=_outer\r\nContent-Type: application/octet-stream; name=\"data.bin\"\r\nContent-Transfer-Encoding: base64\r\n");
            text.Append("Content-Disposition: attachment; filename=\"data.bin\"\r\n\r\n");
            while (text.Length < bytes - 90)
                text.Append('Q', 76).Append("\r\n");
            text.Append("--=_outer--\r\n");
        }
        else
        {
            text.Append("Content-Type: text/plain; charset=utf-8\r\n\r\n");
            Fill(text, random, needle, bytes - 2);
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <summary>APPEND commands that differ in one number: the command is prepared once and only its digits are written anew.</summary>
    public static NumberedBytes Append(string mailbox, int bytes, int seed) => Numbered(message => $"a APPEND {mailbox} {{{message}+}}\r\n", "\r\n", bytes, seed);

    /// <summary>Messages alone that differ in one number.</summary>
    public static NumberedBytes Message(int bytes, int seed) => Numbered(static _ => "", "", bytes, seed);

    private static NumberedBytes Numbered(Func<int, string> before, string after, int bytes, int seed)
    {
        // An even one, without parts: its digits stand in the Message-ID only.
        byte[] message = Of(2, bytes, $"{NumberPlace}.{seed}.{Guid.NewGuid():N}");
        byte[] all = [.. Encoding.ASCII.GetBytes(before(message.Length)), .. message, .. Encoding.ASCII.GetBytes(after)];
        return new NumberedBytes(all, all.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"<{NumberPlace}.")) + 1, NumberLength);
    }

    private static string Some(Random random, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]));

    private static void Fill(StringBuilder text, Random random, string needle, int until)
    {
        text.Append(needle);
        int line = needle.Length;
        while (text.Length < until)
        {
            string word = Words[random.Next(Words.Length)];
            text.Append(word);
            line += word.Length + 1;
            bool ends = line > 68;
            text.Append(ends ? "\r\n" : " ");
            line = ends ? 0 : line;
        }
        text.Append("\r\n");
    }
}

/// <summary>Octets with a number in them that is raised each time.</summary>
internal sealed class NumberedBytes(byte[] octets, int place, int digits)
{
    private long _number;

    /// <summary>The same memory each time: to be sent before it is asked for again.</summary>
    public ReadOnlyMemory<byte> Next()
    {
        long rest = ++_number;
        for (int i = place + digits - 1; i >= place; i--, rest /= 10)
            octets[i] = (byte)('0' + (rest % 10));
        return octets;
    }
}
