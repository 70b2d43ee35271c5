using MailCluster.Grains;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Unit.Cluster;
using Xunit;

namespace MailCluster.Tests.Unit.Accounts;

/// <summary>What an account's owner remembers of the directory.</summary>
public sealed class AccountMemoryTests
{
    private static readonly DirectoryAccount _alice = new(FakeAccount.SettingsOf(1, 1, "alice@demo.test"), "verifier", true);

    private readonly ManualTime _time = new();
    private readonly AccountMemory _memory;

    public AccountMemoryTests() => _memory = new AccountMemory(new AccountOptions(), _time);

    [Fact]
    public void A_row_is_kept_for_some_seconds()
    {
        _memory.Keep(_alice, _memory.Changes);
        Assert.Equal(_alice, _memory.Account);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Null(_memory.Account);
    }

    [Fact]
    public void A_row_that_was_being_read_when_it_changed_is_not_kept()
    {
        int before = _memory.Changes;
        _memory.Forget();
        _memory.Keep(_alice, before);
        Assert.Null(_memory.Account);
        _memory.Keep(_alice, _memory.Changes);
        Assert.Equal(_alice, _memory.Account);
    }
}
