using System.Threading.Channels;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>The account's owner passes on what mailbox owners tell, to those who watch.</summary>
public sealed class AccountEventsTests(MailSilo silo) : IClassFixture<MailSilo>
{
    [Fact]
    public async Task What_happens_in_an_account_is_told_to_those_who_watch_it()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        var watcher = new Watcher();
        IAccountObserver observer = silo.Grains.CreateObjectReference<IAccountObserver>(watcher);
        IAccountEvents events = silo.Grains.GetGrain<IAccountEvents>(inbox.Account.Value);

        // Nobody watches: the owner of the mailbox asks once, and then not any more.
        await MailSilo.UntilDoneAsync(async () => await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        AccountWatching first = MailSilo.Ok(await events.Watch(observer));
        Assert.Equal(first.Registration, MailSilo.Ok(await events.Watch(observer)).Registration);

        // An owner that has no messages in memory, and one that begins only now.
        await MailSilo.UntilDoneAsync(async () => await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        AccountNews news = await watcher.NextAsync(n => n.Counters is { Messages: 2 });
        Assert.Equal((inbox.Mailbox, 3u, first.Registration), (news.Counters!.Id, news.Counters.UidNext, news.Registration));
        await MailSilo.UntilDoneAsync(async () => await silo.Owner(work).Append(await silo.AppendOfAsync()));
        await watcher.NextAsync(n => n.Counters is { Messages: 1 } counters && counters.Id == work.Mailbox);

        // From memory: flags, and a move, which both mailboxes tell.
        await MailSilo.UntilDoneAsync(() => silo.Owner(inbox).Store(silo.StoreOf(UidSet.Single(1), StoreMode.Add, SystemFlags.Seen)));
        await watcher.NextAsync(n => n.Counters is { Unseen: 1 } counters && counters.Id == inbox.Mailbox);
        await MailSilo.UntilDoneAsync(() => silo.Owner(work).CopyFrom(silo.CopyOf(inbox, UidSet.Single(1), move: true)));
        await watcher.NextAsync(
            n => n.Counters is { Messages: 1 } counters && counters.Id == inbox.Mailbox, n => n.Counters is { Messages: 2 } counters && counters.Id == work.Mailbox);

        IAccountGrain account = silo.Owner(inbox.Account);
        MailSilo.Ok(await account.Create(silo.NextOperation(), MailboxPath.Of("New"), []));
        await watcher.NextAsync(static n => n.Tree);
        MailSilo.Ok(await account.Subscribe(MailboxPath.Of("New"), true));
        await watcher.NextAsync(static n => n.Tree);
        MailSilo.Ok(await account.Rename(silo.NextOperation(), MailboxPath.Of("New"), MailboxPath.Of("Newer")));
        await watcher.NextAsync(static n => n.Tree);
        MailSilo.Ok(await account.Delete(silo.NextOperation(), MailboxPath.Of("Newer")));
        AccountNews last = await watcher.NextAsync(static n => n.Tree);
        Assert.Equal(last.Number, MailSilo.Ok(await events.Watch(observer)).Sent);
        Assert.Equal(Enumerable.Range(1, (int)last.Number).Select(static n => (long)n), watcher.Numbers.Order());

        await events.Unwatch(observer);
        Assert.False(await events.Heard(inbox.Mailbox, null));
        // Who watches again is told by owners that had been told to be silent.
        await MailSilo.UntilDoneAsync(async () => await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        AccountWatching second = MailSilo.Ok(await events.Watch(observer));
        Assert.NotEqual(first.Registration, second.Registration);
        await MailSilo.UntilDoneAsync(async () => await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        await watcher.NextAsync(n => n.Counters is { Messages: 3 } && n.Registration == second.Registration);
        GC.KeepAlive(watcher);
    }

    /// <summary>A claim that is lost may have committed what its owner never heard of: the row is told.</summary>
    [Fact]
    public async Task An_owner_that_loses_its_claim_has_the_row_told()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        var watcher = new Watcher();
        IAccountObserver observer = silo.Grains.CreateObjectReference<IAccountObserver>(watcher);
        IAccountEvents events = silo.Grains.GetGrain<IAccountEvents>(inbox.Account.Value);
        await MailSilo.UntilDoneAsync(async () => await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        MailboxSnapshot version = await silo.CopyAsync(inbox);
        await silo.CopyAsync(work);
        MailSilo.Ok(await events.Watch(observer));
        long epoch = await silo.ScalarAsync<long>("select epoch from mail.mailbox where account_id = $1 and id = $2", work.Account.Value, work.Mailbox.Value);
        await silo.MoveAsync(inbox, version.Epoch, work, epoch, UidSet.Single(2));
        await silo.Versions.LookAsync(all: true);
        await watcher.NextAsync(
            n => n.Counters is { Messages: 2 } counters && counters.Id == inbox.Mailbox, n => n.Counters is { Messages: 1 } counters && counters.Id == work.Mailbox);
        GC.KeepAlive(watcher);
    }

    private sealed class Watcher : IAccountObserver
    {
        private readonly Channel<AccountNews> _news = Channel.CreateUnbounded<AccountNews>();

        public List<long> Numbers { get; } = [];

        public Task Changed(AccountId account, AccountNews news)
        {
            _news.Writer.TryWrite(news);
            return Task.CompletedTask;
        }

        public Task Ended(AccountId account) => Task.CompletedTask;

        /// <summary>Waits until each of these has come, in whatever order; the last that came.</summary>
        public async Task<AccountNews> NextAsync(params Func<AccountNews, bool>[] expected)
        {
            List<Func<AccountNews, bool>> open = [.. expected];
            while (true)
            {
                AccountNews news = await _news.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(3));
                Numbers.Add(news.Number);
                open.RemoveAll(e => e(news));
                if (open.Count == 0)
                    return news;
            }
        }
    }
}
