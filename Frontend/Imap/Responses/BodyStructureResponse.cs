using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>BODY and BODYSTRUCTURE (RFC 9051 §7.5.2).</summary>
public static class BodyStructureResponse
{
    /// <summary>The structure without extension data.</summary>
    public static ReplyWriter Body(this ReplyWriter reply, BodyPart root) => reply.Structure(root, extended: false);

    /// <summary>
    /// The structure with all extension data. Parameters are as written in rev1; in UTF-8 sessions the pieces of RFC 2231 are joined.
    /// </summary>
    public static ReplyWriter BodyStructure(this ReplyWriter reply, BodyPart root) => reply.Structure(root, extended: true);

    private static ReplyWriter Structure(this ReplyWriter reply, BodyPart part, bool extended)
    {
        reply.Open();
        if (part.Kind == BodyPartKind.Multipart)
        {
            foreach (var child in part.Parts)
                reply.Structure(child, extended);
            reply.Space().String(part.Subtype.Span);
            if (extended)
                reply.Space().Parameters(part.Parameters).Space().Dispositions(part);
            return reply.Close();
        }
        reply.String(part.Type.Span).Space().String(part.Subtype.Span).Space();
        reply.Parameters(part.Parameters, defaultCharset: part.IsText && part.Parameter("charset"u8).IsAbsent).Space();
        reply.NString(part.Id).Space().NString(part.Description).Space();
        reply.String(part.Encoding.IsAbsent ? "7bit"u8 : part.Encoding.Span).Space().Number(part.BodyLength);
        if (part.Kind == BodyPartKind.Message)
        {
            reply.Space().Envelope(part.Envelope ?? EnvelopeData.None).Space();
            reply.Structure(part.Parts[0], extended).Space().Number(part.Lines);
        }
        else if (part.IsText)
            reply.Space().Number(part.Lines);
        if (extended)
            reply.Space().NString(part.Md5).Space().Dispositions(part);
        return reply.Close();
    }

    /// <summary>body-fld-dsp, body-fld-lang, body-fld-loc: the extension data that all kinds of parts end with.</summary>
    private static ReplyWriter Dispositions(this ReplyWriter reply, BodyPart part)
    {
        if (part.Disposition.IsAbsent)
            reply.Nil();
        else
            reply.Open().String(part.Disposition.Span).Space().Parameters(part.DispositionParameters).Close();
        reply.Space();
        if (part.Languages.Count <= 1)
            reply.NString(part.Languages.Count == 0 ? default : part.Languages[0]);
        else
        {
            reply.Open();
            for (var i = 0; i < part.Languages.Count; i++)
                (i == 0 ? reply : reply.Space()).String(part.Languages[i].Span);
            reply.Close();
        }
        return reply.Space().NString(part.Location);
    }

    /// <param name="defaultCharset">RFC 2046 §4.1.2: text without a charset is US-ASCII.</param>
    private static ReplyWriter Parameters(this ReplyWriter reply, IReadOnlyList<BodyParameter> parameters, bool defaultCharset = false)
    {
        if (reply.Charset == WireCharset.Utf8)
            parameters = ParameterPieces.Join(parameters);
        if (parameters.Count == 0 && !defaultCharset)
            return reply.Nil();
        reply.Open();
        for (var i = 0; i < parameters.Count; i++)
            (i == 0 ? reply : reply.Space()).String(parameters[i].Name.Span).Space().String(parameters[i].Value.Span);
        if (defaultCharset)
            (parameters.Count == 0 ? reply : reply.Space()).Raw("\"charset\" \"us-ascii\""u8);
        return reply.Close();
    }
}
