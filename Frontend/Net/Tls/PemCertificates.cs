using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

/// <summary>A certificate and its key as PEM files.</summary>
/// <param name="CertificatePath">The certificate, followed by its intermediates (Let's Encrypt's fullchain.pem).</param>
/// <param name="KeyPath">The private key, not encrypted.</param>
public sealed record PemFiles(string CertificatePath, string KeyPath);

/// <summary>
/// Certificates from PEM files, chosen by the name a client asks for; the first one where none fits. Changed files are picked up without a restart: they are looked at
/// when a handshake comes and the last look is older than the given time. Files that cannot be read then are logged, and the old certificate stays.
/// </summary>
public sealed partial class PemCertificates : ICertificateSource
{
    private readonly Entry[] _entries;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lookEvery;
    private readonly ILogger _log;
    private long _lastLook;

    /// <summary>Reads all files; throws <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/> or <see cref="CryptographicException"/> where one is not usable.</summary>
    /// <param name="files">At least one pair.</param>
    /// <param name="log">Where changes and failures go.</param>
    /// <param name="time">The clock; default: the system's.</param>
    /// <param name="lookEvery">Time between two looks at the files; default 30 s.</param>
    public PemCertificates(IReadOnlyList<PemFiles> files, ILogger log, TimeProvider? time = null, TimeSpan? lookEvery = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(files.Count);
        _time = time ?? TimeProvider.System;
        _lookEvery = lookEvery ?? TimeSpan.FromSeconds(30);
        _log = log;
        _entries = [.. files.Select(Load)];
        _lastLook = _time.GetTimestamp();
    }

    public SslStreamCertificateContext? GetCertificate(string? serverName)
    {
        Look();
        if (serverName is not null)
        {
            foreach (var entry in _entries)
            {
                if (Volatile.Read(ref entry.Current) is { } loaded && loaded.Leaf.MatchesHostname(serverName, allowWildcards: true))
                {
                    return loaded.Context;
                }
            }
        }
        return Volatile.Read(ref _entries[0].Current).Context;
    }

    private void Look()
    {
        long last = Volatile.Read(ref _lastLook), now = _time.GetTimestamp();
        if (_time.GetElapsedTime(last, now) < _lookEvery || Interlocked.CompareExchange(ref _lastLook, now, last) != last)
        {
            return; // Not yet, or another handshake looks.
        }
        foreach (var entry in _entries)
        {
            try
            {
                if (Stamp(entry.Files) != entry.Stamp)
                {
                    var fresh = Load(entry.Files);
                    Volatile.Write(ref entry.Current, fresh.Current);
                    entry.Stamp = fresh.Stamp;
                    LogReloaded(_log, entry.Files.CertificatePath, entry.Current.Leaf.NotAfter);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                LogNotReloaded(_log, entry.Files.CertificatePath, exception);
            }
        }
    }

    private static Entry Load(PemFiles files)
    {
        var stamp = Stamp(files);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(files.CertificatePath);
        var leaf = X509Certificate2.CreateFromPemFile(files.CertificatePath, files.KeyPath);
        var intermediates = new X509Certificate2Collection(chain.Where(certificate => certificate.Thumbprint != leaf.Thumbprint).ToArray());
        return new Entry(files, stamp, new Loaded(leaf, SslStreamCertificateContext.Create(leaf, intermediates, offline: true)));
    }

    private static (DateTime, DateTime) Stamp(PemFiles files) => (File.GetLastWriteTimeUtc(files.CertificatePath), File.GetLastWriteTimeUtc(files.KeyPath));

    [LoggerMessage(9, LogLevel.Information, "certificate {Path} read anew, valid until {NotAfter:u}")]
    private static partial void LogReloaded(ILogger logger, string path, DateTime notAfter);

    [LoggerMessage(10, LogLevel.Warning, "certificate {Path} has changed and is not usable; the old one stays")]
    private static partial void LogNotReloaded(ILogger logger, string path, Exception exception);

    private sealed record Loaded(X509Certificate2 Leaf, SslStreamCertificateContext Context);

    private sealed class Entry(PemFiles files, (DateTime, DateTime) stamp, Loaded current)
    {
        public readonly PemFiles Files = files;
        public (DateTime, DateTime) Stamp = stamp;
        public Loaded Current = current;
    }
}
