using System.Globalization;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Search;
using MimeKit.Text;

namespace MailCluster.Imap.Responses;

/// <summary>PREVIEW (RFC 8970 §3): the first words of a message, without markup, charset and transfer encoding; made when they are asked for.</summary>
internal static class Preview
{
    /// <summary>Characters, as RFC 8970 §3.2 advises.</summary>
    public const int MaxCharacters = 200;

    /// <summary>Octets of a text part that are looked at: HTML may begin with pages of style.</summary>
    private const int MaxPlain = 8 * 1024, MaxHtml = 128 * 1024;

    /// <summary>Text parts that are tried; the first that says something is it.</summary>
    private const int MaxParts = 3;

    /// <summary>Empty where the message has no text that can be read.</summary>
    /// <exception cref="MailCluster.Contracts.BodyGoneException">The body was collected.</exception>
    /// <exception cref="MailCluster.Contracts.StoreUnavailableException">The store can't be reached.</exception>
    public static async ValueTask<string> OfAsync(MessageBytes message, BodyPart root, CancellationToken cancellationToken)
    {
        foreach (BodyPart part in Texts(root).Take(MaxParts))
        {
            bool html = part.Subtype.EqualsIgnoreCase("html"u8);
            var source = new TextBuffer();
            long length = Math.Min(part.BodyLength, html ? MaxHtml : MaxPlain);
            await MessageText.ReadPartAsync(source, message, part, length, cancellationToken);
            string text = html ? OfHtml(source.ToString()) : OfPlain(source.ToString());
            if (text.Length > 0)
                return text;
        }
        return "";
    }

    /// <summary>The text parts in their order, attachments and what is inside of other messages or encrypted left out.</summary>
    private static IEnumerable<BodyPart> Texts(BodyPart root)
    {
        var parts = new Stack<BodyPart>([root]);
        while (parts.TryPop(out BodyPart? part))
        {
            if (part.Kind == BodyPartKind.Leaf && part.IsText && !part.Disposition.EqualsIgnoreCase("attachment"u8))
                yield return part;
            if (part.Kind != BodyPartKind.Multipart || part.Subtype.EqualsIgnoreCase("encrypted"u8))
                continue;
            for (int i = part.Parts.Count - 1; i >= 0; i--)
                parts.Push(part.Parts[i]);
        }
    }

    private static string OfHtml(string html)
    {
        var words = new Words();
        var tokens = new HtmlTokenizer(new StringReader(html)) { DecodeCharacterReferences = true };
        HtmlTagId hidden = HtmlTagId.Unknown;
        while (!words.IsFull && tokens.ReadNextToken(out HtmlToken? token))
        {
            if (token is HtmlTagToken tag)
            {
                if (hidden == HtmlTagId.Unknown && tag.Id is HtmlTagId.Style or HtmlTagId.Script or HtmlTagId.Title && !tag.IsEndTag && !tag.IsEmptyElement)
                    hidden = tag.Id;
                else if (tag.Id == hidden && tag.IsEndTag)
                    hidden = HtmlTagId.Unknown;
                words.Break();
            }
            else if (token.Kind == HtmlTokenKind.Data && hidden == HtmlTagId.Unknown)
                words.Add(((HtmlDataToken)token).Data);
        }
        return words.ToString();
    }

    private static string OfPlain(string text)
    {
        var words = new Words();
        words.Add(text);
        return words.ToString();
    }

    /// <summary>Words with one blank between, as many as there is room for; what cannot be seen is left out.</summary>
    private sealed class Words
    {
        private readonly StringBuilder _text = new();
        private int _characters;
        private bool _gap;

        public bool IsFull => _characters >= MaxCharacters;

        public void Break() => _gap = true;

        public void Add(string text)
        {
            foreach (Rune rune in text.EnumerateRunes())
            {
                if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
                {
                    _gap = true;
                    continue;
                }
                if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format)
                    continue;
                bool blank = _gap && _characters > 0;
                if (_characters + (blank ? 2 : 1) > MaxCharacters)
                {
                    _characters = MaxCharacters;
                    return;
                }
                if (blank)
                    _text.Append(' ');
                _text.Append(rune.ToString());
                _characters += blank ? 2 : 1;
                _gap = false;
            }
        }

        public override string ToString() => _text.ToString();
    }
}
