using System.Runtime.InteropServices;

namespace MailCluster.Consistency;

/// <summary>The first SIGINT, SIGTERM or SIGHUP ends the run early, and what was done so far is checked; the second breaks it off.</summary>
internal sealed class CheckSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _breakOff = new();
    private readonly PosixSignalRegistration[] _registrations;

    public CheckSignals() =>
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(s => PosixSignalRegistration.Create(s, OnSignal))];

    public CancellationToken Stop => _stop.Token;

    public CancellationToken BreakOff => _breakOff.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
        _breakOff.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_stop.IsCancellationRequested)
            _breakOff.Cancel();
        _stop.Cancel();
    }
}
