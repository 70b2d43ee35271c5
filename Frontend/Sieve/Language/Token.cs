namespace MailCluster.Sieve.Language;

internal enum TokenKind : byte
{
    End,

    /// <summary>if, fileinto…</summary>
    Identifier,

    /// <summary>:contains; <see cref="Token.Text"/> is without the colon.</summary>
    Tag,

    /// <summary>100K.</summary>
    Number,

    /// <summary>Quoted or "text:"; <see cref="Token.Text"/> is what it means.</summary>
    String,

    /// <summary>One of ( ) [ ] { } , ;</summary>
    Sign,
}

/// <summary>Where something stands in the script, from 1.</summary>
internal readonly record struct Place(int Line, int Column);

internal readonly record struct Token(TokenKind Kind, string Text, long Number, Place Place)
{
    public bool Is(char sign) => Kind == TokenKind.Sign && Text[0] == sign;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the script",
        TokenKind.String => "a string",
        TokenKind.Tag => $":{Text}",
        _ => $"'{Text}'",
    };
}
