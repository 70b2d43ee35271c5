using Microsoft.Extensions.Logging;

namespace MailCluster.Grains;

/// <summary>
/// Tells the account's owner that this mailbox has changed, as long as somebody there wants to know (IMAP NOTIFY): one report at a time, which stands for all changes before it. Where nobody
/// watches it costs one call in the life of a claim. Used by one activation, one turn at a time.
/// </summary>
/// <param name="tell">Tells how the mailbox is now; false when nobody wants to know.</param>
internal sealed partial class MailboxReports(Func<ValueTask<bool>> tell, ILogger log)
{
    private const int _tries = 10;

    private readonly ILogger _log = log;
    private volatile bool _unwanted;
    private bool _due;
    private bool _running;
    private int _asked;

    /// <summary>Nobody wants to know. Any thread.</summary>
    public bool AreUnwanted => _unwanted;

    /// <summary>Somebody wants to know from now on.</summary>
    public void Watched()
    {
        _asked++;
        _unwanted = false;
    }

    /// <summary>Something changed, or may have. Returns at once.</summary>
    public void Changed()
    {
        if (_unwanted)
            return;
        _due = true;
        if (!_running)
            RunAsync().Ignore();
    }

    private async Task RunAsync()
    {
        _running = true;
        try
        {
            for (int failed = 0; _due && failed < _tries;)
            {
                _due = false;
                int asked = _asked;
                try
                {
                    // An answer from before somebody asked says nothing about that.
                    if (!await tell() && asked == _asked)
                        _unwanted = true;
                    failed = 0;
                }
                catch (Exception e) when (e is OrleansException or TimeoutException)
                {
                    LogNotTold(e.Message);
                    _due = true;
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 150) * ++failed));
                }
            }
        }
        finally
        {
            _running = false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The account's owner could not be told of a change: {Reason}")]
    private partial void LogNotTold(string reason);
}
