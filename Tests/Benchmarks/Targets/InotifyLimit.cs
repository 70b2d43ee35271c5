using System.Globalization;

namespace MailCluster.Benchmarks.Targets;

/// <summary>
/// The kernel's limit of inotify instances a user, raised as whoever runs a Dovecot with thousands of users raises it (it cannot tell or hibernate
/// IDLE connections beyond it), and put back when disposed of. Where that is not allowed it stays.
/// </summary>
internal sealed class InotifyLimit : IDisposable
{
    private const string Path = "/proc/sys/fs/inotify/max_user_instances";
    private const int Enough = 20_000;

    private readonly string? _before;

    private InotifyLimit(string? before) => _before = before;

    public static InotifyLimit Raise()
    {
        try
        {
            string before = File.ReadAllText(Path).Trim();
            if (int.Parse(before, CultureInfo.InvariantCulture) >= Enough)
                return new InotifyLimit(null);
            File.WriteAllText(Path, Enough.ToString(CultureInfo.InvariantCulture));
            return new InotifyLimit(before);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new InotifyLimit(null);
        }
    }

    public void Dispose()
    {
        if (_before is not null)
            File.WriteAllText(Path, _before);
    }
}
