using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Bodies;

/// <summary>To plan anew for each key takes PostgreSQL ten times as long as to read a small body.</summary>
public sealed class BodyPlanTests(PostgresFixture postgres) : BodyTest(postgres)
{
    [Fact]
    public async Task What_is_read_by_key_is_planned_once_and_never_scans()
    {
        byte[] small = Message(2000), large = Message(BodyUpload.ChunkSize + 1000);
        StagedBody one = await StageAsync(small), two = await StageAsync(large);
        EmailId email = await ClaimAsync(one, 0);
        // One connection for messages.
        await using var database = new MailDatabase(ConnectionString, "test", 4);
        var store = new MessageBodies(database.Main, new IdBlocks(database.Main), messages: database.Messages);
        for (int i = 0; i < 12; i++)
        {
            Assert.Equal(small, (await store.GetBodiesAsync([one.Body], 8000, default))[0]);
            Assert.Equal(one.Body, (await store.GetEmailsAsync(Account, [email], withContent: true, default))[0]!.Body);
            Assert.Equal(one.Body, (await store.GetEmailsAsync(Account, [email], withContent: false, default))[0]!.Body);
            var read = new MemoryStream();
            await foreach (ReadOnlyMemory<byte> piece in store.ReadAsync(two.Body, large.Length, 0, large.Length, default))
                read.Write(piece.Span);
            Assert.Equal(large, read.ToArray());
        }
        await using NpgsqlConnection connection = await database.Messages.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("select statement, generic_plans, custom_plans from pg_prepared_statements where statement like '%mail.%'", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        int statements = 0;
        while (await reader.ReadAsync())
        {
            statements++;
            Assert.True(reader.GetInt64(2) == 0 && reader.GetInt64(1) > 5, reader.GetString(0));
        }
        Assert.Equal(4, statements);
    }
}
