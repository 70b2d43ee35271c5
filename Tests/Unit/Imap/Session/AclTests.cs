using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>RFC 4314 and RFC 8440 as they are spoken: their examples, with the rights that are here always granted.</summary>
[Covers("ACL", "RIGHTS=texkn", "LIST-MYRIGHTS")]
public sealed class AclTests
{
    private static async Task<(FakeMail Mail, ImapClient Client)> StartAsync()
    {
        FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Account = mail.Owner.Account with { Shares = true };
        ImapClient c = await mail.LogInAsync();
        await c.Run("a CREATE INBOX/Drafts");
        return (mail, c);
    }

    [Fact]
    public async Task SETACL_GETACL_DELETEACL_with_the_virtual_rights()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.Send("A001 SeTacl INBOX/Drafts bob lrswida", "A002 getacl INBOX/Drafts");
        await c.Expect("A001 OK …", "* ACL \"INBOX/Drafts\" alice lrswipkxteancd bob lrswitead", "A002 OK …");
        await c.Send("A003 Setacl INBOX/Drafts carol lrswikda", "A004 getAcl INBOX/Drafts");
        await c.Expect("A003 OK …", "* ACL \"INBOX/Drafts\" alice lrswipkxteancd bob lrswitead carol lrswikteacd", "A004 OK …");
        await c.Send("A005 SETACL INBOX/Drafts carol +cda", "A006 SETACL INBOX/Drafts bob -wid", "A007 GETACL INBOX/Drafts");
        await c.Expect("A005 OK …", "A006 OK …", "* ACL \"INBOX/Drafts\" alice lrswipkxteancd carol lrswikxteacd bob lrsa", "A007 OK …");
        await c.Send("A008 SETACL INBOX/Drafts Anyone lr", "A009 SETACL INBOX/Drafts -carol wetd", "A010 DELETEACL INBOX/Drafts carol", "A011 GETACL INBOX/Drafts", "A012 DELETEACL INBOX/Drafts carol");
        await c.Expect("A008 OK …", "A009 OK …", "A010 OK …", "* ACL \"INBOX/Drafts\" alice lrswipkxteancd bob lrsa anyone lr -carol wted", "A011 OK …", "A012 OK …");
        await c.Send("A035 SETACL INBOX/Drafts bob lrQswicda", "A036 SETACL INBOX/Drafts bob lrqswicda", "A037 SETACL INBOX/Drafts \"\" l", "A038 SETACL INBOX/Drafts - l", "A039 SETACL INBOX/Drafts bob",
            "A040 GETACL", "A041 SETACL INBOX/Drafts bob l r", "A042 SETACL nowhere bob l", "A043 SETACL INBOX/Drafts nobody l", "A044 SETACL INBOX/Drafts bob \"\"");
        await c.Expect("A035 BAD …", "A036 BAD …", "A037 BAD …", "A038 BAD …", "A039 BAD …", "A040 BAD …", "A041 BAD …", "A042 NO [NONEXISTENT] …", "A043 NO [NONEXISTENT] …", "A044 OK …");
    }

    [Fact]
    public async Task LISTRIGHTS_and_MYRIGHTS()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.Send("a001 LISTRIGHTS INBOX bob", "a005 listrights INBOX/Drafts anyone", "a006 LISTRIGHTS INBOX alice", "a007 LISTRIGHTS INBOX -bob", "A003 MYRIGHTS INBOX", "A004 MYRIGHTS nowhere", "A005 LISTRIGHTS INBOX");
        await c.Expect(
            "* LISTRIGHTS \"INBOX\" bob \"\" l r s w i p k x t e a n c d", "a001 OK …", "* LISTRIGHTS \"INBOX/Drafts\" anyone \"\" l r s w i p k x t e a n c d", "a005 OK …",
            "* LISTRIGHTS \"INBOX\" alice lrswipkxteancd", "a006 OK …", "* LISTRIGHTS \"INBOX\" -bob \"\" l r s w i p k x t e a n c d", "a007 OK …",
            "* MYRIGHTS \"INBOX\" lrswipkxteancd", "A003 OK …", "A004 NO [NONEXISTENT] …", "A005 BAD …");
    }

    [Fact]
    public async Task LIST_MYRIGHTS()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.Run("a CREATE bar/baz");
        await c.Run("a DELETE bar");
        await c.Run("a SUBSCRIBE INBOX");
        await c.Run("a SUBSCRIBE bar/baz");
        await c.Send("A01 LIST \"\" % RETURN (MYRIGHTS)");
        await c.Expect("* LIST (\\HasChildren) \"/\" \"INBOX\"", "* MYRIGHTS \"INBOX\" lrswipkxteancd", "* LIST (\\NonExistent \\HasChildren) \"/\" \"bar\"", "A01 OK …");
        await c.Send("A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (MYRIGHTS)");
        await c.Expect("* LIST (\\Subscribed \\HasChildren) \"/\" \"INBOX\"", "* MYRIGHTS \"INBOX\" lrswipkxteancd", "* LIST (\\NonExistent \\HasChildren) \"/\" \"bar\" (\"CHILDINFO\" (\"SUBSCRIBED\"))", "A02 OK …");
    }

    [Fact]
    public async Task Mailboxes_of_others_stand_in_namespaces_of_their_own()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        var work = new MailboxInfo(new MailboxId(77), MailboxPath.Of("Work", "Plans"), true, ["\\Trash"], null, MailRights.Lookup | MailRights.Read);
        var inbox = new MailboxInfo(new MailboxId(78), MailboxPath.Inbox, true, [], null, MailRights.Lookup);
        mail.Owner.Others = new SharedTree(
            [new(new AccountId(2), "bob@a.test", false, work), new(new AccountId(3), "info@a.test", true, inbox)], [new(new AccountId(2), "bob@a.test", false, MailboxPath.Of("Gone"))]);
        await c.Send("a NAMESPACE", "b LIST \"\" * RETURN (MYRIGHTS)");
        await c.Expect("* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared Folders/\" \"/\"))", "a OK …",
            "* LIST (\\HasChildren) \"/\" \"INBOX\"", "* MYRIGHTS \"INBOX\" …", "* LIST (\\HasNoChildren) \"/\" \"INBOX/Drafts\"", "* MYRIGHTS …",
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"", "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/bob@a.test\"",
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/bob@a.test/Work\"", "* LIST (\\HasNoChildren) \"/\" \"Other Users/bob@a.test/Work/Plans\"", "* MYRIGHTS \"Other Users/bob@a.test/Work/Plans\" lr",
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Shared Folders\"", "* LIST (\\NonExistent \\HasChildren) \"/\" \"Shared Folders/info@a.test\"",
            "* LIST (\\HasNoChildren) \"/\" \"Shared Folders/info@a.test/INBOX\"", "* MYRIGHTS \"Shared Folders/info@a.test/INBOX\" l", "b OK …");
        await c.Send("c LIST (SUBSCRIBED) \"\" *", "d LSUB \"\" *", "e LIST \"\" INBOX", "f CREATE \"Other Users\"", "g CREATE \"Other Users/bob@a.test\"", "h LIST \"Other Users/\" %", "i LIST (REMOTE) \"\" \"Other%\"");
        await c.Expect("* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"Other Users/bob@a.test/Gone\"", "c OK …", "* LSUB () \"/\" \"Other Users/bob@a.test/Gone\"", "d OK …",
            "* LIST (\\HasChildren) \"/\" \"INBOX\"", "e OK …", "f NO [CANNOT] …", "g NO [CANNOT] …", "* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users/bob@a.test\"", "h OK …",
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"", "i OK …");
    }

    [Fact]
    public async Task Where_dots_are_delimiters_a_user_name_has_none()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Account = mail.Owner.Account with { Shares = true, Delimiter = '.', Prefix = "INBOX.", OtherUsers = "user", SharedFolders = "" };
        mail.Owner.Others = new SharedTree([new(new AccountId(3), "info@a.test", true, new MailboxInfo(new MailboxId(78), MailboxPath.Of("A", "B"), true, [], null))], []);
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a NAMESPACE", "b LIST \"\" user.*");
        await c.Expect("* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\")) NIL", "a OK …",
            "* LIST (\\Noselect \\HasChildren) \".\" \"user.info@a^test\"", "* LIST (\\Noselect \\HasChildren) \".\" \"user.info@a^test.A\"", "* LIST (\\HasNoChildren) \".\" \"user.info@a^test.A.B\"", "b OK …");
    }

    [Fact]
    public async Task What_only_some_accounts_have_is_told_to_them()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        Assert.EndsWith(" ACL RIGHTS=texkn LIST-MYRIGHTS", (await c.Run("a CAPABILITY"))[0]);
    }
}
