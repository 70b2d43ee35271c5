using System.Net;
using System.Net.Sockets;
using System.Text;
using MailCluster.Storage.Private;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class DrainTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");

    public DrainTests() => Assert.SkipWhen(PostgresPrograms.Find() is null, $"PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task At_SIGTERM_a_running_APPEND_finishes_idle_clients_get_BYE_and_readyz_says_no()
    {
        await using var demo = await DemoServer.StartAsync(_directory.FullName);
        var (user, password) = demo.Account(0);
        await using var idle = await ImapClient.ConnectAsync(demo.Door("imap"));
        await using var busy = await ImapClient.ConnectAsync(demo.Door("imap"));
        await busy.SendAsync($"a LOGIN {user} {password}\r\n");
        Assert.StartsWith("a OK", await busy.ReadUntilAsync("a "));
        await busy.SendAsync("b APPEND INBOX {20}\r\n");
        Assert.StartsWith("+", await busy.ReadUntilAsync("+"));
        await busy.SendAsync("Subject: x\r\n");

        demo.Process.Terminate();
        Assert.StartsWith("* BYE", await idle.ReadUntilAsync("* BYE"));
        using var http = new HttpClient();
        var readyz = await http.GetAsync($"http://{demo.File.GetProperty("http").GetString()}/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, readyz.StatusCode);
        Assert.Contains("\"draining\":true", await readyz.Content.ReadAsStringAsync());
        await Assert.ThrowsAnyAsync<SocketException>(() => ImapClient.ConnectAsync(demo.Door("imap")));

        await busy.SendAsync("\r\nhello\n\r\n");
        Assert.StartsWith("b OK", await busy.ReadUntilAsync("b "));
        Assert.StartsWith("* BYE", await busy.ReadUntilAsync("* BYE"));
        await demo.Process.WaitForExitAsync();
        Assert.Equal(0, demo.Process.ExitCode);
    }

    private sealed class ImapClient : IAsyncDisposable
    {
        private readonly TcpClient _client = new();
        private StreamReader _reader = null!;

        public static async Task<ImapClient> ConnectAsync((string Host, int Port) door)
        {
            var client = new ImapClient();
            await client._client.ConnectAsync(door.Host, door.Port);
            client._reader = new(client._client.GetStream(), Encoding.Latin1);
            await client.ReadUntilAsync("* OK");
            return client;
        }

        public async Task SendAsync(string text) => await _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

        /// <summary>The next line that begins so; what comes before it is passed over.</summary>
        public async Task<string> ReadUntilAsync(string begin)
        {
            while (true)
            {
                var line = await _reader.ReadLineAsync() ?? throw new IOException($"The connection ended before '{begin}'.");
                if (line.StartsWith(begin, StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }

        public ValueTask DisposeAsync()
        {
            _client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
