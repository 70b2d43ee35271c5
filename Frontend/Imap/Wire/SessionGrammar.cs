using System.Buffers;
using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>Tag and name of a command. The name is in capitals; <paramref name="Uid"/> says that UID stood in front of it.</summary>
public readonly record struct CommandHeader(string Tag, string Name, bool Uid);

/// <summary>User name and password of LOGIN, as bytes: quoted 8-bit is accepted, the session decides what it means.</summary>
public sealed record LoginArguments(byte[] User, byte[] Password)
{
    /// <summary>Never shows the password.</summary>
    public override string ToString() => "LOGIN";
}

/// <summary>The arguments of AUTHENTICATE.</summary>
/// <param name="Mechanism">In capitals.</param>
/// <param name="InitialResponse">SASL-IR (RFC 4959), still in base64; empty for "="; null where there was none.</param>
public sealed record AuthenticateArguments(string Mechanism, byte[]? InitialResponse)
{
    public override string ToString() => "AUTHENTICATE " + Mechanism;
}

/// <summary>The start of every command, and the commands that know no mailbox: LOGIN, AUTHENTICATE, ENABLE (RFC 5161), ID (RFC 2971).</summary>
public static class SessionGrammar
{
    static readonly SearchValues<byte> CollationChars = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-;=.*"u8);

    const int MaxIdPairs = 30;
    const int MaxIdField = 30;
    const int MaxIdValue = 1024;

    /// <summary>Tag, space, name; UID and the name behind it are one. What follows is for the grammar of that command.</summary>
    public static CommandHeader Header(ref ImapParser parser)
    {
        var tag = parser.Tag();
        parser.Space();
        var name = parser.UpperAtom("a command");
        if (name != "UID")
        {
            return new(tag, name, false);
        }
        parser.Space();
        return new(tag, parser.UpperAtom("a command behind UID"), true);
    }

    public static LoginArguments ParseLogin(ref ImapParser parser)
    {
        var user = parser.AString("a user name", allow8Bit: true).ToArray();
        parser.Space();
        var password = parser.AString("a password", allow8Bit: true).ToArray();
        parser.End();
        return new(user, password);
    }

    public static AuthenticateArguments ParseAuthenticate(ref ImapParser parser)
    {
        var mechanism = parser.UpperAtom("a mechanism");
        byte[]? initial = null;
        if (!parser.OnlySpacesLeft)
        {
            parser.Space();
            // '=' and base64 are all atom characters.
            var response = parser.AtomBytes("an initial response");
            initial = response.SequenceEqual("="u8) ? [] : response.ToArray();
        }
        parser.End();
        return new(mechanism, initial);
    }

    /// <summary>The algorithm of COMPRESS in capitals (RFC 4978 §5).</summary>
    public static string ParseCompress(ref ImapParser parser)
    {
        var algorithm = parser.UpperAtom("an algorithm");
        parser.End();
        return algorithm;
    }

    /// <summary>The arguments of COMPARATOR (RFC 5255 §4.10), each a collation-order (RFC 4790 §3.3), at least one.</summary>
    public static IReadOnlyList<string> ParseComparator(ref ImapParser parser)
    {
        List<string> orders = [];
        do
        {
            if (orders.Count > 0)
            {
                parser.Space();
            }
            var order = parser.AString("a comparator");
            var wild = order[(order.Length > 0 && order[0] is (byte)'+' or (byte)'-' ? 1 : 0)..];
            // At most 254 characters, no two wildcards side by side.
            if (wild.Length is 0 or > 254 || !(wild[0] == '*' || char.IsAsciiLetter((char)wild[0])) || wild.ContainsAnyExcept(CollationChars) || wild.IndexOf("**"u8) >= 0)
            {
                ImapParser.Fail("That is no comparator's name");
            }
            orders.Add(Encoding.ASCII.GetString(order));
        }
        while (!parser.OnlySpacesLeft);
        parser.End();
        return orders;
    }

    /// <summary>The capabilities of ENABLE in capitals, at least one.</summary>
    public static IReadOnlyList<string> ParseEnable(ref ImapParser parser)
    {
        List<string> names = [parser.UpperAtom("a capability")];
        while (!parser.OnlySpacesLeft)
        {
            parser.Space();
            names.Add(parser.UpperAtom("a capability"));
        }
        parser.End();
        return names;
    }

    /// <summary>The pairs of ID; empty for NIL. Bytes that are not UTF-8 show as replacement characters.</summary>
    public static IReadOnlyList<KeyValuePair<string, string?>> ParseId(ref ImapParser parser)
    {
        List<KeyValuePair<string, string?>> pairs = [];
        if (!parser.TryWord("NIL"u8))
        {
            parser.OpenList();
            var more = !parser.TrySkip((byte)')');
            while (more)
            {
                if (pairs.Count == MaxIdPairs)
                {
                    ImapParser.Fail("ID takes at most 30 fields");
                }
                var field = parser.String("an ID field", allow8Bit: true);
                parser.Space();
                string? text = null;
                if (!parser.TryWord("NIL"u8))
                {
                    var value = parser.String("a string or NIL", allow8Bit: true);
                    text = Encoding.UTF8.GetString(value[..Math.Min(value.Length, MaxIdValue)]);
                }
                pairs.Add(new(Encoding.UTF8.GetString(field[..Math.Min(field.Length, MaxIdField)]), text));
                more = parser.NextInList();
            }
        }
        parser.End();
        return pairs;
    }
}
