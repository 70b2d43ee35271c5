using System.Text;
using MailCluster.Tests.Unit.ManageSieve;
using MailCluster.Tests.Unit.Net;

namespace MailCluster.Tests.Fuzz;

/// <summary>Whole ManageSieve sessions: whatever a client sends, the session ends when the client has, each answer is one of the protocol, and the next one finds a server that works.</summary>
public sealed class ManageSieveTarget : Target
{
    private static readonly Lazy<Task<SieveDoor>> Door = new(static () => SieveDoor.OpenAsync());

    private static readonly string[] Sessions =
    [
        "CAPABILITY\r\nNOOP \"tag\"\r\nLISTSCRIPTS\r\n",
        "PUTSCRIPT \"a\" {6+}\r\nkeep;\n\r\nSETACTIVE \"a\"\r\nGETSCRIPT \"a\"\r\nRENAMESCRIPT \"a\" \"b\"\r\nSETACTIVE \"\"\r\nDELETESCRIPT \"b\"\r\n",
        "HAVESPACE \"a\" 100\r\nCHECKSCRIPT \"stop; keep;\"\r\nCHECKSCRIPT {3+}\r\nif \r\n",
        "UNAUTHENTICATE\r\nAUTHENTICATE \"PLAIN\" \"AGFsaWNlQGRlbW8udGVzdABzZWNyZXQ=\"\r\nAUTHENTICATE \"LOGIN\"\r\n\"YQ==\"\r\nLOGOUT\r\n",
    ];

    public override string Name => "managesieve";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. Sessions.Select(Encoding.ASCII.GetBytes)];

    public override IReadOnlyList<string> Words { get; } =
    [
        "\r\n", "\n", "\r", "\0", " ", "\"", "\\", "{", "}", "{3+}\r\n", "{0+}\r\n", "{9}\r\n", "{70000+}\r\n", "{99999999999+}\r\n", "+", "*", "1", "4294967296", "\u00e4", "CAPABILITY", "NOOP ", "PUTSCRIPT ",
        "GETSCRIPT ", "SETACTIVE ", "HAVESPACE ", "CHECKSCRIPT ", "RENAMESCRIPT ", "DELETESCRIPT ", "LISTSCRIPTS", "AUTHENTICATE ", "UNAUTHENTICATE", "STARTTLS", "LOGOUT", "\"PLAIN\" ", "\"a\" ", "keep;",
    ];

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        SieveDoor door = await Door.Value;
        using Peer peer = variant.Next(4) == 0 ? await door.ConnectAsync() : await door.LoggedInAsync();
        try
        {
            await peer.SendAsync(input);
            peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            while (await peer.LineAsync() is { } line)
            {
                if (line.Contains("Exception", StringComparison.Ordinal) || line.Contains("   at ", StringComparison.Ordinal))
                    throw new InvalidOperationException("An internal error: " + line);
            }
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            // It was sent away before all was said.
        }
    }
}
