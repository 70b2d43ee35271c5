using System.Security.Cryptography;

namespace MailCluster.Net;

/// <summary>Texts for logs: four letters of this process's start, then the connection's number, both in base 36.</summary>
internal static class SessionIds
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    private static readonly string Process = RandomNumberGenerator.GetString(Digits, 4);

    public static string Text(long id)
    {
        Span<char> text = stackalloc char[13];
        int at = text.Length;
        do
        {
            text[--at] = Digits[(int)(id % 36)];
            id /= 36;
        }
        while (id > 0);
        return string.Concat(Process, "-", text[at..]);
    }
}
