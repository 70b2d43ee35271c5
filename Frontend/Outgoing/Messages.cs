using MailCluster.Contracts;

namespace MailCluster.Outgoing;

/// <summary>The octets of a message that waits, as a stream that can be read more than once.</summary>
internal static class Messages
{
    /// <summary>Larger ones lie in a file while they are sent.</summary>
    private const int InMemory = 256 * 1024;

    public static async Task<Stream> OpenAsync(IMessageBodies bodies, WaitingMail waiting, CancellationToken cancellationToken)
    {
        OutgoingMail mail = waiting.Mail;
        long rest = mail.Body is null ? 0 : mail.Size - mail.Offset;
        Stream stream = mail.Head.Length + rest <= InMemory
            ? new MemoryStream()
            : new FileStream(Path.Combine(Path.GetTempPath(), $"mailcluster-{Guid.NewGuid():N}"), new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        try
        {
            await stream.WriteAsync(mail.Head, cancellationToken).ConfigureAwait(false);
            if (mail.Body is { } body && rest > 0)
            {
                await foreach (ReadOnlyMemory<byte> piece in bodies.ReadAsync(body, mail.Size, mail.Offset, rest, cancellationToken).ConfigureAwait(false))
                    await stream.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
            }
            stream.Position = 0;
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
