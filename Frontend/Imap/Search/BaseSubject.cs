using System.Text;

namespace MailCluster.Imap.Search;

/// <summary>The subject without what replies, forwards and mailing lists put around it (RFC 5256 §2.1, §5).</summary>
/// <param name="Text">What is left; may be empty.</param>
/// <param name="IsReplyOrForward">A subj-refwd, a "(fwd)" or a "[fwd: …]" was taken off.</param>
public readonly record struct BaseSubject(string Text, bool IsReplyOrForward)
{
    /// <param name="subject">The field's value with encoded words decoded (step 1).</param>
    public static BaseSubject Of(string subject)
    {
        ReadOnlySpan<char> text = SingleSpaces(subject);
        bool reply = false;
        do
        {
            Trailers(ref text, ref reply);
            // Steps 3 to 5.
            while (Leader(ref text, ref reply) || BlobBeforeBase(ref text))
            {
            }
        }
        while (Forwarded(ref text, ref reply));
        return new BaseSubject(text.Length == subject.Length ? subject : text.ToString(), reply);
    }

    /// <summary>Step 1: tabs and line ends become spaces, runs of them one.</summary>
    private static string SingleSpaces(string subject)
    {
        if (subject.AsSpan().IndexOfAny('\t', '\r', '\n') < 0 && !subject.Contains("  ", StringComparison.Ordinal))
            return subject;
        var single = new StringBuilder(subject.Length);
        foreach (char c in subject)
        {
            bool blank = c is ' ' or '\t' or '\r' or '\n';
            if (!blank || single.Length == 0 || single[^1] != ' ')
                single.Append(blank ? ' ' : c);
        }
        return single.ToString();
    }

    /// <summary>Step 2: subj-trailer, again and again.</summary>
    private static void Trailers(ref ReadOnlySpan<char> text, ref bool reply)
    {
        while (true)
        {
            text = text.TrimEnd(' ');
            if (!text.EndsWith("(fwd)", StringComparison.OrdinalIgnoreCase))
                return;
            text = text[..^5];
            reply = true;
        }
    }

    /// <summary>Step 3: subj-leader, once.</summary>
    private static bool Leader(ref ReadOnlySpan<char> text, ref bool reply)
    {
        if (text.StartsWith(' '))
        {
            text = text.TrimStart(' ');
            return true;
        }
        ReadOnlySpan<char> rest = text;
        while (Blob(ref rest))
        {
        }
        if (!ReplyOrForward(ref rest))
            return false;
        text = rest;
        return reply = true;
    }

    /// <summary>subj-refwd.</summary>
    private static bool ReplyOrForward(ref ReadOnlySpan<char> text)
    {
        int length = text.StartsWith("fwd", StringComparison.OrdinalIgnoreCase) ? 3
            : text.StartsWith("fw", StringComparison.OrdinalIgnoreCase) || text.StartsWith("re", StringComparison.OrdinalIgnoreCase) ? 2
            : 0;
        if (length == 0)
            return false;
        ReadOnlySpan<char> rest = text[length..].TrimStart(' ');
        Blob(ref rest);
        if (!rest.StartsWith(':'))
            return false;
        text = rest[1..];
        return true;
    }

    /// <summary>Step 4: subj-blobs, as long as something is left. All at once: behind none but the last of them a subj-refwd was looked for in vain.</summary>
    private static bool BlobBeforeBase(ref ReadOnlySpan<char> text)
    {
        bool any = false;
        ReadOnlySpan<char> rest = text;
        while (Blob(ref rest) && !rest.IsEmpty)
        {
            text = rest;
            any = true;
        }
        return any;
    }

    /// <summary>subj-blob: brackets with none inside, and blanks.</summary>
    private static bool Blob(ref ReadOnlySpan<char> text)
    {
        if (!text.StartsWith('['))
            return false;
        int end = text[1..].IndexOfAny('[', ']');
        if (end < 0 || text[end + 1] != ']')
            return false;
        text = text[(end + 2)..].TrimStart(' ');
        return true;
    }

    /// <summary>Step 6: "[fwd: … ]".</summary>
    private static bool Forwarded(ref ReadOnlySpan<char> text, ref bool reply)
    {
        if (!text.StartsWith("[fwd:", StringComparison.OrdinalIgnoreCase) || !text.EndsWith(']'))
            return false;
        text = text[5..^1];
        return reply = true;
    }
}
