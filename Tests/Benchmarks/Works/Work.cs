using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>How much is done.</summary>
/// <param name="Seconds">How long a run lasts.</param>
/// <param name="Messages">Messages in the mailbox that is fetched, selected, searched.</param>
/// <param name="IdleConnections">Connections whose memory is measured.</param>
/// <param name="MessageBytes">Octets of each message of the large mailbox.</param>
/// <param name="WarmUp">How long, in seconds, a work is done at a server for the first time before it is measured: a runtime that compiles as it goes needs a while, whoever needs none loses nothing.</param>
internal sealed record Settings(double Seconds, int Messages, int IdleConnections, int MessageBytes, double WarmUp);

/// <summary>Something that clients do, done in the same way to every server.</summary>
/// <param name="name">By which it is chosen; what stands before a '-' chooses its kind.</param>
/// <param name="does">For the table, without a full stop.</param>
/// <param name="unit">Of its headline figure.</param>
/// <param name="goal">What is wanted of the ratio to the better of Dovecot's formats.</param>
internal abstract class Work(string name, string does, Unit unit, string goal)
{
    public string Name => name;

    public string Does => does;

    public Unit Unit => unit;

    public string Goal => goal;

    /// <summary>Whether it says something about this way of running Dovecot.</summary>
    public virtual bool IsAgainst(DovecotVariant variant) => variant.IsUsual;

    /// <summary>Fills what it needs; not measured, done once a target.</summary>
    public virtual Task PrepareAsync(Target target, Settings settings) => Task.CompletedTask;

    /// <summary>One measured run.</summary>
    public abstract Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation);

    /// <summary>What PostgreSQL alone reaches with the same octets, in the work's unit, where that is worth knowing.</summary>
    public virtual Task<double>? PostgresAsync(string connectionString, Settings settings) => null;
}
