using System.IO.Pipelines;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Bodies;

/// <summary>A database of its own for each test, and the ways to put bodies and emails in.</summary>
public abstract class BodyTest(PostgresFixture postgres) : IAsyncLifetime
{
    protected static readonly TenantId Tenant = new(7);
    protected static readonly AccountId Account = new(9);

    protected string ConnectionString { get; private set; } = null!;
    protected NpgsqlDataSource Database { get; private set; } = null!;
    protected MessageBodies Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabaseAsync();
        Database = NpgsqlDataSource.Create(ConnectionString);
        Store = new MessageBodies(Database, new IdBlocks(Database));
    }

    public async ValueTask DisposeAsync() => await Database.DisposeAsync();

    protected async Task<StagedBody> StageAsync(byte[] message, int claims = 1)
    {
        var staged = await Store.StageAsync(Tenant, PipeReader.Create(new MemoryStream(message)), claims, message.Length, long.MaxValue, default);
        Assert.True(staged.IsOk, staged.Error?.Text);
        return staged.Value;
    }

    protected async Task<byte[]> ReadAsync(BodyId body, long offset, long count, long size = long.MaxValue)
    {
        var bytes = new MemoryStream();
        await foreach (var piece in Store.ReadAsync(body, size, offset, count, default))
            bytes.Write(piece.Span);
        return bytes.ToArray();
    }

    /// <summary>An email as a commit would make it, taking one claim.</summary>
    protected async Task<EmailId> ClaimAsync(StagedBody body, int claim, string prefix = "")
    {
        Assert.Equal(1, await ExecuteAsync($"delete from mail.body_staged where body_id = {body.Body} and claim = {claim}"));
        var id = new EmailId(body.Body.Value * 100 + claim);
        await ExecuteAsync($"""
            insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)
            values ({Account}, {id}, {body.Body}, {id}, {body.Size + prefix.Length}, now(), 0, convert_to('{prefix}', 'UTF8'))
            """);
        return id;
    }

    protected Task<int> ExecuteAsync(string sql) => Database.CreateCommand(sql).ExecuteNonQueryAsync();

    protected async Task<T> ScalarAsync<T>(string sql) => (T)(await Database.CreateCommand(sql).ExecuteScalarAsync())!;

    /// <summary>Rows of all tables that a body lives in.</summary>
    protected Task<long> RowsAsync() => ScalarAsync<long>("""
        select (select count(*) from mail.body) + (select count(*) from mail.body_chunk) + (select count(*) from mail.content) + (select count(*) from mail.body_staged)
        """);

    /// <summary>A message of about this size with CRLF lines that no compression makes small.</summary>
    protected static byte[] Message(int size)
    {
        var random = new Random(size);
        var text = new System.Text.StringBuilder("Message-ID: <m@x.test>\r\nReferences: <a@x.test> <m@x.test> <b@x.test>\r\nSubject: test\r\n\r\n");
        while (text.Length < size)
            text.Append(Convert.ToBase64String(BitConverter.GetBytes(random.NextInt64()))).Append(Convert.ToBase64String(BitConverter.GetBytes(random.NextInt64()))).Append("\r\n");
        return System.Text.Encoding.ASCII.GetBytes(text.ToString(0, Math.Max(size, 0)));
    }
}
