using CsCheck;
using MailCluster.Consistency.Checks;
using MailCluster.Consistency.History;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>A simulated server that keeps to the promises is never accused; one that breaks one of them is found out.</summary>
public sealed class SimulationTests
{
    private const int Runs = 20;

    [Fact]
    public void A_correct_server_is_never_accused() =>
        Gen.Select(Gen.Int[1, 1_000_000], Gen.Int[1, 8]).Sample(
            static (seed, clients) => Assert.Empty(Checker.Check(Simulation.Run(seed, clients: clients, operations: 250))), iter: 60, threads: 1);

    [Fact]
    public void A_part_of_the_history_accuses_nobody_either() => Gen.Int[1, 1_000_000].Sample(
        static seed =>
        {
            // As a run is judged while it goes on: up to a moment at which nothing else is under way.
            IReadOnlyList<Operation> history = Simulation.Run(seed, clients: 1, operations: 200);
            Assert.Empty(Checker.Check([.. history.Take(seed % history.Count)]));
        },
        iter: 30, threads: 1);

    [Theory]
    [InlineData(Fault.DropsAppends)]
    [InlineData(Fault.StoresTwice)]
    [InlineData(Fault.ReadsOld)]
    [InlineData(Fault.ReusesUids)]
    [InlineData(Fault.LosesFlags)]
    [InlineData(Fault.Resurrects)]
    [InlineData(Fault.CommitsOutOfOrder)]
    [InlineData(Fault.MoveLeavesTwo)]
    [InlineData(Fault.MoveLoses)]
    [InlineData(Fault.IgnoresUnchangedSince)]
    [InlineData(Fault.ForgetsVanished)]
    [InlineData(Fault.ModSeqFalls)]
    [InlineData(Fault.LosesDeliveries)]
    public void A_server_that_breaks_a_promise_is_found_out(Fault fault)
    {
        // No further than it takes.
        int caught = Enumerable.Range(1, Runs).Where(seed => Checker.Check(Simulation.Run(seed, fault)).Count > 0).Take((Runs / 2) + 1).Count();
        Assert.True(caught > Runs / 2, $"{fault} was caught in {caught} of {Runs} runs");
    }

    [Fact]
    public void What_is_cut_out_is_short_and_shows_the_same()
    {
        IReadOnlyList<Operation> history = Simulation.Run(3, Fault.DropsAppends);
        Violation lost = Checker.Check(history)[0];
        IReadOnlyList<Operation> cut = Shrinker.Shrink(history, lost);
        Assert.InRange(cut.Count, 2, 12);
        Assert.Contains(Checker.Check(cut), v => v.Promise == lost.Promise && v.Subject == lost.Subject);
    }
}
