using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;

namespace MailCluster.Benchmarks.Profile;

/// <summary>A span of the product or of Npgsql that has ended.</summary>
/// <param name="Begin">Ticks.</param>
/// <param name="End">Ticks.</param>
internal readonly record struct Span(string Source, string Name, long Begin, long End)
{
    public double Microseconds => (End - Begin) / (double)TimeSpan.TicksPerMicrosecond;
}

/// <summary>Hears the spans of another .NET process through its diagnostic port, from its creation until <see cref="StopAsync"/>.</summary>
internal sealed class Spans
{
    private const string Fields = "Name=OperationName;Begin=StartTimeUtc.Ticks;Ticks=Duration.Ticks";

    private readonly EventPipeSession _session;
    private readonly Task<List<Span>> _reading;

    public Spans(int process)
    {
        var provider = new EventPipeProvider("Microsoft-Diagnostics-DiagnosticSource", EventLevel.Verbose, 0x3, new Dictionary<string, string>
        {
            ["FilterAndPayloadSpecs"] = $"[AS]MailCluster/Stop:-{Fields}\n[AS]Npgsql/Stop:-{Fields}",
        });
        _session = new DiagnosticsClient(process).StartEventPipeSession(provider, requestRundown: false, circularBufferMB: 256);
        _reading = Task.Run(Read);
    }

    /// <summary>All that were heard.</summary>
    public async Task<List<Span>> StopAsync()
    {
        await _session.StopAsync(CancellationToken.None);
        List<Span> spans = await _reading;
        _session.Dispose();
        return spans;
    }

    private List<Span> Read()
    {
        var spans = new List<Span>();
        using var source = new EventPipeEventSource(_session.EventStream);
        source.Dynamic.All += e =>
        {
            if (e.PayloadByName("SourceName") is not string name || e.PayloadByName("Arguments") is not IEnumerable<object> arguments)
                return;
            Dictionary<string, string> fields = arguments.OfType<IDictionary<string, object>>()
                .ToDictionary(static a => (string)a["Key"], static a => a["Value"] as string ?? "");
            if (!fields.TryGetValue("Ticks", out string? ticks))
                return;
            long begin = long.Parse(fields["Begin"], CultureInfo.InvariantCulture);
            spans.Add(new Span(name, fields["Name"], begin, begin + long.Parse(ticks, CultureInfo.InvariantCulture)));
        };
        source.Process();
        return spans;
    }
}
