using System.Net.Sockets;
using MailCluster.Tests.Support;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>The server ended a connection; <see cref="Bye"/> when it said so before.</summary>
internal sealed class ConnectionEndedException(bool bye) : Exception("The connection ended.")
{
    public bool Bye { get; } = bye;
}

/// <summary>A client's connection with INBOX selected, which can come back through the other front end.</summary>
internal sealed class LoadSession(MailNodes nodes, string user, int front) : IAsyncDisposable
{
    private ImapClient _client = null!;
    private int _tag;

    /// <summary>The front end of this connection, by number.</summary>
    public int Front { get; private set; } = front;

    public string User => user;

    public async Task ConnectAsync()
    {
        // A front end that was just started again or is about to end may refuse: the other takes the user.
        await Eventually.Async($"{user} cannot log in anywhere", async () =>
        {
            if (!nodes.FrontEnds[Front].Runs)
                Front = 1 - Front;
            ImapClient client = await ImapClient.LoggedInAsync(nodes.FrontEnds[Front].Imap, user, TestAccounts.Password);
            await client.Run("select SELECT INBOX");
            _client = client;
            return true;
        });
    }

    /// <summary>Leaves a connection that ended and comes back through the other front end.</summary>
    public async Task MoveAsync()
    {
        await _client.DisposeAsync();
        Front = 1 - Front;
        await ConnectAsync();
    }

    /// <summary>Sends a command (what follows its tag) and returns its tagged line without the tag, and the untagged lines before it.</summary>
    /// <exception cref="ConnectionEndedException">Before the answer came.</exception>
    public async Task<(string Answer, IReadOnlyList<string> Untagged)> CommandAsync(string command)
    {
        string tag = $"t{++_tag}";
        try
        {
            await _client.SendRaw($"{tag} {command}\r\n");
            (string tagged, IReadOnlyList<string> untagged) = await _client.Answer(tag);
            return (tagged[(tag.Length + 1)..], untagged);
        }
        catch (Exception e) when (IsEnd(e))
        {
            throw new ConnectionEndedException(_client.Transcript.Contains("S: * BYE", StringComparison.Ordinal));
        }
    }

    /// <summary>IDLE until a line has the text; the lines so far. It is still idling then.</summary>
    public async Task IdleUntilAsync(string text)
    {
        try
        {
            await _client.Send($"i{++_tag} IDLE");
            while (!(await _client.Line()).Contains(text, StringComparison.Ordinal))
            {
            }
            await _client.Send("DONE");
            await _client.Answer($"i{_tag}");
        }
        catch (Exception e) when (IsEnd(e))
        {
            throw new ConnectionEndedException(_client.Transcript.Contains("S: * BYE", StringComparison.Ordinal));
        }
    }

    public string Transcript => _client.Transcript;

    public ValueTask DisposeAsync() => _client?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static bool IsEnd(Exception e) =>
        e is IOException or SocketException || (e is UnexpectedReplyException && e.Message.StartsWith("the connection ended", StringComparison.Ordinal));
}
