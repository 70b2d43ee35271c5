using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace MailCluster.Benchmarks.Load;

/// <summary>An IMAP client whose commands all have the tag "a", so that they can be prepared once and sent again and again.</summary>
internal sealed class ImapConnection : Connection
{
    private long _literal;
    private bool _goesOn;
    private int _looked;
    private int _untagged;
    private long _octets;

    /// <summary>A command as <see cref="RunAsync"/> sends it.</summary>
    public static byte[] Command(string command) => Encoding.ASCII.GetBytes($"a {command}\r\n");

    public static byte[] Login(string user, string password) => Command($"LOGIN {user} \"{password}\"");

    /// <summary>Connects and reads the greeting.</summary>
    public static async Task<ImapConnection> GreetedAsync(IPEndPoint server, bool tls = false, bool blocking = false)
    {
        var connection = new ImapConnection();
        try
        {
            await connection.ConnectAsync(server, tls, blocking);
            connection.Take(await connection.LineAsync());
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Connects and logs in.</summary>
    public static async Task<ImapConnection> LoggedInAsync(IPEndPoint server, string user, string password, bool tls = false)
    {
        ImapConnection connection = await GreetedAsync(server, tls);
        try
        {
            await connection.RunAsync(Login(user, password));
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends prepared commands and reads until each has its tagged OK.</summary>
    /// <exception cref="UnexpectedAnswerException">One was not OK.</exception>
    public async ValueTask<Answer> RunAsync(ReadOnlyMemory<byte> commands, int count = 1)
    {
        long started = Stopwatch.GetTimestamp();
        await SendAsync(commands);
        return await TaggedAsync(started, count);
    }

    /// <summary>APPEND of a non-synchronising literal that is sent <paramref name="times"/> times over.</summary>
    public async ValueTask<Answer> AppendAsync(string mailbox, ReadOnlyMemory<byte> piece, int times)
    {
        long started = Stopwatch.GetTimestamp();
        await SendAsync(Encoding.ASCII.GetBytes($"a APPEND {mailbox} {{{(long)piece.Length * times}+}}\r\n"));
        for (int i = 0; i < times; i++)
            await SendAsync(piece);
        await SendAsync("\r\n"u8.ToArray());
        return await TaggedAsync(started, 1);
    }

    /// <summary>COMPRESS DEFLATE.</summary>
    public async ValueTask CompressAsync()
    {
        await RunAsync(Command("COMPRESS DEFLATE"));
        Deflate();
    }

    /// <summary>Begins to IDLE: returns when the server is ready to tell.</summary>
    public async ValueTask IdleAsync()
    {
        await SendAsync("a IDLE\r\n"u8.ToArray());
        await UntilAsync(static line => line.StartsWith("+"u8));
    }

    /// <summary>In IDLE: waits until the server says how many messages exist, and at least so many; when, as <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public async ValueTask<long> ExistsAsync(int least)
    {
        while (true)
        {
            int length = await LineAsync();
            bool found = Received.StartsWith("* "u8) && Utf8Parser.TryParse(Received[2..], out int messages, out int digits)
                && Received[(2 + digits)..].StartsWith(" EXISTS"u8) && messages >= least;
            Take(length);
            if (found)
                return Stopwatch.GetTimestamp();
        }
    }

    /// <summary>In IDLE: waits until the server tells of a message's flags.</summary>
    public ValueTask ToldAsync() => UntilAsync(static line => line.IndexOf(" FETCH ("u8) > 0);

    /// <summary>Ends IDLE.</summary>
    public ValueTask<Answer> DoneAsync() => RunAsync("DONE\r\n"u8.ToArray());

    private async ValueTask UntilAsync(Func<ReadOnlySpan<byte>, bool> wanted)
    {
        while (true)
        {
            int length = await LineAsync();
            bool found = wanted(Received[..length]);
            Take(length);
            if (found)
                return;
        }
    }

    private async ValueTask<Answer> TaggedAsync(long started, int count)
    {
        _untagged = 0;
        _octets = 0;
        while (!Scan(ref count))
            await FillAsync();
        return new Answer(Stopwatch.GetTimestamp() - started, _untagged, _octets, 1);
    }

    // True when the last tagged answer was taken; false when more must be received. Literals are skipped, not looked at.
    private bool Scan(ref int awaited)
    {
        while (true)
        {
            ReadOnlySpan<byte> received = Received;
            if (_literal > 0)
            {
                int here = (int)Math.Min(_literal, received.Length);
                Take(here);
                _octets += here;
                _literal -= here;
                if (_literal > 0)
                    return false;
                continue;
            }
            int end = received[_looked..].IndexOf((byte)'\n');
            if (end < 0)
            {
                _looked = received.Length;
                return false;
            }
            ReadOnlySpan<byte> line = received[..(_looked + end + 1)];
            _looked = 0;
            bool goesOn = _goesOn;
            _goesOn = EndsInLiteral(line, out _literal);
            Take(line.Length);
            _octets += line.Length;
            if (goesOn)
                continue;
            if (line[0] == '*')
            {
                _untagged++;
                if (line.StartsWith("* BYE"u8) && awaited > 1)
                    throw new UnexpectedAnswerException(Text(line));
            }
            else if (line.StartsWith("a "u8))
            {
                if (!line.StartsWith("a OK"u8))
                    throw new UnexpectedAnswerException(Text(line));
                if (--awaited == 0)
                    return true;
            }
        }
    }

    private static bool EndsInLiteral(ReadOnlySpan<byte> line, out long length)
    {
        length = 0;
        if (!line.EndsWith("}\r\n"u8))
            return false;
        int brace = line.LastIndexOf((byte)'{');
        return brace >= 0 && Utf8Parser.TryParse(line[(brace + 1)..^3], out length, out int used) && used == line.Length - brace - 4;
    }
}
