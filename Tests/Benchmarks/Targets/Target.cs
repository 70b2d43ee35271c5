using System.Collections.Concurrent;
using System.Net;
using MailCluster.Benchmarks.Load;

namespace MailCluster.Benchmarks.Targets;

/// <summary>A mail server on this machine that is measured: it was started for that, and is stopped when disposed of.</summary>
internal abstract class Target : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Task<string>> _accounts = [];

    /// <summary>As the tables name it.</summary>
    public abstract string Name { get; }

    /// <summary>Program and version, and what was set, in a sentence.</summary>
    public abstract string Describes { get; }

    public abstract IPEndPoint Imap { get; }

    /// <summary>Octets of bodies that MailCluster's front end keeps: the default of Limits:CacheMegabytes.</summary>
    public const long FrontEndKeeps = 128 << 20;

    /// <summary>Another door to the same mailboxes, on another node where there are several.</summary>
    public virtual IPEndPoint OtherImap => Imap;

    public abstract IPEndPoint Imaps { get; }

    public abstract IPEndPoint Lmtp { get; }

    public abstract IPEndPoint Pop3 { get; }

    /// <summary>Its parts, each with the process that all others of the part descend from.</summary>
    public abstract IReadOnlyList<(string Name, int Process)> Parts { get; }

    /// <summary>Every account's.</summary>
    public abstract string Password { get; }

    /// <summary>The user of this name, made when it is asked for the first time.</summary>
    public Task<string> AccountAsync(string name) => _accounts.GetOrAdd(name, CreateAccountAsync);

    /// <summary>An account whose INBOX holds so many messages: number 1 has UID 1. Filled once.</summary>
    public Task<string> MailboxAsync(string name, int messages, int bytes) => _accounts.GetOrAdd($"{name}-{messages}-{bytes}", async key =>
    {
        string user = await CreateAccountAsync(key);
        await FillAsync(user, messages, bytes);
        return user;
    });

    /// <summary>Accounts of which each has so many messages, made anew.</summary>
    public virtual Task<string[]> MailboxesAsync(string name, int count, int messages, int bytes) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => MailboxAsync($"{name}-{i}", messages, bytes)));

    public Task<ImapConnection> LoggedInAsync(string user) => ImapConnection.LoggedInAsync(Imap, user, Password);

    /// <summary>Starts its processes anew; the mail stays.</summary>
    public abstract Task RestartAsync();

    /// <summary>What it keeps of mailboxes in memory, it lets go. Nothing for a server that keeps nothing without a session.</summary>
    public virtual Task ForgetAsync() => Task.CompletedTask;

    /// <summary>What it has computed of messages when they were read, and what it keeps of them, is gone: the next read is as the first ever.</summary>
    public virtual Task ForgetReadsAsync(string user) => RestartAsync();

    /// <summary>The same, and whoever reads files for it starts anew: what it has read of them is only in the kernel's memory.</summary>
    public virtual Task ForgetFilesAsync(string user) => RestartAsync();

    public abstract ValueTask DisposeAsync();

    protected abstract Task<string> CreateAccountAsync(string name);

    /// <summary>Gives an account that nobody has logged in to its messages, <see cref="SampleMessages.Of"/> each number.</summary>
    protected virtual async Task FillAsync(string user, int messages, int bytes)
    {
        using ImapConnection connection = await ImapConnection.LoggedInAsync(Imap, user, Password);
        // Several together: the way there must not take longer than the measurement.
        int together = Math.Clamp(256 * 1024 / bytes, 1, 50);
        for (int first = 1; first <= messages; first += together)
        {
            int count = Math.Min(together, messages - first + 1);
            using var commands = new MemoryStream();
            for (int i = 0; i < count; i++)
            {
                byte[] message = SampleMessages.Of(first + i, bytes);
                commands.Write(System.Text.Encoding.ASCII.GetBytes($"a APPEND INBOX {{{message.Length}+}}\r\n"));
                commands.Write(message);
                commands.Write("\r\n"u8);
            }
            await connection.RunAsync(commands.GetBuffer().AsMemory(0, (int)commands.Length), count);
        }
    }
}
