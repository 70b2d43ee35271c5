using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Microsoft.Extensions.Logging;

namespace MailCluster.Grains;

/// <summary>Asks tenants' LDAP servers about passwords, over connections that are kept. One object a silo; any thread.</summary>
public sealed partial class LdapDirectory(ILogger<LdapDirectory> log)
{
    /// <summary>Connections that are kept for a server, and at most used at a time.</summary>
    private const int Most = 16;

    /// <summary>For one check with all that belongs to it.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<LdapServer, Pool> _pools = new();

    /// <summary>True when it is the user's password.</summary>
    /// <exception cref="StoreUnavailableException">The server can't be reached, or does not say.</exception>
    internal async Task<bool> CheckAsync(LdapServer server, string user, string password)
    {
        // A bind without a password succeeds and means nothing (RFC 4513 §5.1.2).
        if (password.Length == 0 || user.Contains('\0'))
            return false;
        Pool pool = _pools.GetOrAdd(server, static _ => new Pool());
        using var clock = new CancellationTokenSource(_patience);
        try
        {
            await pool.Places.WaitAsync(clock.Token);
            try
            {
                // One that was kept may have been closed by the other side; a new one has not.
                while (pool.Idle.TryTake(out LdapConnection? kept))
                {
                    try
                    {
                        return await RunAsync(pool, kept, server, user, password, clock.Token);
                    }
                    catch (IOException)
                    {
                    }
                }
                return await RunAsync(pool, await LdapConnection.OpenAsync(server, clock.Token), server, user, password, clock.Token);
            }
            finally
            {
                pool.Places.Release();
            }
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or CryptographicException or UnauthorizedAccessException or OperationCanceledException)
        {
            LogAway(server.Url, e.GetType().Name, e.Message);
            throw new StoreUnavailableException("The LDAP server can't be asked.", e);
        }
    }

    private static async Task<bool> RunAsync(Pool pool, LdapConnection connection, LdapServer server, string user, string password, CancellationToken cancellationToken)
    {
        bool whole = false;
        try
        {
            bool right = await AskAsync(connection, server, user, password, cancellationToken);
            whole = true;
            return right;
        }
        finally
        {
            if (whole)
                pool.Idle.Add(connection);
            else
                connection.Dispose();
        }
    }

    private static async Task<bool> AskAsync(LdapConnection connection, LdapServer server, string user, string password, CancellationToken cancellationToken)
    {
        string? dn = server.UserDn is { } template ? DnOf(template, user) : null;
        if (dn is null || server.Compare is not null)
        {
            if (!await connection.BindAsync(server.BindDn ?? "", server.BindDn is null ? "" : server.BindPassword ?? "", cancellationToken))
                throw new IOException("The LDAP server does not let the mail store in.");
            dn ??= await connection.SearchAsync(server.Base!, server.Attribute ?? "mail", user, cancellationToken);
        }
        return dn is not null && (server.Compare is { } attribute
            ? await connection.CompareAsync(dn, attribute, password, cancellationToken)
            : await connection.BindAsync(dn, password, cancellationToken));
    }

    /// <summary>A DN with a user's address in it; what would be more than a value there is escaped (RFC 4514 §2.4).</summary>
    internal static string DnOf(string template, string user)
    {
        int at = user.LastIndexOf('@');
        return template.Replace("{user}", Escape(user)).Replace("{local}", Escape(at < 0 ? user : user[..at])).Replace("{domain}", Escape(at < 0 ? "" : user[(at + 1)..]));
    }

    private static string Escape(string value)
    {
        var escaped = new StringBuilder(value.Length);
        foreach (char c in value)
            _ = c is ',' or '+' or '"' or '\\' or '<' or '>' or ';' or '=' or '#' or ' ' or '{' or '}' ? escaped.Append('\\').Append(((int)c).ToString("X2")) : escaped.Append(c);
        return escaped.ToString();
    }

    private sealed class Pool
    {
        public SemaphoreSlim Places { get; } = new(Most);

        public ConcurrentBag<LdapConnection> Idle { get; } = [];
    }

    [LoggerMessage(LogLevel.Warning, "The LDAP server {Url} can't be asked: {Error} {Text}")]
    private partial void LogAway(string url, string error, string text);
}
