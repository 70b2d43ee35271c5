using MailCluster.Consistency.Workload;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency;

/// <summary>What a client of NOTIFY knows of its account, and what it finds missing.</summary>
public sealed class ToldAccountTests
{
    [Fact]
    public void What_was_told_last_counts()
    {
        ToldAccount told = Told("* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)", "* STATUS INBOX (MESSAGES 2 UIDNEXT 3)");
        Assert.Empty(told.Differences(Now(("INBOX", 2, 3, 7))));
        Assert.Equal(["MESSAGES of INBOX is 3, not 2", "UIDNEXT of INBOX is 4, not 3"], told.Differences(Now(("INBOX", 3, 4, 7))));
    }

    [Fact]
    public void Mailboxes_come_go_and_change_their_names()
    {
        ToldAccount told = Told(
            "* STATUS red (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)", "* STATUS blue (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)",
            "* LIST () \"/\" green (\"OLDNAME\" (red))", "* LIST (\\NonExistent) \"/\" blue", "* LIST () \"/\" white");
        Assert.Empty(told.Differences(Now(("green", 1, 2, 7), ("white", 0, 1, 9))));
        Assert.Equal(["green is gone", "red is there"], told.Differences(Now(("red", 1, 2, 7), ("white", 0, 1, 9))).Order());
    }

    [Fact]
    public void A_new_mailbox_with_a_message_that_was_not_told_is_missed()
    {
        ToldAccount told = Told("* LIST () \"/\" white");
        Assert.NotEmpty(told.Differences(Now(("white", 1, 2, 9))));
    }

    private static ToldAccount Told(params string[] lines)
    {
        var told = new ToldAccount();
        foreach (string line in lines)
            told.Hear(ModelStory.Parse(line));
        return told;
    }

    private static Dictionary<string, IReadOnlyDictionary<string, long>> Now(params (string Name, long Messages, long UidNext, long UidValidity)[] mailboxes) =>
        mailboxes.ToDictionary(static m => m.Name, static m => (IReadOnlyDictionary<string, long>)new Dictionary<string, long>
        {
            ["MESSAGES"] = m.Messages, ["UIDNEXT"] = m.UidNext, ["UIDVALIDITY"] = m.UidValidity,
        });
}
