using System.Text;

namespace MailCluster.Consistency.Client;

/// <summary>A value in a response (RFC 9051 §9): an atom, a string, NIL, or a list in parentheses. Text is octets in Latin-1 form, so that nothing is lost.</summary>
internal abstract record Token
{
    public static readonly Token Nil = new NilToken();

    /// <summary>The text of an atom or a string; null for others.</summary>
    public virtual string? Text => null;

    /// <summary>The members of a list; empty for others.</summary>
    public virtual IReadOnlyList<Token> Items => [];

    /// <summary>A number of up to 64 bits; null where it is none.</summary>
    public long? Number => this is AtomToken && long.TryParse(Text, out long number) && number >= 0 ? number : null;

    /// <summary>A number of 32 bits, other than 0 (nz-number).</summary>
    public uint? Uid => Number is > 0 and <= uint.MaxValue ? (uint)Number : null;

    public bool Is(string atom) => this is AtomToken && string.Equals(Text, atom, StringComparison.OrdinalIgnoreCase);
}

internal sealed record AtomToken(string Value) : Token
{
    public override string Text => Value;
}

internal sealed record StringToken(string Value) : Token
{
    public override string Text => Value;
}

internal sealed record LiteralToken(byte[] Octets) : Token
{
    public override string Text => Encoding.Latin1.GetString(Octets);
}

internal sealed record NilToken : Token;

internal sealed record ListToken(IReadOnlyList<Token> Members) : Token
{
    public override IReadOnlyList<Token> Items => Members;
}
