using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Annotations (RFC 5464) and quotas (RFC 9208) as they are kept.</summary>
public sealed class MetadataTests(MailServer server)
{
    [Fact]
    public async Task Annotations_are_the_same_in_all_sessions_and_follow_their_mailbox()
    {
        ImapClient[] c = await server.SessionsAsync(2);
        await c[1].Run("a CREATE Work");
        await c[1].Run("a SETMETADATA Work (/private/comment \"mine\" /shared/comment \"all read this\" /private/vendor/acme/a \"1\" /private/vendor/acme/a/b \"2\")");
        await c[2].Send("b GETMETADATA Work (/private/comment /shared/comment)");
        await c[2].Expect("* METADATA \"Work\" (/private/comment \"mine\" /shared/comment \"all read this\")", "b OK …");
        await c[1].Run("a RENAME Work Play");
        await c[2].Send("b GETMETADATA Play (DEPTH 1) (/private/vendor/acme /shared)");
        await c[2].Expect("* METADATA \"Play\" (/private/vendor/acme/a \"1\" /shared/comment \"all read this\")", "b OK …");
        await c[2].Send("b LIST \"\" P% RETURN (METADATA (/private/comment /shared/nothing))");
        await c[2].Expect("* LIST …", "* METADATA \"Play\" (/private/comment \"mine\" /shared/nothing NIL)", "b OK …");
        // One that takes the place of a deleted one inherits nothing.
        await c[1].Run("a DELETE Play");
        await c[1].Run("a CREATE Play");
        await c[2].Send("b GETMETADATA Play (DEPTH infinity) (/private /shared)", "b GETMETADATA Play /private/comment");
        await c[2].Expect("b OK …", "* METADATA \"Play\" (/private/comment NIL)", "b OK …");
        // Those of INBOX go with its mail, and stay.
        await c[1].Run("a SETMETADATA INBOX (/private/comment \"in\")");
        await c[1].Run("a RENAME INBOX Old");
        await c[2].Send("b GETMETADATA INBOX /private/comment", "b GETMETADATA Old /private/comment");
        await c[2].Expect("* METADATA \"INBOX\" (/private/comment \"in\")", "b OK …", "* METADATA \"Old\" (/private/comment \"in\")", "b OK …");
    }

    [Fact]
    public async Task All_entries_are_set_or_none()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        for (int i = 0; i < 4; i++)
            await c.Run($"a SETMETADATA INBOX ({string.Join(' ', Enumerable.Range(i * 50, 50).Select(static n => $"/private/vendor/acme/{n} \"x\""))})");
        await c.Send("b SETMETADATA INBOX (/private/vendor/acme/0 \"changed\" /private/comment \"one too many\")");
        await c.No("b", "[METADATA TOOMANY] …");
        await c.Send("b GETMETADATA INBOX (/private/vendor/acme/0 /private/comment)");
        await c.Expect("* METADATA \"INBOX\" (/private/vendor/acme/0 \"x\" /private/comment NIL)", "b OK …");
        // Another's place, and shared ones, are counted apart.
        await c.Run("b SETMETADATA INBOX (/private/vendor/acme/0 NIL /private/comment \"now it fits\")");
        await c.Run("b SETMETADATA Trash (/private/comment \"x\")");
    }

    [Fact]
    public async Task The_use_of_a_mailbox_is_an_annotation()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Run("a CREATE Later");
        await c.Run("a SETMETADATA Later (/private/specialuse \"\\\\snoozed \\\\Important\")");
        await c.Send("b LIST \"\" Later", "c GETMETADATA Later /private/specialuse", "d SETMETADATA Later (/private/specialuse \"\\\\Trash\")", "e SETMETADATA Later (/private/specialuse \"\\\\Fish\")",
            "f SETMETADATA INBOX (/private/specialuse \"\\\\All\")", "g SETMETADATA Later (/private/specialuse NIL)", "h LIST \"\" Later");
        await c.Expect(
            "* LIST (\\HasNoChildren \\Snoozed \\Important) \"/\" \"Later\"", "b OK …", "* METADATA \"Later\" (/private/specialuse \"\\\\Snoozed \\\\Important\")", "c OK …",
            "d NO [USEATTR] …", "e NO [USEATTR] …", "f NO [USEATTR] …", "g OK …", "* LIST (\\HasNoChildren) \"/\" \"Later\"", "h OK …");
    }

    [Fact]
    public async Task Of_the_server_a_user_sets_his_own_and_a_manager_what_all_read()
    {
        string alice = await server.AccountAsync(), manager = await server.AccountAsync();
        Assert.True((await server.Accounts.SetManagesAsync(manager, true)).IsOk);
        Assert.True((await server.Tenants.SetAnnotationAsync("test", "/shared/admin", "mailto:help@test.example")).IsOk);
        await using ImapClient a = await ImapClient.LoggedInAsync(server.Imap, alice, MailServer.Password);
        await using ImapClient m = await ImapClient.LoggedInAsync(server.Imap, manager, MailServer.Password);
        await a.Run("a SETMETADATA \"\" (/private/vendor/acme/x \"alice's\")");
        await m.Run("a SETMETADATA \"\" (/shared/vendor/acme/motd \"Hello\")");
        await a.Send("b GETMETADATA \"\" (DEPTH infinity) (/private /shared/vendor /shared/admin)", "c SETMETADATA \"\" (/shared/comment \"x\")");
        await a.Expect("* METADATA \"\" (/private/vendor/acme/x \"alice's\" /shared/admin \"mailto:help@test.example\" /shared/vendor/acme/motd \"Hello\")", "b OK …", "c NO [NOPERM] …");
        await m.Send("b GETMETADATA \"\" /private/vendor/acme/x", "c SETMETADATA \"\" (/shared/admin \"mailto:me@evil.test\")", "d SETMETADATA \"\" (/shared/vendor/acme/motd NIL)");
        await m.Expect("* METADATA \"\" (/private/vendor/acme/x NIL)", "b OK …", "c NO [NOPERM] …", "d OK …");
    }

    [Fact]
    public async Task Quotas_are_told_as_they_are_kept()
    {
        string user = await server.AccountAsync(maxBytes: 10 * 1024), manager = await server.AccountAsync();
        Assert.True((await server.Accounts.SetManagesAsync(manager, true)).IsOk);
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await using ImapClient m = await ImapClient.LoggedInAsync(server.Imap, manager, MailServer.Password);
        int folders = (await c.Run("a LIST \"\" *")).Count;
        await c.Append("a", "INBOX", "Subject: x\r\n\r\n" + new string('x', 1500) + "\r\n");
        await c.Append("a", "INBOX", "Subject: x\r\n\r\n" + new string('x', 2000) + "\r\n", "(\\Deleted)");
        await c.Run("a SETMETADATA INBOX (/private/comment \"x\")");
        await c.Send("b GETQUOTAROOT INBOX", "c STATUS INBOX (DELETED DELETED-STORAGE)");
        string limits = $"MAILBOX {folders} 10000 ANNOTATION-STORAGE 1 10240";
        await c.Expect($"* QUOTAROOT \"INBOX\" user/{user}", $"* QUOTA user/{user} (STORAGE 4 10 {limits})", "b OK …", "* STATUS \"INBOX\" (DELETED 1 DELETED-STORAGE 2016)", "c OK …");
        // The same from the rows, where nobody has the mailbox in memory.
        await c.Append("a", "Trash", "Subject: y\r\n\r\n", "(\\Deleted)");
        await c.Send("c LIST \"\" (INBOX Trash Sent) RETURN (STATUS (DELETED DELETED-STORAGE))");
        await c.Expect(
            "* LIST …", "* STATUS \"INBOX\" (DELETED 1 DELETED-STORAGE 2016)", "* LIST …", "* STATUS \"Sent\" (DELETED 0 DELETED-STORAGE 0)",
            "* LIST …", "* STATUS \"Trash\" (DELETED 1 DELETED-STORAGE 14)", "c OK …");

        // Nobody but a manager of the tenant sees or sets another's.
        await c.Send($"d SETQUOTA user/{user} (STORAGE 999)", $"e GETQUOTA user/{manager}");
        await c.Expect("d NO [NOPERM] …", "e NO [NONEXISTENT] …");
        await m.Send($"f SETQUOTA user/{user} (STORAGE 4 MESSAGE 3 MAILBOX {folders} ANNOTATION-STORAGE 0)", $"g GETQUOTA user/{user}");
        string lowered = $"* QUOTA user/{user} (STORAGE 4 4 MESSAGE 3 3 MAILBOX {folders} {folders} ANNOTATION-STORAGE 1 0)";
        await m.Expect(lowered, "f OK …", lowered, "g OK …");
        await c.Send("h CREATE more", "i SETMETADATA INBOX (/private/comment \"xyz\")", "j SETMETADATA INBOX (/private/comment NIL)");
        await c.Expect("h NO [LIMIT] …", "i NO [OVERQUOTA] …", "j OK …");
        await c.SendRaw("k APPEND INBOX {14+}\r\nSubject: z\r\n\r\n\r\n");
        await c.No("k", "[OVERQUOTA] …");
    }

    [Fact]
    public async Task A_tenant_that_is_limited_is_a_root_of_its_own()
    {
        await server.AccountAsync();
        Assert.True((await server.Tenants.AddAsync("small")).IsOk);
        Assert.True((await server.Tenants.AddDomainAsync("small.example", "small")).IsOk);
        Assert.True((await server.Accounts.AddAsync("one@small.example", ScramVerifier.Create(MailServer.Password))).IsOk);
        Assert.True((await server.Tenants.SetQuotaAsync("small", new Quota(2, 1 << 20))).IsOk);
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, "one@small.example", MailServer.Password);
        await c.Append("a", "INBOX", "Subject: x\r\n\r\n");
        await c.Send("b GETQUOTAROOT INBOX", "c GETQUOTA tenant");
        await c.Expect(
            "* QUOTAROOT \"INBOX\" user/one@small.example tenant", "* QUOTA user/one@small.example (MAILBOX …)", "* QUOTA tenant (STORAGE 1 1024 MESSAGE 1 2)", "b OK …",
            "* QUOTA tenant (STORAGE 1 1024 MESSAGE 1 2)", "c OK …");
    }
}
