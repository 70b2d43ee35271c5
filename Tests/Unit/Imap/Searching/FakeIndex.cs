using System.Runtime.CompilerServices;
using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>An index of texts in memory.</summary>
internal sealed class FakeIndex : ISearchIndex
{
    private readonly SortedDictionary<long, (long[] Emails, byte[] Slices)> _groups = [];

    /// <summary>The first emails of the groups.</summary>
    public IReadOnlyList<long> Groups
    {
        get
        {
            lock (_groups)
                return [.. _groups.Keys];
        }
    }

    /// <summary>The first emails of all groups that were ever added, in that order.</summary>
    public List<long> Added { get; } = [];

    /// <summary>Called after each group that is read.</summary>
    public Action? AfterGroup { get; set; }

    public void Remove(long first)
    {
        lock (_groups)
            _groups.Remove(first);
    }

    public async IAsyncEnumerable<SearchGroup> ReadAsync(
        AccountId account, IReadOnlyList<int> positions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (long first in Groups)
        {
            await Task.Yield();
            (long[] Emails, byte[] Slices) group;
            lock (_groups)
            {
                if (!_groups.TryGetValue(first, out group))
                    continue;
            }
            long count = group.Slices.Length / SearchGroup.SliceBytes;
            yield return new SearchGroup(group.Emails, [.. positions.SelectMany(p =>
                group.Slices.AsSpan((int)(p * count / SearchGroup.Positions * SearchGroup.SliceBytes), SearchGroup.SliceBytes).ToArray())]);
            AfterGroup?.Invoke();
        }
    }

    public ValueTask AddAsync(AccountId account, IReadOnlyList<EmailId> emails, byte[] slices, CancellationToken cancellationToken)
    {
        lock (_groups)
        {
            if (_groups.TryAdd(emails[0].Value, ([.. emails.Select(static e => e.Value)], slices)))
                Added.Add(emails[0].Value);
        }
        return default;
    }
}
