using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>RFC 9208 as it is spoken: its examples with the roots that there are here.</summary>
[Covers("QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX", "QUOTA=RES-ANNOTATION-STORAGE", "QUOTASET")]
public sealed class QuotaTests
{
    [Fact]
    public async Task GETQUOTA_and_GETQUOTAROOT()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Limits = new QuotaLimits(10923847 * 1024L + 1, null, null, null);
        mail.Owner.Used = new QuotaUsage((103 * 1024) + 1, 42, 3, 5);
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("G0001 GETQUOTA \"user/alice\"", "G0002 GETQUOTA !partition/sda4", "G0003 GETQUOTA tenant", "G0004 GETQUOTA user/bob");
        await c.Expect(
            "* QUOTA user/alice (STORAGE 104 10923847)", "G0001 OK GETQUOTA completed",
            "G0002 NO [NONEXISTENT] …", "G0003 NO [NONEXISTENT] …", "G0004 NO [NONEXISTENT] …");
        mail.Owner.Limits = new QuotaLimits(512 * 1024, 1000, 100, 2048);
        mail.Owner.TenantRoot = new QuotaRoot("tenant", new QuotaUsage(2048, 43), new QuotaLimits(null, 5000));
        await c.Send("G0005 GETQUOTAROOT INBOX", "G0006 GETQUOTAROOT \"not/yet/there\"", "G0007 GETQUOTA tenant");
        await c.Expect(
            "* QUOTAROOT \"INBOX\" user/alice tenant", "* QUOTA user/alice (STORAGE 104 512 MESSAGE 42 1000 MAILBOX 3 100 ANNOTATION-STORAGE 1 2)", "* QUOTA tenant (MESSAGE 43 5000)",
            "G0005 OK …", "* QUOTAROOT \"not/yet/there\" user/alice tenant", "* QUOTA user/alice …", "* QUOTA tenant …", "G0006 OK …",
            "* QUOTA tenant (MESSAGE 43 5000)", "G0007 OK …");
        mail.Owner.Limits = new QuotaLimits(null, null);
        await c.Send("G0008 GETQUOTA user/alice");
        await c.Expect("* QUOTA user/alice ()", "G0008 OK …");
    }

    [Fact]
    public async Task What_is_no_quota_command_is_BAD()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a GETQUOTA", "b GETQUOTA x y", "c GETQUOTAROOT", "d SETQUOTA x", "e SETQUOTA x (STORAGE)", "f SETQUOTA x (STORAGE -1)", "g SETQUOTA x (STORAGE 1", "h SETQUOTA x (STORAGE 99999999999999999999)");
        foreach (char tag in "abcdefgh")
            await c.Bad($"{tag}");
        await c.Send("i GETQUOTAROOT \"/a\"");
        await c.No("i", "[NONEXISTENT] …");
    }

    [Fact]
    public async Task SETQUOTA_is_for_those_who_may_and_takes_away_what_it_does_not_name()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient user = await mail.LogInAsync())
        {
            await user.Send("S0000 SETQUOTA user/alice (STORAGE 510)");
            await user.No("S0000", "[NOPERM] …");
            Assert.DoesNotContain("QUOTASET", (await user.Run("a CAPABILITY"))[0]);
        }
        mail.Owner.Account = mail.Owner.Account with { Manages = true };
        mail.Owner.Limits = new QuotaLimits(111 * 1024, 1000, 100, 10 << 20);
        mail.Owner.Used = new QuotaUsage(54 * 1024, 42, 1);
        await using ImapClient c = await mail.LogInAsync();
        Assert.EndsWith(" QUOTASET", (await c.Run("a CAPABILITY"))[0]);
        await c.Send("S0000 GETQUOTA user/alice", "S0001 SETQUOTA user/alice (STORAGE 510)", "S0002 SETQUOTA user/alice ()", "S0003 SETQUOTA tenant (STORAGE 1)",
            "S0004 SETQUOTA user/nobody (STORAGE 1)", "S0005 SETQUOTA user/alice (X-FISH 1)");
        await c.Expect(
            "* QUOTA user/alice (STORAGE 54 111 MESSAGE 42 1000 MAILBOX 1 100 ANNOTATION-STORAGE 0 10240)", "S0000 OK …",
            "* QUOTA user/alice (STORAGE 54 510 MAILBOX 1 100 ANNOTATION-STORAGE 0 10240)", "S0001 OK …",
            "* QUOTA user/alice (MAILBOX 1 100 ANNOTATION-STORAGE 0 10240)", "S0002 OK …",
            "S0003 NO [NOPERM] …", "S0004 NO [NONEXISTENT] …", "S0005 NO [CANNOT] …");
    }

    [Fact]
    public async Task OVERQUOTA_is_told_of_the_selected_mailbox_and_of_nothing_else()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Limits = new QuotaLimits(1024, null);
        mail.Owner.Used = new QuotaUsage(5000, 7);
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a GETQUOTA user/alice", "b SELECT INBOX");
        await c.Expect("* QUOTA user/alice (STORAGE 5 1)", "a OK …");
        await c.Ok("b");
        await c.Send("c GETQUOTAROOT INBOX");
        await c.Expect("* QUOTAROOT …", "* QUOTA user/alice (STORAGE 5 1)", "* NO [OVERQUOTA] …", "c OK …");
    }

    [Fact]
    public async Task STATUS_tells_what_an_EXPUNGE_would_free()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        foreach (string flags in (string[])["", "(\\Deleted)", "(\\Deleted \\Seen)"])
            await c.Append("a", "INBOX", "Subject: x\r\n\r\n12345678\r\n", flags);
        await c.Send("S0003 STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)", "b LIST \"\" * RETURN (STATUS (DELETED-STORAGE))");
        await c.Expect("* STATUS \"INBOX\" (MESSAGES 3 DELETED 2 DELETED-STORAGE 48)", "S0003 OK …", "* LIST …", "* STATUS \"INBOX\" (DELETED-STORAGE 48)", "b OK …");
    }
}
