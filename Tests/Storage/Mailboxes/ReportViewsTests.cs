using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Mailboxes;

/// <summary>What operators may ask PostgreSQL (schema report), asked by a role that may do nothing else.</summary>
public sealed class ReportViewsTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task Each_view_tells_what_its_sentence_says_to_a_role_that_sees_nothing_else()
    {
        AccountId account = await AccountAsync();
        await ExecuteAsync($"insert into directory.tenant (id, name) values (1, 'a'); insert into directory.account (id, tenant_id, user_name, delivery) values ({account}, 1, 'alice@a.test', 1)");
        Owned inbox = await MailboxAsync(account), plans = await MailboxAsync(account, "Work/Plans");
        await DoneAsync(await AppendOfAsync(inbox, 3, keywords: ["b", "A"]));
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Seen | SystemFlags.Draft));
        await DoneAsync(RemoveOf(inbox, Uids(2)));
        await DoneAsync(await AppendOfAsync(plans, 1));
        await Tree.DeleteAsync(account, NextOperation(), MailboxPath.Parse("Work/Plans", '/'));
        await new ExpungedMessages(Database.Main).GatherAsync(account);
        await ExecuteAsync("""
            insert into directory.front_end (node) values ('front'); insert into directory.front_end (node, seen) values ('lost', now() - interval '1 minute');
            insert into directory.session (node, session_id, account_id, tenant_id, user_name, protocol, address, since, mailbox_account_id, mailbox_id)
            select n, 's', a.id, 1, a.user_name, 'imap', '192.0.2.1', now(), a.id, m.id from directory.account a join mail.mailbox m on m.account_id = a.id and m.path = '{INBOX}', unnest(array['front', 'lost']) n
            """);

        // A role of the server: another test's database may have made it.
        await ExecuteAsync("do $$ begin create role reporter; exception when duplicate_object or unique_violation then null; end $$; grant usage on schema report to reporter; grant select on all tables in schema report to reporter");
        await using NpgsqlConnection reporter = await Database.Main.OpenConnectionAsync();
        await using (var become = new NpgsqlCommand("set role reporter", reporter))
            await become.ExecuteNonQueryAsync();
        Assert.Equal("a|t|1|2|200||", await RowsAsync("select tenant, enabled, accounts, messages, bytes, max_messages, max_bytes from report.tenant"));
        Assert.Equal("alice@a.test|a|deferred|2|200", await RowsAsync("select user_name, tenant, delivery, messages, bytes from report.account"));
        Assert.Equal("INBOX|4|2|1;Work|1|0|0", await RowsAsync("select mailbox, uidnext, messages, unseen from report.mailbox where user_name = 'alice@a.test' order by 1"));
        Assert.Equal(@"INBOX|1|{""\\Seen"",""\\Draft""}|{A,b}|100;INBOX|3|{}|{A,b}|100", await RowsAsync("select mailbox, uid, flags, keywords, size from report.message order by uid"));
        Assert.Equal("INBOX|added|{[1,4)};INBOX|flags|{[1,2)};INBOX|expunged|{[2,3)};Work/Plans|added|{[1,2)}", await RowsAsync("select mailbox, what, uids from report.change order by mailbox, modseq"));
        Assert.Equal("INBOX|f|2;Work/Plans|t|1", await RowsAsync("select mailbox, mailbox_deleted, uid from report.expunged order by 1"));
        Assert.Equal("alice@a.test|a|imap|front|INBOX", await RowsAsync("select user_name, tenant, protocol, node, mailbox from report.session"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => RowsAsync("select * from mail.email"))).SqlState);
        await using var back = new NpgsqlCommand("reset role", reporter);
        await back.ExecuteNonQueryAsync();

        async Task<string> RowsAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, reporter) { AllResultTypesAreUnknown = true };
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
                rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "" : reader.GetString(i))));
            return string.Join(';', rows);
        }
    }
}
