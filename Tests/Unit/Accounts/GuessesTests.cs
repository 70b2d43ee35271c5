using MailCluster.Grains;
using MailCluster.Tests.Unit.Cluster;
using Xunit;

namespace MailCluster.Tests.Unit.Accounts;

/// <summary>How long guesses wait.</summary>
public sealed class GuessesTests
{
    private readonly ManualTime _time = new();
    private readonly Guesses _guesses;

    public GuessesTests() => _guesses = new Guesses(new AccountOptions(), _time);

    [Fact]
    public void One_address_waits_longer_after_each_failure()
    {
        Assert.Equal([0, 250, 500, 1000, 2000, 4000, 8000, 8000], Enumerable.Range(0, 8).Select(_ => Fail("192.0.2.1")));
        // Half of it is forgotten after a quarter of an hour.
        _time.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(2000, Fail("192.0.2.1"));
    }

    [Fact]
    public void Many_at_once_are_no_faster_than_one_after_the_other()
    {
        for (int i = 0; i < 10; i++)
            Fail("192.0.2.1");
        Assert.Equal(8000, _guesses.Take("192.0.2.1")?.Wait.TotalMilliseconds);
        Assert.Null(_guesses.Take("192.0.2.1"));
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(8000, _guesses.Take("192.0.2.1")?.Wait.TotalMilliseconds);
    }

    [Fact]
    public void A_flood_of_first_attempts_is_bounded_before_any_has_failed()
    {
        int taken = Enumerable.Range(0, 1000).Count(_ => _guesses.Take("192.0.2.1") is not null);
        Assert.InRange(taken, 16, 25);
        int strangers = Enumerable.Range(0, 1000).Count(i => _guesses.Take($"198.51.100.{i % 250}") is not null);
        Assert.InRange(strangers, 0, 25);
    }

    [Fact]
    public void A_thousand_addresses_are_as_slow_as_one_and_the_owner_s_is_not()
    {
        Guesses.Place home = _guesses.Take("203.0.113.7")!.Value;
        _guesses.Ended(home, right: true);
        double waited = 0;
        for (int i = 0; i < 1000; i++)
        {
            double wait = Fail($"10.0.{i / 250}.{i % 250}");
            waited += wait;
            home = _guesses.Take("203.0.113.7")!.Value;
            Assert.Equal(TimeSpan.Zero, home.Wait);
            _guesses.Ended(home, right: true);
        }
        Assert.True(waited > 950 * 8000, $"only {waited} ms");
    }

    [Fact]
    public void Several_connections_of_one_client_do_not_wait_for_each_other()
    {
        Guesses.Place[] together = [.. Enumerable.Range(0, 10).Select(_ => _guesses.Take("192.0.2.1")!.Value)];
        Assert.All(together, static p => Assert.Equal(TimeSpan.Zero, p.Wait));
        foreach (Guesses.Place place in together)
            _guesses.Ended(place, right: true);
        Assert.Equal(0, Fail("192.0.2.1"));
        // What is known of an address outlives a mistake.
        Assert.True(_guesses.Knows("192.0.2.1"));
    }

    [Fact]
    public void Addresses_take_bounded_memory()
    {
        for (int i = 0; i < 5000; i++)
        {
            if (_guesses.Take($"10.1.{i / 250}.{i % 250}") is { } place)
                _guesses.Ended(place, right: false);
            _time.Advance(TimeSpan.FromSeconds(9));
        }
        Assert.InRange(_guesses.Addresses, 1, 1000);
    }

    /// <summary>One wrong attempt after its wait, in ms.</summary>
    private double Fail(string address)
    {
        Guesses.Place place = _guesses.Take(address)!.Value;
        _time.Advance(place.Wait);
        _guesses.Ended(place, right: false);
        return place.Wait.TotalMilliseconds;
    }
}
