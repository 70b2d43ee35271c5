using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>Filters in memory.</summary>
internal sealed class FakeFilters : IMailFilters
{
    private int _claim = 1_000_000;
    private int _asked;

    /// <summary>Active scripts by account.</summary>
    public ConcurrentDictionary<AccountId, string> Active { get; } = new();

    public ConcurrentDictionary<(ScriptOwner, string), string> Scripts { get; } = new();

    public ConcurrentDictionary<(AccountId, MemoryKey), bool> Memory { get; } = new();

    public ConcurrentQueue<FilterCommit> Commits { get; } = new();

    public ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>What the next commits answer.</summary>
    public ConcurrentQueue<Func<FilterCommit, FilterOutcome>> Answers { get; } = new();

    /// <summary>How often somebody asked for filters.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public int MostADay { get; set; } = 1000;

    public IEnumerable<OutgoingMail> Mail => Commits.SelectMany(static c => c.Mail);

    public ValueTask<IReadOnlyDictionary<AccountId, AccountFilters>> FiltersAsync(
        IReadOnlyList<(AccountId Account, TenantId Tenant)> accounts, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        return new(accounts.Where(a => Has(a.Account, a.Tenant)).ToDictionary(
            static a => a.Account,
            a => new AccountFilters(Of(a.Tenant, ScriptNames.Before), Active.TryGetValue(a.Account, out string? own) ? new ScriptRef("own", Hash(own)) : null, Of(a.Tenant, ScriptNames.After))));
    }

    public ValueTask<StoredScript?> SourceAsync(ScriptOwner owner, string name, CancellationToken cancellationToken)
    {
        string? source = name == "own" && owner.Account is { } account ? Active.GetValueOrDefault(account) : Scripts.GetValueOrDefault((owner, name));
        return new(source is null ? null : new StoredScript(name, Hash(source), Encoding.UTF8.GetBytes(source)));
    }

    public ValueTask<IReadOnlySet<MemoryKey>> RecallAsync(AccountId account, IReadOnlyList<MemoryKey> keys, CancellationToken cancellationToken) =>
        new(keys.Where(k => Memory.ContainsKey((account, k))).ToHashSet());

    public ValueTask<MailResult<IReadOnlyList<int>>> ClaimAsync(BodyId body, int count, CancellationToken cancellationToken) =>
        new(new MailResult<IReadOnlyList<int>>([.. Enumerable.Range(0, count).Select(_ => ++_claim)], null));

    public ValueTask<FilterOutcome> CommitAsync(FilterCommit commit, CancellationToken cancellationToken)
    {
        if (Answers.TryDequeue(out Func<FilterCommit, FilterOutcome>? answer) && answer(commit) is var said and not FilterOutcome.Done)
            return new(said);
        if (commit.Mail.Count(static m => m.Required) > MostADay)
            return new(FilterOutcome.OverLimit);
        if (!Memory.TryAdd((commit.Account, new MemoryKey(MemoryKind.Delivery, commit.Delivery)), true))
            return new(FilterOutcome.DoneBefore);
        Commits.Enqueue(commit with { Mail = [.. commit.Mail.Where(m => m.Once is not { } once || Memory.TryAdd((commit.Account, once.Key), true))] });
        foreach ((MemoryKey key, _) in commit.Remember)
            Memory[(commit.Account, key)] = true;
        return new(FilterOutcome.Done);
    }

    public ValueTask NoteFailureAsync(AccountId account, string failure, CancellationToken cancellationToken)
    {
        Failures.Enqueue(failure);
        return ValueTask.CompletedTask;
    }

    private ScriptRef? Of(TenantId tenant, string name) => Scripts.TryGetValue((ScriptOwner.Of(tenant), name), out string? source) ? new ScriptRef(name, Hash(source)) : null;

    public bool Has(AccountId account, TenantId tenant) => Active.ContainsKey(account) || Has(tenant, ScriptNames.Before) || Has(tenant, ScriptNames.After);

    private bool Has(TenantId tenant, string name) => Scripts.ContainsKey((ScriptOwner.Of(tenant), name));

    private static Guid Hash(string source) => new(SHA256.HashData(Encoding.UTF8.GetBytes(source)).AsSpan(0, 16));
}
