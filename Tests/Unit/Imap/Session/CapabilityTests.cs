using System.Reflection;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>What CAPABILITY tells, and that there is a test of each.</summary>
public sealed class CapabilityTests
{
    /// <summary>Each capability and the class of its tests. In the order in which they are told.</summary>
    private static readonly (string Name, string Tests)[] LoggedIn =
    [
        ("IMAP4rev1", "SessionCommandsTests"), ("IMAP4rev2", "SessionCommandsTests"), ("LITERAL+", "CommandReaderTests"), ("SASL-IR", "SessionCommandsTests"), ("ID", "SessionCommandsTests"),
        ("ENABLE", "SessionCommandsTests"), ("IDLE", "SessionCommandsTests"), ("NAMESPACE", "SessionCommandsTests"), ("UIDPLUS", "SessionStoriesTests"), ("UNSELECT", "SessionCommandsTests"),
        ("MOVE", "SessionStoriesTests"), ("CHILDREN", "SessionCommandsTests"), ("LIST-EXTENDED", "SessionCommandsTests"), ("LIST-STATUS", "SessionCommandsTests"), ("STATUS=SIZE", "SessionCommandsTests"),
        ("SPECIAL-USE", "SessionCommandsTests"), ("CREATE-SPECIAL-USE", "SessionCommandsTests"), ("CONDSTORE", "SessionStoriesTests"), ("QRESYNC", "SessionStoriesTests"),
        ("ESEARCH", "SearchSessionTests"), ("SEARCHRES", "SearchSessionTests"), ("BINARY", "FetchTests"), ("MULTIAPPEND", "SessionCommandsTests"), ("CATENATE", "CatenateTests"), ("URL-PARTIAL", "CatenateTests"), ("OBJECTID", "FetchTests"), ("SAVEDATE", "FetchTests"),
        ("WITHIN", "SearchSessionTests"), ("SEARCH=FUZZY", "FuzzyTests"), ("MULTISEARCH", "MultiSearchTests"), ("I18NLEVEL=1", "CollationTests"),
        ("SORT", "SortTests"), ("SORT=DISPLAY", "SortTests"), ("ESORT", "SortTests"), ("THREAD=ORDEREDSUBJECT", "ThreadTests"), ("THREAD=REFERENCES", "ThreadTests"), ("THREAD=REFS", "ThreadTests"),
        ("PARTIAL", "PartialTests"), ("PREVIEW", "PreviewTests"), ("INPROGRESS", "SearchSessionTests"), ("UTF8=ACCEPT", "Utf8AcceptTests"), ("UIDONLY", "UidOnlyTests"),
        ("METADATA", "MetadataTests"), ("LIST-METADATA", "MetadataTests"),
        ("QUOTA", "QuotaTests"), ("QUOTA=RES-STORAGE", "QuotaTests"), ("QUOTA=RES-MESSAGE", "QuotaTests"), ("QUOTA=RES-MAILBOX", "QuotaTests"), ("QUOTA=RES-ANNOTATION-STORAGE", "QuotaTests"),
        ("APPENDLIMIT=52428800", "SessionCommandsTests"), ("COMPRESS=DEFLATE", "CompressTests"),
    ];

    [Fact]
    public async Task Nothing_is_told_that_no_test_covers()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a CAPABILITY");
        await c.Expect("* CAPABILITY " + string.Join(' ', LoggedIn.Select(static l => l.Name)), "a OK …");
        HashSet<string> classes = [.. Assembly.GetExecutingAssembly().GetTypes().Where(static t => t.GetMethods().Any(static m => m.IsDefined(typeof(FactAttribute)))).Select(static t => t.Name)];
        Assert.All(LoggedIn, l => Assert.Contains(l.Tests, classes));
    }
}
