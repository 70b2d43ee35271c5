using System.Buffers;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>What was found of a message's sections, one for each item that was asked for (default for items that are no section).</summary>
/// <param name="Email">Where ENVELOPE and the like come from.</param>
internal readonly record struct FetchedSections(StoredEmail? Email, IReadOnlyList<BinarySection.Result> Items)
{
    /// <summary>PREVIEW; null where it was not asked for, or is not at hand for PREVIEW (LAZY).</summary>
    public string? Preview { get; init; }

    /// <summary>What the message has (RFC 5257); null where nobody asks.</summary>
    public IReadOnlyList<MessageAnnotation>? Annotations { get; init; }

    /// <summary>For each item the entries that it tells of.</summary>
    public List<List<string>>? Entries { get; init; }

    public static FetchedSections Missing => default;

    /// <summary>The message was expunged and collected.</summary>
    public bool IsMissing => Email is null;

    public bool UnknownEncoding => Items.Any(static i => i.UnknownEncoding);
}

/// <summary>Writes FETCH answers (RFC 9051 §7.5.2), one a message.</summary>
internal sealed class FetchAnswer
{
    /// <summary>Octets of any number in parentheses.</summary>
    private const int MostOfNumber = 22;

    private static readonly BodySection Header = new([], SectionText.Header, []);
    private static readonly BodySection Text = new([], SectionText.Text, []);

    private readonly ImapSession _session;
    private readonly Selected _state;
    private readonly List<FetchAttribute> _items;
    private readonly byte[][] _labels;
    private readonly bool _asksFlags;

    /// <summary>Octets of an answer at most, but for FLAGS and what <see cref="ContentItems"/> take.</summary>
    private readonly int _most;

    /// <summary>FLAGS as they are written, by <see cref="MessageRef.Code"/> in <see cref="_writtenOf"/>: a mailbox has few combinations. Saves two thirds of FETCH 1:* FLAGS.</summary>
    private readonly Dictionary<int, byte[]> _written = [];
    private KeywordTable? _writtenOf;

    /// <param name="asked">The items in the order of the command.</param>
    /// <param name="uid">UID FETCH: UID belongs to every answer.</param>
    public FetchAnswer(ImapSession session, Selected state, IReadOnlyList<FetchAttribute> asked, bool uid)
    {
        (_session, _state, _items) = (session, state, [.. asked]);
        // RFC 7162 §3.2.4, and §3.1: once CONDSTORE is on, every FETCH answer has them.
        if ((uid || state.User.QResync) && !state.User.UidOnly && !Asks(FetchItem.Uid))
            _items.Insert(0, new FetchAttribute(FetchItem.Uid));
        if (state.User.CondStore && !Asks(FetchItem.ModSeq))
            _items.Add(new FetchAttribute(FetchItem.ModSeq));
        _asksFlags = Asks(FetchItem.Flags);
        _labels = [.. _items.Select((item, i) => Label(item, first: i == 0, session.Reply.Charset))];
        SetsSeen = _items.Exists(static i => i.SetsSeen);
        NeedsBytes = _items.Exists(static i => IsSection(i.Item) || IsPreview(i.Item));
        NeedsContent = _items.Exists(static i => NeedsStructure(i));
        NeedsAnnotations = Asks(FetchItem.Annotation);
        ContentItems = [.. _items.Select(static i => i.Item).Where(static i => i is FetchItem.Envelope or FetchItem.Body or FetchItem.BodyStructure)];
        _most = 32 + _labels.Sum(static l => l.Length + MostOfNumber);
    }

    public bool SetsSeen { get; }

    public bool NeedsContent { get; }

    /// <summary>What is the same in all answers about an email, in the order of the answer.</summary>
    public IReadOnlyList<FetchItem> ContentItems { get; }

    public bool NeedsBytes { get; }

    public bool NeedsAnnotations { get; }

    /// <summary>Finds what of a message's annotations is asked for; null: of that, and of all, nothing.</summary>
    public FetchedSections? Find(IReadOnlyList<MessageAnnotation> annotations)
    {
        FetchedSections found = With(new FetchedSections(null, new BinarySection.Result[_items.Count]), annotations);
        return _items.Exists(i => i.Item != FetchItem.Annotation) || found.Entries!.Exists(static e => e.Count > 0) ? found : null;
    }

    /// <summary>The same with annotations.</summary>
    public FetchedSections With(FetchedSections sections, IReadOnlyList<MessageAnnotation> annotations) => sections with
    {
        Annotations = annotations,
        Entries = _items.ConvertAll(i => i.Annotations is { } query ? AnnotationResponse.Entries(query, annotations) : []),
    };

    /// <summary>Finds the sections of a message, before a byte of the answer is written.</summary>
    /// <exception cref="BodyGoneException">The body was collected.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<FetchedSections> FindAsync(LoadedMessage message, CancellationToken cancellationToken)
    {
        if (message.Email is not { } email)
            return FetchedSections.Missing;
        var found = new BinarySection.Result[_items.Count];
        for (int i = 0; i < found.Length; i++)
        {
            if (IsSection(_items[i].Item))
                found[i] = await FindAsync(_items[i], email, message.Bytes!, cancellationToken);
        }
        // The first alone: the others are read in mid-answer anyway.
        int first = Enumerable.Range(0, found.Length).FirstOrDefault(i => found[i].Content is not null && _items[i].Item != FetchItem.BinarySize, -1);
        if (first >= 0)
            await found[first].Content!.BeginAsync(cancellationToken);
        bool previews = Asks(FetchItem.Preview) || (Asks(FetchItem.PreviewLazy) && message.Bytes!.IsInMemory);
        return new FetchedSections(email, found)
        {
            Preview = previews ? await Preview.OfAsync(message.Bytes!, email.Content!.Root, cancellationToken) : null,
        };
    }

    /// <summary>Writes one answer that needs no octets of the message: with one look at the buffer where nothing rare is asked for, which takes a third of the time of FETCH 1:* FLAGS.</summary>
    /// <param name="message">Of the view as it is now.</param>
    /// <param name="written">Where ENVELOPE and the like are, if any is asked for.</param>
    /// <param name="at">The message's place there.</param>
    /// <returns>False: something of it is not there any more, and nothing was written.</returns>
    public bool Write(MessageRef message, in WrittenBatch written = default, int at = 0)
    {
        byte[] flags = _asksFlags && !IsRecent(message) ? Flags(message) : [];
        int most = _most + flags.Length;
        for (int i = 0; i < ContentItems.Count; i++)
        {
            int length = written[i, at].Length;
            if (length == 0)
                return false;
            most += length;
        }
        ReplyWriter reply = _session.Reply;
        ReplyTokens tokens = reply.Tokens(most);
        tokens.Raw("* "u8);
        tokens.Number(_state.User.UidOnly ? message.Uid : message.Index + 1);
        tokens.Raw(_state.User.UidOnly ? " UIDFETCH ("u8 : " FETCH ("u8);
        int content = 0;
        for (int i = 0; i < _items.Count; i++)
        {
            tokens.Raw(_labels[i]);
            switch (_items[i].Item)
            {
                case FetchItem.Flags when flags.Length > 0:
                    tokens.Raw(flags);
                    break;
                case FetchItem.Uid:
                    tokens.Number(message.Uid);
                    break;
                case FetchItem.ModSeq:
                    tokens.Raw("("u8);
                    tokens.Number(message.ModSeq);
                    tokens.Raw(")"u8);
                    break;
                case FetchItem.Rfc822Size:
                    tokens.Number(message.Size);
                    break;
                case FetchItem.Envelope or FetchItem.Body or FetchItem.BodyStructure:
                    tokens.Raw(written[content++, at]);
                    break;
                default:
                    reply.Add(tokens);
                    Write(_items[i].Item, message, null);
                    tokens = reply.Tokens(most);
                    break;
            }
        }
        tokens.Raw(")\r\n"u8);
        reply.Add(tokens);
        return true;
    }

    /// <summary>Writes one answer. Only the reading of large sections can fail in mid-answer.</summary>
    /// <param name="message">Of the view as it is now.</param>
    /// <param name="sections">What <see cref="FindAsync(LoadedMessage, CancellationToken)"/> has found.</param>
    /// <param name="withFlags">FLAGS belong to the answer, asked for or not.</param>
    public async ValueTask WriteAsync(MessageRef message, FetchedSections sections, bool withFlags)
    {
        ReplyWriter reply = _session.Reply;
        FlagsResponse.Begin(reply, _state.User, message);
        bool first = true;
        for (int i = 0; i < _items.Count; i++)
        {
            FetchAttribute item = _items[i];
            BinarySection.Result found = sections.Items[i];
            if (found.UnknownEncoding || (item.Item == FetchItem.Annotation && sections.Entries![i].Count == 0))
                continue;
            reply.Raw(_labels[i].AsSpan(first && i > 0 ? 1 : 0));
            first = false;
            if (item.Annotations is { } query)
                await AnnotationResponse.WriteAsync(_session, _state.Mailbox, _state.User.Settings.Account, message.Uid, query, sections.Entries![i], sections.Annotations!);
            else if (item.Item == FetchItem.BinarySize)
                reply.Number(found.Content?.Length ?? 0);
            else if (item.Item == FetchItem.Binary)
                await SectionContent.WriteBinaryAsync(reply, _session.Connection.Output, _session.FlushIfFullAsync, found.Content, _session.Gone);
            else if (IsPreview(item.Item))
                reply.NString(sections.Preview);
            else if (IsSection(item.Item))
                await SectionContent.WriteBodyAsync(reply, _session.Connection.Output, _session.FlushIfFullAsync, found.Content, _session.Gone);
            else
                Write(item.Item, message, sections.Email);
        }
        if (withFlags && !_asksFlags)
        {
            reply.Raw(first ? "FLAGS "u8 : " FLAGS "u8);
            Write(FetchItem.Flags, message, null);
        }
        reply.Close().NewLine();
    }

    /// <summary>An item's name as it stands before its value.</summary>
    private static byte[] Label(FetchAttribute item, bool first, WireCharset charset)
    {
        var label = new ArrayBufferWriter<byte>();
        var writer = new ReplyWriter(label, charset);
        (first ? writer : writer.Space()).FetchLabel(item).Space();
        return label.WrittenSpan.ToArray();
    }

    private void Write(FetchItem item, MessageRef message, StoredEmail? email)
    {
        ReplyWriter reply = _session.Reply;
        switch (item)
        {
            case FetchItem.Flags:
                if (IsRecent(message))
                    reply.Flags(message.SystemFlags, message.Keywords, recent: true);
                else
                    reply.Raw(Flags(message));
                break;
            case FetchItem.InternalDate:
                reply.InternalDate(message.InternalDate);
                break;
            case FetchItem.Rfc822Size:
                reply.Number(message.Size);
                break;
            case FetchItem.Uid:
                reply.Number(message.Uid);
                break;
            case FetchItem.ModSeq:
                reply.Open().Number(message.ModSeq).Close();
                break;
            case FetchItem.EmailId:
                reply.Open().Raw(ObjectIds.Of(message.Email)).Close();
                break;
            case FetchItem.ThreadId:
                reply.Open().Raw(ObjectIds.OfThread(message.Thread)).Close();
                break;
            case FetchItem.SaveDate:
                reply.InternalDate(message.SaveDate);
                break;
            default:
                WrittenItem.Write(reply, item, email!.Content!);
                break;
        }
    }

    private bool IsRecent(MessageRef message) => !_state.User.Rev2 && _state.Mailbox.Recent.Contains(message.Uid);

    private byte[] Flags(MessageRef message)
    {
        if (!ReferenceEquals(_writtenOf, message.KeywordTable))
        {
            _writtenOf = message.KeywordTable;
            _written.Clear();
        }
        if (!_written.TryGetValue(message.Code, out byte[]? flags))
        {
            var written = new ArrayBufferWriter<byte>();
            new ReplyWriter(written).Flags(message.SystemFlags, message.Keywords);
            _written.Add(message.Code, flags = written.WrittenSpan.ToArray());
        }
        return flags;
    }

    private static async ValueTask<BinarySection.Result> FindAsync(
        FetchAttribute item, StoredEmail email, MessageBytes bytes, CancellationToken cancellationToken)
    {
        // The whole message is all that can be answered without its structure.
        if (!NeedsStructure(item))
            return new BinarySection.Result(new RangesContent(bytes, [new ByteRange(0, bytes.Length)], default, item.Partial), false);
        if (item.Item is FetchItem.Binary or FetchItem.BinarySize)
            return await BinarySection.ResolveAsync(bytes, email.Content!.Root, item.Section!.Part, item.Partial, cancellationToken);
        BodySection section = item.Item switch
        {
            FetchItem.Rfc822Header => Header,
            FetchItem.Rfc822Text => Text,
            _ => item.Section!,
        };
        SectionContent? content = await SectionResolver.ResolveAsync(bytes, email.Content!.Root, section, item.Partial, cancellationToken);
        return new BinarySection.Result(content, false);
    }

    private bool Asks(FetchItem item) => _items.Exists(i => i.Item == item);

    private static bool IsSection(FetchItem item) => item >= FetchItem.Section;

    private static bool IsPreview(FetchItem item) => item is FetchItem.Preview or FetchItem.PreviewLazy;

    private static bool NeedsStructure(FetchAttribute item) => item.Item switch
    {
        FetchItem.Preview or FetchItem.PreviewLazy => true,
        FetchItem.Envelope or FetchItem.Body or FetchItem.BodyStructure or FetchItem.Rfc822Header or FetchItem.Rfc822Text => true,
        FetchItem.Section or FetchItem.Binary or FetchItem.BinarySize => item.Section! is not { Part.Count: 0, Text: SectionText.All },
        _ => false,
    };
}
