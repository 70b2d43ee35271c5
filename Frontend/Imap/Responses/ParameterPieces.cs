using System.Globalization;
using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Search;

namespace MailCluster.Imap.Responses;

/// <summary>
/// Joins parameters that RFC 2231 lets a sender split and encode: name*0, name*1 become name; name*0*, name*1* and name* become name*
/// with a value in UTF-8, which is what RFC 9051 §7.5.2 asks for. What cannot be joined or decoded stays as written.
/// </summary>
public static class ParameterPieces
{
    private readonly record struct Piece(string Name, int Number, bool Encoded, BodyParameter Written);

    public static IReadOnlyList<BodyParameter> Join(IReadOnlyList<BodyParameter> parameters)
    {
        if (!parameters.Any(parameter => parameter.Name.Span.Contains((byte)'*')))
            return parameters;
        var pieces = parameters.Select(Read).ToArray();
        var groups = pieces.Where(piece => piece.Number >= 0).ToLookup(piece => piece.Name, StringComparer.OrdinalIgnoreCase);
        var joined = new List<BodyParameter>(parameters.Count);
        var done = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var piece in pieces)
        {
            if (piece.Number < 0)
                joined.Add(piece.Written);
            else if (done.Add(piece.Name))
            {
                var group = groups[piece.Name].OrderBy(one => one.Number).ToArray();
                if (Join(group) is { } whole)
                    joined.Add(whole);
                else
                    joined.AddRange(group.Select(one => one.Written));
            }
        }
        return joined;
    }

    /// <summary>Number is -1 for a parameter that RFC 2231 does not touch.</summary>
    private static Piece Read(BodyParameter parameter)
    {
        var name = parameter.Name.ToString();
        var star = name.IndexOf('*');
        if (star <= 0)
            return new Piece(name, -1, false, parameter);
        var suffix = name.AsSpan(star + 1);
        var encoded = suffix.Length == 0 || suffix[^1] == '*';
        var digits = suffix.TrimEnd('*');
        if (suffix.Length - digits.Length > 1 || (digits.Length > 1 && digits[0] == '0'))
            return new Piece(name, -1, false, parameter);
        if (digits.Length == 0)
            return suffix.Length == 0 ? new Piece(name[..star], 0, true, parameter) : new Piece(name, -1, false, parameter);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new Piece(name[..star], number, encoded, parameter)
            : new Piece(name, -1, false, parameter);
    }

    private static BodyParameter? Join(Piece[] group)
    {
        var value = new List<byte>();
        Encoding? charset = null;
        for (var i = 0; i < group.Length; i++)
        {
            if (group[i].Number != i)
                return null;
            var piece = group[i].Written.Value.Span;
            if (i == 0 && group[i].Encoded)
            {
                var first = piece.IndexOf((byte)'\'');
                var second = first < 0 ? -1 : piece[(first + 1)..].IndexOf((byte)'\'');
                if (second < 0)
                    return null;
                charset = first == 0 ? Encoding.UTF8 : Charsets.Find(Encoding.Latin1.GetString(piece[..first]));
                if (charset is null)
                    return null;
                piece = piece[(first + second + 2)..];
            }
            for (var at = 0; at < piece.Length; at++)
            {
                if (group[i].Encoded && piece[at] == '%' && at + 2 < piece.Length
                    && byte.TryParse(piece.Slice(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
                {
                    value.Add(octet);
                    at += 2;
                }
                else
                    value.Add(piece[at]);
            }
        }
        var bytes = value.ToArray();
        var name = Encoding.Latin1.GetBytes(group[0].Name + (charset is null ? "" : "*"));
        if (charset is not null && charset.CodePage != Encoding.UTF8.CodePage)
            bytes = Encoding.UTF8.GetBytes(charset.GetString(bytes));
        return new BodyParameter(new RawText(name), new RawText(bytes));
    }
}
