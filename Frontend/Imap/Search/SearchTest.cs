using MailCluster.Contracts;
using MailCluster.Contracts.Content;

namespace MailCluster.Imap.Search;

/// <summary>
/// A SEARCH key made ready to be asked of many messages. Answers with what is known of a message so far: null where that is not enough.
/// What costs least is asked first, and what can't change the answer any more is not asked.
/// </summary>
internal abstract class SearchTest
{
    private SearchTest(int cost) => Cost = cost;

    /// <summary>0: the snapshot is enough; 1: needs headers; 2: needs the body.</summary>
    public int Cost { get; }

    /// <summary>It looks at the header, or for strings in it: where not, none need be decoded.</summary>
    public abstract bool NeedsHeaders { get; }

    public abstract bool? Decide(SearchSubject subject);

    /// <summary>Marks the strings that have to be looked for in the message before it can be decided.</summary>
    public abstract void Ask(SearchSubject subject, TextQuestions questions);

    /// <summary>Adds all strings that it may look for in messages.</summary>
    public abstract void Strings(ISet<string> strings);

    /// <summary>Something of the snapshot.</summary>
    public sealed class Row(Func<MessageRef, bool> matches) : SearchTest(0)
    {
        public override bool NeedsHeaders => false;

        public override bool? Decide(SearchSubject subject) => matches(subject.Message);

        public override void Ask(SearchSubject subject, TextQuestions questions)
        {
        }

        public override void Strings(ISet<string> strings)
        {
        }
    }

    /// <summary>Something of the header.</summary>
    /// <param name="value">A string that is in every header that matches; empty for none.</param>
    public sealed class Header(Func<IReadOnlyList<ContentHeader>, bool> matches, string value = "") : SearchTest(1)
    {
        public override bool NeedsHeaders => true;

        public override bool? Decide(SearchSubject subject) =>
            subject.Headers is { } headers ? matches(headers) : subject.Lacks(value) ? false : null;

        public override void Ask(SearchSubject subject, TextQuestions questions)
        {
        }

        public override void Strings(ISet<string> strings) => strings.Add(value);
    }

    /// <summary>A string in the body, or in header and body.</summary>
    public sealed class Text(string value, Collation collation, bool inHeader) : SearchTest(2)
    {
        public override bool NeedsHeaders => inHeader;

        public override bool? Decide(SearchSubject subject) =>
            subject.Answers(inHeader).TryGetValue(value, out bool found) ? found : subject.Lacks(value) ? false : null;

        public override void Ask(SearchSubject subject, TextQuestions questions)
        {
            questions.Collation = collation;
            (inHeader ? questions.Text : questions.Body).Add(value);
        }

        public override void Strings(ISet<string> strings) => strings.Add(value);
    }

    public sealed class Not(SearchTest test) : SearchTest(test.Cost)
    {
        public override bool NeedsHeaders => test.NeedsHeaders;

        public override bool? Decide(SearchSubject subject) => !test.Decide(subject);

        public override void Ask(SearchSubject subject, TextQuestions questions) => test.Ask(subject, questions);

        public override void Strings(ISet<string> strings) => test.Strings(strings);
    }

    /// <summary>AND (<paramref name="all"/>) or OR of tests.</summary>
    public sealed class Composite(IEnumerable<SearchTest> tests, bool all) : SearchTest(tests.Max(static t => t.Cost))
    {
        private readonly SearchTest[] _tests = [.. tests.OrderBy(static t => t.Cost)];

        /// <summary>The members, for a composite of the same kind that this one is a member of.</summary>
        public IReadOnlyList<SearchTest> Tests => _tests;

        public bool IsAll => all;

        public override bool NeedsHeaders { get; } = tests.Any(static t => t.NeedsHeaders);

        public override bool? Decide(SearchSubject subject)
        {
            bool? result = all;
            foreach (SearchTest test in _tests)
            {
                switch (test.Decide(subject))
                {
                    case null:
                        result = null;
                        break;
                    case bool decided when decided != all:
                        return !all;
                }
            }
            return result;
        }

        public override void Ask(SearchSubject subject, TextQuestions questions)
        {
            foreach (SearchTest test in _tests)
            {
                if (test.Cost == 2 && test.Decide(subject) is null)
                    test.Ask(subject, questions);
            }
        }

        public override void Strings(ISet<string> strings)
        {
            foreach (SearchTest test in _tests)
                test.Strings(strings);
        }
    }
}

/// <summary>What is known of the message that is looked at.</summary>
/// <param name="sieve">What the index knows of all messages; null for nothing.</param>
internal sealed class SearchSubject(SearchSieve? sieve = null)
{
    private readonly Dictionary<string, bool> _body = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _text = new(StringComparer.Ordinal);

    public MessageRef Message { get; private set; }

    /// <summary>All fields of the message; null before they were loaded.</summary>
    public IReadOnlyList<ContentHeader>? Headers { get; private set; }

    /// <summary>Which strings are in the message: in header and body, or in the body alone.</summary>
    public Dictionary<string, bool> Answers(bool inHeader) => inHeader ? _text : _body;

    /// <summary>True where the index knows that a string is not in the message.</summary>
    public bool Lacks(string value) => sieve?.Lacks(Message.Index, value) == true;

    public SearchSubject Of(MessageRef message, IReadOnlyList<ContentHeader>? headers = null)
    {
        (Message, Headers) = (message, headers);
        _body.Clear();
        _text.Clear();
        return this;
    }
}

/// <summary>The strings that have to be looked for in one message.</summary>
internal sealed class TextQuestions
{
    /// <summary>What all of them are compared with: a search has one.</summary>
    public Collation Collation { get; set; } = Collation.Unicode;

    public HashSet<string> Body { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Text { get; } = new(StringComparer.Ordinal);
}
