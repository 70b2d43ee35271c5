using System.IO.Pipelines;
using System.Text;
using MailCluster.Imap.Wire;
using MailCluster.Tests.Unit.Imap.Wire;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// The IMAP command decoder: bytes are cut into commands the same way however they arrive, and each command is read by every grammar, which gives a value or BAD.
/// </summary>
public sealed class DecoderTarget : Target
{
    private static readonly CommandReaderOptions Small = new() { CommandLimit = 2000, LiteralLimitBeforeLogin = 100, SwallowLimit = 4000 };

    public override string Name => "decoder";

    public override IReadOnlyList<byte[]> Seeds => ImapSeeds.Commands;

    public override IReadOnlyList<string> Words => ImapSeeds.Words;

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        bool loggedIn = variant.Next(2) == 0;
        List<string> whole = await ReadAsync([input], loggedIn);
        List<string> pieces = await ReadAsync(Cut(input, variant), loggedIn);
        if (!whole.SequenceEqual(pieces))
            throw new InvalidOperationException($"The same bytes, cut otherwise, are other commands: {string.Join(" | ", whole)} and {string.Join(" | ", pieces)}");
        WireCharset charset = variant.Next(2) == 0 ? WireCharset.Rev1 : WireCharset.Utf8;
        foreach (byte[] rest in whole.Select(static w => Encoding.Latin1.GetBytes(w)).Append(input))
        {
            // The arguments stand behind the second word, or the third.
            for (int skip = 0, at = 0; skip < 4 && at >= 0; skip++)
            {
                foreach (Func<byte[], WireCharset, object?> grammar in RandomBytesTests.Grammars)
                {
                    try
                    {
                        grammar(rest[at..], charset);
                    }
                    catch (ImapSyntaxException)
                    {
                        // That is BAD.
                    }
                }
                int space = Array.IndexOf(rest, (byte)' ', at);
                at = space < 0 ? -1 : space + 1;
            }
        }
    }

    private static IEnumerable<byte[]> Cut(byte[] input, Random random)
    {
        for (int at = 0; at < input.Length;)
        {
            int length = Math.Min(input.Length - at, 1 + random.Next(random.Next(3) == 0 ? 3 : 400));
            yield return input[at..(at + length)];
            at += length;
        }
    }

    /// <summary>What the reader makes of the bytes, as text; literals that it offers are taken in turn: kept, streamed or refused.</summary>
    private static async Task<List<string>> ReadAsync(IEnumerable<byte[]> pieces, bool loggedIn)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        var reader = new CommandReader(new Source(pipe.Reader), Small) { LoggedIn = loggedIn };
        Task writing = Task.Run(async () =>
        {
            foreach (byte[] piece in pieces)
            {
                await pipe.Writer.WriteAsync(piece);
                await Task.Yield();
            }
            await pipe.Writer.CompleteAsync();
        });
        var found = new List<string>();
        int choice = 0;
        Func<ValueTask<CommandRead>> next = () => reader.ReadAsync(default);
        while (found.Count < 10_000)
        {
            CommandRead read = await next();
            next = () => reader.ReadAsync(default);
            if (read.Status is CommandReadStatus.End or CommandReadStatus.Close)
            {
                found.Add(read.Status.ToString());
                break;
            }
            found.Add(Encoding.Latin1.GetString(read.Bytes.Span));
            if (read.Status != CommandReadStatus.Literal)
                continue;
            switch (choice++ % 3)
            {
                case 0:
                    next = () => reader.AcceptIntoMemoryAsync(Small.CommandLimit, default);
                    break;
                case 1:
                    await using (LiteralStream literal = await reader.OpenLiteralAsync(default))
                    {
                        var copy = new MemoryStream();
                        try
                        {
                            await literal.CopyToAsync(copy);
                        }
                        catch (EndOfStreamException)
                        {
                            found.Add("half a message");
                            return found;
                        }
                        found.Add(Encoding.Latin1.GetString(copy.ToArray()));
                    }
                    next = () => reader.ContinueAsync(default);
                    break;
                default:
                    next = () => reader.DropLiteralAsync(Small.SwallowLimit, default);
                    break;
            }
        }
        await writing;
        return found;
    }

    private sealed class Source(PipeReader input) : ICommandSource
    {
        public PipeReader Input => input;

        public bool IsInterrupted => false;

        public ValueTask AskForLiteralAsync(CancellationToken cancellation) => default;

        public ValueTask BeforeWaitAsync(CancellationToken cancellation) => default;
    }
}
