using System.Text;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.ManageSieve;

/// <summary>Whatever a client sends: it gets answers or is sent away, and the door serves the next one.</summary>
public sealed class AnyInputTests
{
    private static readonly string[] Words =
    [
        "NOOP", "CAPABILITY", "PUTSCRIPT", "CHECKSCRIPT", "GETSCRIPT", "HAVESPACE", "LISTSCRIPTS", "SETACTIVE", "RENAMESCRIPT", "DELETESCRIPT", "AUTHENTICATE", "UNAUTHENTICATE", "STARTTLS",
        " ", " \"a\"", " \"\\\"\"", " {3+}\r\nabc", " {3}\r\n", " {0+}\r\n", " {99999+}\r\n", " {4294967296+}", " 1", " 99999999999", "\"", "\\", "{", "}", "+", "*", "\r\n", "\n", "\r", "\0",
        "keep;", "PLAIN", "\"PLAIN\"", " \"keep;\"", "ü", "\u00ff",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Any_words(bool loggedIn)
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        var random = new Random(4711);
        for (int i = 0; i < 150; i++)
        {
            using Peer peer = loggedIn ? await door.LoggedInAsync() : await door.ConnectAsync();
            var text = new StringBuilder();
            for (int words = random.Next(1, 30); words > 0; words--)
                text.Append(Words[random.Next(Words.Length)]);
            try
            {
                await peer.SendAsync(Encoding.UTF8.GetBytes(text.ToString()));
                peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                while (await peer.LineAsync() is not null)
                {
                }
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                // It was sent away in the middle.
            }
        }
        using Peer last = await door.LoggedInAsync();
        await SieveDoor.SayAsync(last, "NOOP", "OK");
    }
}
