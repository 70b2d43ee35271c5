using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MimeKit.Utils;

namespace MailCluster.Imap.Search;

/// <summary>Makes tests of SEARCH keys (RFC 9051 §6.4.4). The grammar bounds depth and number of the keys.</summary>
/// <param name="messages">Where message numbers and '*' come from.</param>
/// <param name="recent">UIDs that are \Recent in the session.</param>
/// <param name="saved">What '$' stands for.</param>
/// <param name="now">For OLDER and YOUNGER.</param>
/// <param name="collation">What strings in messages are compared with.</param>
internal sealed class SearchCompiler(MailboxSnapshot messages, UidSet recent, UidSet saved, DateTimeOffset now, Collation collation)
{
    private static readonly SearchTest Everything = new SearchTest.Row(static _ => true);

    public SearchTest Compile(SearchKey key) => key switch
    {
        SearchKey.And and => Composite(and.Keys, all: true),
        SearchKey.Or or => Composite([or.Left, or.Right], all: false),
        SearchKey.Fuzzy fuzzy => Compile(FuzzyKeys.Widen(fuzzy.Key)),
        SearchKey.Not not => new SearchTest.Not(Compile(not.Key)),
        SearchKey.Header header => new SearchTest.Header(headers => MessageText.HeaderContains(headers, header.Name, header.Value, collation), header.Value),
        SearchKey.MessageId id => new SearchTest.Header(headers => IdOf(headers) == id.Id),
        SearchKey.SentDate sent => new SearchTest.Header(headers => SentDate(headers) is { } date && Matches(sent.Comparison, date, sent.Date)),
        // The empty string is in every message.
        SearchKey.Body { Value: "" } or SearchKey.Text { Value: "" } => Everything,
        SearchKey.Body body => new SearchTest.Text(body.Value, collation, inHeader: false),
        SearchKey.Text text => new SearchTest.Text(text.Value, collation, inHeader: true),
        _ => new SearchTest.Row(Row(key)),
    };

    private Func<MessageRef, bool> Row(SearchKey key)
    {
        switch (key)
        {
            case SearchKey.Numbers { Set.IsSavedResult: true } or SearchKey.Uid { Set.IsSavedResult: true }:
                return message => saved.Contains(message.Uid);
            case SearchKey.Numbers numbers:
                UidSet named = numbers.Set.ToUidSet((uint)messages.Count);
                return message => named.Contains((uint)message.Index + 1);
            case SearchKey.Uid uid:
                UidSet uids = uid.Set.ToUidSet(messages.Count == 0 ? 0 : messages[messages.Count - 1].Uid);
                return message => uids.Contains(message.Uid);
            case SearchKey.HasFlag flag:
                return message => (message.SystemFlags & flag.Flag) != 0;
            case SearchKey.Recent:
                return message => recent.Contains(message.Uid);
            case SearchKey.HasKeyword keyword:
                return message => message.Has(keyword.Keyword);
            // Dates are compared as they stand, "disregarding time and timezone".
            case SearchKey.InternalDate date:
                return message => Matches(date.Comparison, DateOnly.FromDateTime(message.InternalDate.DateTime), date.Date);
            case SearchKey.SaveDate date:
                return message => Matches(date.Comparison, DateOnly.FromDateTime(message.SaveDate.DateTime), date.Date);
            case SearchKey.Within { Older: true } within:
                return message => (now - message.InternalDate).TotalSeconds >= within.Seconds;
            case SearchKey.Within within:
                return message => (now - message.InternalDate).TotalSeconds <= within.Seconds;
            case SearchKey.Size { Larger: true } size:
                return message => message.Size > size.Octets;
            case SearchKey.Size size:
                return message => message.Size < size.Octets;
            case SearchKey.ModSeq modSeq:
                return message => message.ModSeq >= modSeq.Value;
            case SearchKey.EmailId email:
                return message => ObjectIds.Of(message.Email) == email.Id;
            case SearchKey.ThreadId thread:
                return message => ObjectIds.OfThread(message.Thread) == thread.Id;
            default:
                // ALL, and SAVEDATESUPPORTED: every mailbox keeps save dates.
                return static _ => true;
        }
    }

    private SearchTest Composite(IReadOnlyList<SearchKey> keys, bool all)
    {
        var tests = new List<SearchTest>(keys.Count);
        foreach (SearchKey key in keys)
        {
            SearchTest test = Compile(key);
            // OR a OR b c is one choice of three: what is cheap in it comes first.
            if (test is SearchTest.Composite same && same.IsAll == all)
                tests.AddRange(same.Tests);
            else
                tests.Add(test);
        }
        return new SearchTest.Composite(tests, all);
    }

    private static bool Matches(DateComparison comparison, DateOnly date, DateOnly asked) => comparison switch
    {
        DateComparison.Before => date < asked,
        DateComparison.On => date == asked,
        _ => date >= asked,
    };

    /// <summary>The message's own identifier, as threads compare it; null without one.</summary>
    private static string? IdOf(IReadOnlyList<ContentHeader> headers)
    {
        foreach (ContentHeader header in headers)
        {
            if (header.Name.EqualsIgnoreCase("Message-ID"u8))
                return KeyTexts.Ids(header.Value).FirstOrDefault();
        }
        return null;
    }

    /// <summary>The day that the Date field names, in its own zone; null without a date that can be read: such a message was sent on no day.</summary>
    private static DateOnly? SentDate(IReadOnlyList<ContentHeader> headers)
    {
        foreach (ContentHeader header in headers)
        {
            if (header.Name.EqualsIgnoreCase("Date"u8))
                return DateUtils.TryParse(header.Value.Bytes.ToArray(), out DateTimeOffset date) ? DateOnly.FromDateTime(date.DateTime) : null;
        }
        return null;
    }
}
