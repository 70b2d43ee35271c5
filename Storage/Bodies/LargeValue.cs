using System.Net.Sockets;
using Npgsql;

namespace MailCluster.Storage.Bodies;

/// <summary>
/// Reads a large value of a row in few large pieces. PostgreSQL sends 8 KB at a time, and to be woken for each of them costs a node several times what it costs to take them: the kernel is told to wake
/// it when there is enough (SO_RCVLOWAT).
/// </summary>
internal static class LargeValue
{
    /// <summary>Octets that are waited for at most: the kernel makes room for twice as many while they are.</summary>
    private const int Most = 256 * 1024;

    // asm/socket.h.
    private const int SolSocket = 1;
    private const int SoRcvLowAt = 18;

    /// <summary>Fills <paramref name="into"/>, which is no larger than what <paramref name="value"/> still has.</summary>
    /// <param name="connection">That the value comes from.</param>
    /// <exception cref="EndOfStreamException">It is larger.</exception>
    public static async ValueTask ReadAsync(NpgsqlConnection connection, Stream value, Memory<byte> into, CancellationToken cancellationToken)
    {
        // What came along with the beginning of the row. A read that fills not all that it might has left nothing in Npgsql's buffer: the rest is still to come, all of it, so that it can be waited for.
        into = into[await ReadSomeAsync().ConfigureAwait(false)..];
        if (into.IsEmpty)
            return;
        Socket? socket = PostgresPool.PlainSocketOf(connection);
        int awaited = 1;
        try
        {
            for (; into.Length > 0; into = into[await ReadSomeAsync().ConfigureAwait(false)..])
                Await(Math.Min(into.Length, Most));
        }
        finally
        {
            // Nothing is left to wait for, or the connection is broken.
            if (socket?.SafeHandle.IsClosed == false)
                Await(1);
        }

        async ValueTask<int> ReadSomeAsync() =>
            await value.ReadAsync(into, cancellationToken).ConfigureAwait(false) is > 0 and var read ? read : throw new EndOfStreamException();

        void Await(int octets)
        {
            if (socket is null || octets == awaited)
                return;
            awaited = octets;
            socket.SetRawSocketOption(SolSocket, SoRcvLowAt, BitConverter.GetBytes(octets));
        }
    }
}
