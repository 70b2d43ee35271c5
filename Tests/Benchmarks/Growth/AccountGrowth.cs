using System.Diagnostics;
using System.Net;
using MailCluster.Benchmarks.Load;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What is done while more and more accounts, and messages of theirs, are in the database.</summary>
internal static class AccountGrowth
{
    private const int Slice = 10_000;
    private const int Samples = 200;
    private const int PageSize = 100;

    public static async Task RunAsync(BenchCluster cluster, GrowthSettings settings, CancellationToken cancellation)
    {
        var curves = new GrowthCurves("accounts in the database", settings.Accounts);
        string? earlier = settings.Data is { } data ? Path.Combine(data, "growth-accounts.json") : null;
        if (earlier is not null)
            await curves.LoadAsync(earlier);
        var filling = Stopwatch.StartNew();
        foreach (int size in settings.Accounts)
        {
            // A run before this one has come further.
            if (await IsThereAsync(cluster, size))
                continue;
            if (!await FillAsync(cluster, size, settings, filling, cancellation))
                break;
            await new StoredMail(cluster.Database).SettleAsync();
            await MeasureAsync(cluster, size, curves, cancellation);
            if (earlier is not null)
                await curves.SaveAsync(earlier);
        }
        Console.WriteLine(curves.ToTable());
        if (settings.Plots is { } directory)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "growth-accounts.svg"), GrowthPlot.Svg(
                curves, "Cost as accounts and mail grow", 1.3,
                $"median time, to that at {settings.Accounts[0]:#,0} accounts, {settings.MessagesEach} messages each; {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} processors"), cancellation);
        }
    }

    private static string User(int number) => $"acc{number:D7}@test.example";

    private static async Task<bool> IsThereAsync(BenchCluster cluster, int number)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand("select 1 from directory.account where user_name = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = User(number) });
        return await command.ExecuteScalarAsync() is not null;
    }

    /// <summary>Adds accounts until there are so many; false when the time for it was over before.</summary>
    private static async Task<bool> FillAsync(BenchCluster cluster, int size, GrowthSettings settings, Stopwatch filling, CancellationToken cancellation)
    {
        List<FilledBody>? bodies = null;
        var missing = new List<int>();
        for (int from = 0; from < size; from += Slice)
        {
            if (!await IsThereAsync(cluster, Math.Min(size, from + Slice) - 1))
                missing.Add(from);
        }
        if (missing.Count > 0)
            bodies = await BodiesAsync(cluster);
        int left = missing.Count;
        await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = cancellation }, async (from, _) =>
        {
            if (filling.Elapsed > settings.Fill)
                return;
            // What a smaller size has left of the slice.
            int first = settings.Accounts.Where(s => s > from && s < from + Slice && s < size).Append(from).Max();
            await FillAsync(cluster, first, Math.Min(size, from + Slice), settings.MessagesEach, bodies!);
            Interlocked.Decrement(ref left);
        });
        if (left > 0)
            Console.WriteLine($"{left * (long)Slice:#,0} of {size:#,0} accounts are still missing: run it again with the same --data to go on.");
        return left == 0;
    }

    // Mail to many, as newsletters are: one body for all who got it.
    private static async Task<List<FilledBody>> BodiesAsync(BenchCluster cluster)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand("select id from directory.tenant where name = 'test'");
        return await new StoredMail(cluster.Database).AddBodiesAsync((long)(await command.ExecuteScalarAsync())!, Enumerable.Range(1, 1000).Select(static i => SampleMessages.Of(i, 1024)));
    }

    /// <summary>
    /// Accounts with their folders and messages, as provisioning and deliveries would have left them, by one statement: all of a slice is there or nothing.
    /// </summary>
    private static async Task FillAsync(BenchCluster cluster, int from, int to, int messages, IReadOnlyList<FilledBody> bodies)
    {
        await using NpgsqlConnection connection = await cluster.Database.OpenConnectionAsync();
        await using (var flush = new NpgsqlCommand("set synchronous_commit = off", connection))
            await flush.ExecuteNonQueryAsync();
        await using var command = new NpgsqlCommand(
            """
            with ids as materialized (
                -- Blocks of ids, as a node takes them: an account, six folders, and an email for each message.
                select setval('directory.id_block', nextval('directory.id_block') + ($2 - $1) * (7 + $3) / 4096 * 4096) - ($2 - $1) * (7 + $3) / 4096 * 4096 as first
            ), tenant as materialized (
                select id from directory.tenant where name = 'test'
            ), a as materialized (
                select i.first + (n - $1) * (7 + $3) as id, t.id as tenant_id, 'acc' || lpad(n::text, 7, '0') || '@test.example' as user_name, n
                from ids i, tenant t, generate_series($1, $2 - 1) n
            ), folder(no, path, use) as (
                values (1, 'INBOX', null), (2, 'Sent', '\Sent'), (3, 'Drafts', '\Drafts'), (4, 'Trash', '\Trash'), (5, 'Junk', '\Junk'), (6, 'Archive', '\Archive')
            ), body as materialized (
                select * from unnest($4, $5) with ordinality as b(id, size, no)
            ), e as materialized (
                select a.id as account_id, a.id + 1 as mailbox_id, u as uid, a.id + 6 + u as id, b.id as body_id, b.size, now() - interval '30 days' + u * interval '1 hour' as at
                from a cross join generate_series(1, $3) u join body b on b.no = (a.n * $3 + u) % cardinality($4) + 1
            ), counted as materialized (
                select e.account_id, sum(e.size)::bigint as bytes from e group by e.account_id
            ), i1 as (
                insert into directory.account (id, tenant_id, user_name, verifier) select a.id, a.tenant_id, a.user_name, $6 from a
            ), i2 as (
                insert into mail.account (account_id, tenant_id, user_name, messages, bytes, last_uidvalidity)
                select a.id, a.tenant_id, a.user_name, $3, coalesce(c.bytes, 0), extract(epoch from now())::bigint from a left join counted c on c.account_id = a.id
            ), i3 as (
                insert into mail.mailbox (account_id, id, path, special_use, uidvalidity, uidnext, highest_modseq, messages, unseen, bytes)
                select a.id, a.id + f.no, array[f.path], array_remove(array[f.use], null), extract(epoch from now())::bigint,
                    case f.no when 1 then $3 + 1 else 1 end, case f.no when 1 then 2 else 1 end, case f.no when 1 then $3 else 0 end, case f.no when 1 then $3 else 0 end,
                    case f.no when 1 then coalesce(c.bytes, 0) else 0 end
                from a cross join folder f left join counted c on c.account_id = a.id
            ), i4 as (
                insert into mail.subscription (account_id, path) select a.id, array[f.path] from a cross join folder f
            ), i5 as (
                insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix) select account_id, id, body_id, id, size, at, 0, '' from e
            ), i6 as (
                insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone) select account_id, mailbox_id, uid, id, id, size, at, 0 from e
            ), i7 as (
                insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) select account_id, mailbox_id, uid, 0, 2 from e
            )
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
            select a.id, a.id + 1, 2, 1, int8multirange(int8range(1, $3, '[]')), 'bench', 'bench', 0, 0 from a where $3 > 0
            """, connection) { CommandTimeout = 0 };
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = to });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = messages });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. bodies.Select(static b => b.Id)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. bodies.Select(static b => b.Size)] });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = MailboxGrowth.Verifier });
        await command.ExecuteNonQueryAsync();
    }

    private static async Task MeasureAsync(BenchCluster cluster, int size, GrowthCurves curves, CancellationToken cancellation)
    {
        Console.Error.WriteLine($"measuring at {size:#,0} accounts");
        for (int i = 0; i < 3; i++)
            curves.Add("start of a node", size, Times(await cluster.RestartAsync()));
        var imap = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        var random = new Random(size);
        // Never the same twice: what compiles as it goes does it with the first part of them.
        int[] accounts = [.. Enumerable.Range(0, 3 * Samples).Select(_ => random.Next(size)).Distinct()];
        using LmtpConnection lmtp = await LmtpConnection.GreetedAsync(new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.LmtpPort));
        NumberedBytes message = SampleMessages.Message(1024, random.Next());
        await LoopAsync(null, accounts[..(accounts.Length / 3)]);
        await LoopAsync(curves, accounts[(accounts.Length / 3)..]);

        async Task LoopAsync(GrowthCurves? into, int[] some)
        {
            await EachAsync("first log-in", async account => await LogInAsync(account));
            await EachAsync("log-in again", async account => await LogInAsync(account));
            await EachAsync("delivery to a mailbox in nobody's memory", async account => await lmtp.DeliverAsync(LmtpConnection.Envelope([User(account)]), 1, message.Next()));
            await EachAsync($"a page of {PageSize} accounts", async account =>
            {
                long began = Stopwatch.GetTimestamp();
                await cluster.Accounts.Accounts.ListAsync(null, User(account), PageSize);
                return Answer.Since(began);
            });

            async Task EachAsync(string work, Func<int, Task<Answer>> once)
            {
                var times = new Latencies();
                double before = GrowthCommand.Cpu(cluster);
                foreach (int account in some)
                {
                    cancellation.ThrowIfCancellationRequested();
                    times.Add((await once(account)).Ticks);
                }
                into?.Add(work, size, times, GrowthCommand.Cpu(cluster) - before);
            }
        }

        async Task<Answer> LogInAsync(int account)
        {
            using ImapConnection connection = await ImapConnection.GreetedAsync(imap);
            Answer answer = await connection.RunAsync(ImapConnection.Login(User(account), BenchCluster.Password));
            await connection.RunAsync(ImapConnection.Command("LOGOUT"));
            return answer;
        }
    }

    private static Latencies Times(TimeSpan time)
    {
        var times = new Latencies();
        times.Add((long)(time.TotalSeconds * Stopwatch.Frequency));
        return times;
    }
}
