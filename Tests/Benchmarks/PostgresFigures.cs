using System.Diagnostics;
using Npgsql;

namespace MailCluster.Benchmarks;

/// <summary>What PostgreSQL itself reaches, with fsync, without anything of ours in between.</summary>
internal static class PostgresFigures
{
    /// <summary>Single-row inserts a second of so many octets (binary, prepared, autocommit) from so many clients.</summary>
    public static async Task<double> InsertsAsync(string connectionString, int clients, int bytes, double seconds)
    {
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(connectionString + ";Maximum Pool Size=64");
        await ExecuteAsync(database, "create table bench_row (id bigint generated always as identity primary key, data bytea not null)");
        try
        {
            byte[] data = new byte[bytes];
            // Mail does not compress to nothing, as zeros would.
            Random.Shared.NextBytes(data);
            return await LoopAsync(database, clients, seconds, "insert into bench_row (data) values ($1)",
                (command, _) =>
                {
                    command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = data });
                    return static () => { };
                });
        }
        finally
        {
            await ExecuteAsync(database, "drop table bench_row");
        }
    }

    /// <summary>Calls of <c>mail.commit_store_v2</c> a second that store one flag of one message each, from so many clients on messages of one mailbox.</summary>
    /// <remarks>It takes the claim on some mailbox of a benchmark that was run before; whoever owns it takes it back at its next command.</remarks>
    public static async Task<double> StoresAsync(string connectionString, int clients, double seconds)
    {
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(connectionString + ";Maximum Pool Size=64");
        await using NpgsqlCommand pick = database.CreateCommand(
            """
            select m.account_id, m.id from mail.mailbox m join mail.account a on a.account_id = m.account_id
            where m.messages >= 100 and m.deleted_at is null order by m.messages limit 1
            """);
        long account, mailbox;
        await using (NpgsqlDataReader reader = await pick.ExecuteReaderAsync())
        {
            if (!await reader.ReadAsync())
                throw new InvalidOperationException("No mailbox has 100 messages.");
            (account, mailbox) = (reader.GetInt64(0), reader.GetInt64(1));
        }
        await using NpgsqlCommand claim = database.CreateCommand("select epoch from mail.claim_v1($1, $2, 'bench')");
        claim.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account });
        claim.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox });
        long epoch = (long)(await claim.ExecuteScalarAsync())!;
        return await LoopAsync(database, clients, seconds,
            """
            select op, modseq, changed, modified from mail.commit_store_v2($1, $2, null, $3, $4, (extract(epoch from clock_timestamp()) * 1000000)::bigint,
                'bench', 'bench', null, 0::smallint, $5, null, $4, null)
            """,
            (command, client) =>
            {
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account });
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox });
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = epoch });
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = client + 1 });
                var flags = new NpgsqlParameter<short> { TypedValue = 0 };
                command.Parameters.Add(flags);
                return () => flags.TypedValue ^= 4;
            });
    }

    private static async Task<double> LoopAsync(NpgsqlDataSource database, int clients, double seconds, string sql, Func<NpgsqlCommand, int, Action> bind)
    {
        long done = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(i => Task.Run(async () =>
        {
            await using NpgsqlConnection connection = await database.OpenConnectionAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            Action change = bind(command, i);
            await command.PrepareAsync();
            for (; clock.Elapsed.TotalSeconds < seconds; Interlocked.Increment(ref done))
            {
                change();
                await command.ExecuteNonQueryAsync();
            }
        })));
        return done / clock.Elapsed.TotalSeconds;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using NpgsqlCommand command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
