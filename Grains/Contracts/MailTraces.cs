using System.Diagnostics;

namespace MailCluster.Contracts;

/// <summary>Where the time of a command goes: the product's own spans, beside those of Npgsql's source. They cost nothing while nobody listens.</summary>
public static class MailTraces
{
    /// <summary>The name of the <see cref="ActivitySource"/>.</summary>
    public const string SourceName = "MailCluster";

    private static readonly ActivitySource _source = new(SourceName);

    /// <summary>A command of a session, from its first byte to its tagged reply; the command's name follows.</summary>
    public static Activity? Command(string name) => _source.HasListeners() ? _source.StartActivity("command " + name) : null;

    /// <summary>A call from a door to an owner, with its repetitions.</summary>
    public static Activity? Call() => _source.StartActivity("call");

    /// <summary>An owner at work; the method's name follows.</summary>
    public static Activity? Owner(string method) => _source.HasListeners() ? _source.StartActivity("owner " + method) : null;

    /// <summary>A change in its commit lane: its wait, its batch and the batch's answer.</summary>
    public static Activity? Lane() => _source.StartActivity("lane");

    /// <summary>A body on its way into the store.</summary>
    public static Activity? Stage() => _source.StartActivity("stage");
}
