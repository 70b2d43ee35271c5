using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;

namespace MailCluster.Storage.Search;

/// <summary>Signatures of emails in PostgreSQL: see <see cref="ISearchIndex"/>.</summary>
public sealed class SearchIndex(NpgsqlDataSource database, BodyOptions? options = null) : ISearchIndex
{
    private readonly TimeSpan _patience = (options ?? new()).Patience;

    /// <summary>Groups that one statement reads: some 100,000 emails, a few milliseconds for a word.</summary>
    private const int Page = 200;

    /// <inheritdoc/>
    public async IAsyncEnumerable<SearchGroup> ReadAsync(
        AccountId account, IReadOnlyList<int> positions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long after = long.MinValue;
        List<SearchGroup> page;
        do
        {
            page = await Store.Persist(_ => ReadPageAsync(account, positions, after, cancellationToken), _patience, cancellationToken).ConfigureAwait(false);
            foreach (SearchGroup group in page)
            {
                after = group.Emails[0];
                yield return group;
            }
        }
        while (page.Count == Page);
    }

    /// <inheritdoc/>
    public async ValueTask AddAsync(AccountId account, IReadOnlyList<EmailId> emails, byte[] slices, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(emails.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(emails.Count, SearchGroup.MaxEmails);
        await Store.Guard(async () =>
        {
            // A cache: nobody waits for the disk.
            await using NpgsqlCommand command = database.CreateCommand("""
                with relaxed as (select set_config('synchronous_commit', 'off', true))
                insert into mail.search_group (account_id, first_email, format, emails, bits) select $1, $2, $3, $4, $5 from relaxed on conflict do nothing
                """);
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = emails[0].Value });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = SearchGroup.Format });
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. emails.Select(static e => e.Value)] });
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = slices });
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task<List<SearchGroup>> ReadPageAsync(AccountId account, IReadOnlyList<int> positions, long after, CancellationToken cancellationToken)
    {
        // A signature of 2^n positions keeps the first n bits of one. The length of what lies out of line is known without reading it.
        await using NpgsqlCommand command = database.CreateCommand($"""
            select g.emails, (
                select string_agg(substring(g.bits from ((p * (octet_length(g.bits) / {SearchGroup.SliceBytes})) / {SearchGroup.Positions} * {SearchGroup.SliceBytes} + 1)::integer
                    for {SearchGroup.SliceBytes}), ''::bytea order by i) from unnest($4) with ordinality as x(p, i))
            from mail.search_group g where g.account_id = $1 and g.first_email > $2 and g.format = $3 order by g.first_email limit {Page}
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = SearchGroup.Format });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. positions.Select(static p => (long)p)] });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var groups = new List<SearchGroup>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            groups.Add(new SearchGroup(reader.GetFieldValue<long[]>(0), reader.GetFieldValue<byte[]>(1)));
        return groups;
    }
}
