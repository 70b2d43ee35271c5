using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

public sealed class UidlTests
{
    private const string Message = "Subject: x\r\n\r\ny\r\n";

    /// <summary>RFC 1939 section 7.</summary>
    [Fact]
    public async Task UIDVALIDITY_and_UID()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message, Message);
        await using (ImapClient c = await mail.LogInByPop3Async())
        {
            await c.Pop3("UIDL", "+OK …", "1 1000.1", "2 1000.2", ".");
            await c.Pop3("UIDL 2", "+OK 2 1000.2");
            await c.Pop3("UIDL 3", "-ERR No such message, only 2 in maildrop");
            await c.Pop3("DELE 1", "+OK …");
            await c.Pop3("QUIT", "+OK …");
        }
        await mail.FillAsync(Message);
        await using ImapClient next = await mail.LogInByPop3Async();
        // Another number, the same unique-id; and none that was another's.
        await next.Pop3("UIDL", "+OK …", "1 1000.2", "2 1000.3", ".");
    }

    [Fact]
    public async Task What_a_message_was_imported_with_stays_its_own()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message, Message, Message);
        mail.Inbox.Uidls.AddRange([new ImportedUidl(1, "0000002a4b1c3d5e"), new ImportedUidl(3, "whqtswO00WBw418f9t5JxYwZ")]);
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("UIDL 3", "+OK 3 whqtswO00WBw418f9t5JxYwZ");
        await c.Pop3("UIDL 2", "+OK 2 1000.2");
        await c.Pop3("UIDL", "+OK …", "1 0000002a4b1c3d5e", "2 1000.2", "3 whqtswO00WBw418f9t5JxYwZ", ".");
        await c.Pop3("DELE 2", "+OK …");
        await c.Pop3("UIDL", "+OK …", "1 0000002a4b1c3d5e", "3 whqtswO00WBw418f9t5JxYwZ", ".");
    }

    [Fact]
    public async Task More_of_them_than_one_call_answers()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        int count = MailboxLimits.UidlPage + 10;
        await mail.FillAsync([.. Enumerable.Repeat(Message, count)]);
        mail.Inbox.Uidls.AddRange(Enumerable.Range(1, count).Where(static i => i != 5).Select(static i => new ImportedUidl((uint)i, $"old-{i}")));
        await using ImapClient c = await mail.LogInByPop3Async();
        Assert.Equal(Enumerable.Range(1, count).Select(static i => i == 5 ? "5 1000.5" : $"{i} old-{i}"), await c.Pop3Lines("UIDL"));
    }

    [Fact]
    public async Task An_owner_that_can_t_be_reached_is_an_error_and_no_empty_list()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message);
        await using ImapClient c = await mail.LogInByPop3Async();
        mail.Inbox.Unreachable = true;
        await c.Pop3("UIDL", "-ERR [SYS/TEMP] …");
        await c.Pop3("UIDL 1", "-ERR [SYS/TEMP] …");
    }
}
