using System.Collections.Concurrent;
using System.Net;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Filters;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>What users take for spam, and what not, is told to their tenant's filter.</summary>
public sealed class JunkTests(SieveFixture fixture) : IClassFixture<SieveFixture>
{
    private MailServer Server => fixture.Server;

    [Fact]
    public async Task What_moves_into_and_out_of_Junk_is_told_at_least_once_and_what_was_filed_there_is_not()
    {
        await Server.AccountAsync();
        await using var sink = new Sink();
        await using var database = NpgsqlDataSource.Create(Server.ConnectionString);
        TenantId tenant = (await Server.Tenants.FindAsync("test"))!.Id;
        var reports = new JunkReports(database);
        // Nobody wants to know: nothing is looked at, however many Junk mailboxes there are.
        Assert.Null((await reports.ScanAsync(default, 500, TestContext.Current.CancellationToken)).Last);
        await reports.SetAsync(tenant, sink.Url + "learnspam", sink.Url + "learnham", "Password: q1");
        // Its mailboxes are younger than the setting: whatever happens in them is told.
        string user = await Server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await imap.Append("1", "INBOX", "Subject: spam by move\r\n\r\nx\r\n");
        await imap.Append("2", "INBOX", "Subject: spam by copy\r\n\r\nx\r\n");
        await imap.Append("3", "Junk", "Subject: filed\r\n\r\nx\r\n");
        await imap.Append("4", "Junk", "Subject: thrown away\r\n\r\nx\r\n");
        await imap.Run("5 SELECT INBOX");
        await imap.Run("6 MOVE 1 Junk");
        await imap.Run("7 COPY 1 Junk");
        // The filter is not well at first.
        sink.Failures = 1;
        Assert.Equal(["learnspam Subject: spam by copy", "learnspam Subject: spam by move"], (await sink.NextAsync(2)).Order());
        await imap.Run("8 SELECT Junk");
        await imap.Run("9 MOVE 2 Trash");
        await imap.Run("10 MOVE 1 INBOX");
        Assert.Equal(["learnham Subject: filed"], await sink.NextAsync(1));
        Assert.All(sink.Passwords, static p => Assert.Equal("q1", p));
        Assert.Empty(sink.Waiting);
        Assert.True(await reports.ClearAsync(tenant));
    }

    /// <summary>An HTTP server that takes reports.</summary>
    private sealed class Sink : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly SemaphoreSlim _came = new(0);
        private readonly Task _serving;

        public Sink()
        {
            Url = $"http://127.0.0.1:{FreePorts.Next()}/";
            _listener.Prefixes.Add(Url);
            _listener.Start();
            _serving = ServeAsync();
        }

        public string Url { get; }

        public int Failures { get; set; }

        public ConcurrentQueue<string> Waiting { get; } = new();

        public ConcurrentBag<string?> Passwords { get; } = [];

        public async Task<string[]> NextAsync(int count)
        {
            var lines = new HashSet<string>();
            while (lines.Count < count)
            {
                Assert.True(await _came.WaitAsync(TimeSpan.FromMinutes(2)), "no report came");
                Waiting.TryDequeue(out string? line);
                lines.Add(line!);
            }
            return [.. lines];
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    HttpListenerContext context = await _listener.GetContextAsync();
                    using var reader = new StreamReader(context.Request.InputStream, Encoding.Latin1);
                    string subject = (await reader.ReadToEndAsync()).Split("\r\n").First(static l => l.StartsWith("Subject:"));
                    Passwords.Add(context.Request.Headers["Password"]);
                    bool fails = Failures-- > 0;
                    context.Response.StatusCode = fails ? 503 : 200;
                    context.Response.Close();
                    if (fails)
                        continue;
                    Waiting.Enqueue(context.Request.Url!.AbsolutePath.Trim('/') + " " + subject);
                    _came.Release();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
