using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

/// <summary>A certificate and its key as PEM files.</summary>
/// <param name="CertificatePath">The certificate, followed by its intermediates (Let's Encrypt's fullchain.pem).</param>
/// <param name="KeyPath">The private key, not encrypted; may be the certificate's file.</param>
public sealed record PemFiles(string CertificatePath, string KeyPath);

/// <summary>
/// Certificates from PEM files, chosen by the name a client asks for; the first one where none fits. Changed files, and those that come to a directory or leave it, are taken up
/// without a restart: they are looked at when a handshake comes and the last look is older than the given time. Files that cannot be read then are logged, and the old certificate stays.
/// Connections that are there keep what they have.
/// </summary>
public sealed partial class PemCertificates : ICertificateSource
{
    private readonly IReadOnlyList<PemFiles> _files;
    private readonly string? _directory;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lookEvery;
    private readonly ILogger _log;
    private Certificates _current = new([]);
    private long _lastLook;

    /// <summary>Reads all files; throws <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/> or <see cref="CryptographicException"/> where one of <paramref name="files"/> is not usable.</summary>
    /// <param name="files">At least one pair.</param>
    /// <param name="log">Where changes and failures go.</param>
    /// <param name="time">The clock; default: the system's.</param>
    /// <param name="lookEvery">Time between two looks at the files; default 30 s.</param>
    /// <param name="directory">Further ones, a NAME.pem each, with the key in it or in NAME.key; one that is not usable is logged and left out.</param>
    public PemCertificates(IReadOnlyList<PemFiles> files, ILogger log, TimeProvider? time = null, TimeSpan? lookEvery = null, string? directory = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(files.Count);
        _files = files;
        _directory = directory;
        _time = time ?? TimeProvider.System;
        _lookEvery = lookEvery ?? TimeSpan.FromSeconds(30);
        _log = log;
        _current = new Certificates([.. files.Select(Load)]);
        if (directory is not null)
        {
            Read();
        }
        _lastLook = _time.GetTimestamp();
    }

    public SslStreamCertificateContext? GetCertificate(string? serverName)
    {
        Look();
        return Volatile.Read(ref _current).Find(serverName).Context;
    }

    private void Look()
    {
        long last = Volatile.Read(ref _lastLook), now = _time.GetTimestamp();
        if (_time.GetElapsedTime(last, now) < _lookEvery || Interlocked.CompareExchange(ref _lastLook, now, last) != last)
        {
            return; // Not yet, or another handshake looks.
        }
        Read();
    }

    /// <summary>Brings what is known up to date with the files.</summary>
    private void Read()
    {
        var old = Volatile.Read(ref _current);
        var known = old.All.ToDictionary(entry => entry.Files);
        var all = new List<Entry>();
        foreach (var files in _files.Concat(InDirectory(old)).Distinct())
        {
            known.TryGetValue(files, out var before);
            try
            {
                if (before is not null && Stamp(files) == before.Stamp)
                {
                    all.Add(before);
                    continue;
                }
                var fresh = Load(files);
                all.Add(fresh);
                LogRead(_log, files.CertificatePath, fresh.Leaf.NotAfter);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                LogNotRead(_log, files.CertificatePath, before is null ? "left out" : "the one before stays", exception);
                if (before is not null)
                {
                    all.Add(before);
                }
            }
        }
        Volatile.Write(ref _current, new Certificates([.. all]));
    }

    private IEnumerable<PemFiles> InDirectory(Certificates old)
    {
        if (_directory is null)
        {
            return [];
        }
        try
        {
            return Directory.GetFiles(_directory, "*.pem").Order(StringComparer.Ordinal).Select(file =>
                new PemFiles(file, Path.ChangeExtension(file, ".key") is var key && File.Exists(key) ? key : file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotRead(_log, _directory, "those before stay", exception);
            return old.All.Select(entry => entry.Files).Except(_files);
        }
    }

    private static Entry Load(PemFiles files)
    {
        var stamp = Stamp(files);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(files.CertificatePath);
        var leaf = X509Certificate2.CreateFromPemFile(files.CertificatePath, files.KeyPath);
        var intermediates = new X509Certificate2Collection(chain.Where(certificate => certificate.Thumbprint != leaf.Thumbprint).ToArray());
        return new Entry(files, stamp, leaf, SslStreamCertificateContext.Create(leaf, intermediates, offline: true));
    }

    private static (DateTime, DateTime) Stamp(PemFiles files) => (File.GetLastWriteTimeUtc(files.CertificatePath), File.GetLastWriteTimeUtc(files.KeyPath));

    [LoggerMessage(9, LogLevel.Information, "certificate {Path} read, valid until {NotAfter:u}")]
    private static partial void LogRead(ILogger logger, string path, DateTime notAfter);

    [LoggerMessage(10, LogLevel.Warning, "certificate {Path} is not usable; {What}")]
    private static partial void LogNotRead(ILogger logger, string path, string what, Exception exception);

    private sealed record Entry(PemFiles Files, (DateTime, DateTime) Stamp, X509Certificate2 Leaf, SslStreamCertificateContext Context)
    {
        /// <summary>The names it is for (RFC 6125): those of its extension, or, of old ones, its common name.</summary>
        public IEnumerable<string> Names()
        {
            string[] names = [.. Leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames())];
            return names.Length > 0 ? names : [Leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false)];
        }
    }

    /// <summary>All of them at one time, by name: a hoster has thousands.</summary>
    private sealed class Certificates(Entry[] all)
    {
        // The first that has a name keeps it.
        private readonly FrozenDictionary<string, Entry> _byName = all.SelectMany(entry => entry.Names().Select(name => (name, entry)))
            .GroupBy(pair => pair.name, StringComparer.OrdinalIgnoreCase).ToFrozenDictionary(group => group.Key, group => group.First().entry, StringComparer.OrdinalIgnoreCase);

        public Entry[] All => all;

        /// <summary>The certificate of a name, of the wildcard that its first label fits (RFC 6125 section 6.4.3), or else the first.</summary>
        public Entry Find(string? name)
        {
            if (name is null)
            {
                return all[0];
            }
            int dot = name.IndexOf('.');
            return _byName.TryGetValue(name, out var entry) || (dot > 0 && _byName.TryGetValue("*" + name[dot..], out entry)) ? entry : all[0];
        }
    }
}
