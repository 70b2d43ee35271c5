using System.IO.Pipelines;
using System.Text;
using MailCluster.Imap.Wire;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Wire;

[Covers("LITERAL+", "LITERAL-")]
public class CommandReaderTests
{
    static readonly CommandReaderOptions Small = new() { CommandLimit = 400, LiteralLimitBeforeLogin = 20, SwallowLimit = 1000 };

    readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    readonly Source _source;
    int Asked => _source.Asked;

    public CommandReaderTests() => _source = new(_pipe.Reader);

    sealed class Source(PipeReader input) : ICommandSource
    {
        public int Asked { get; private set; }

        public int Waits { get; private set; }

        public Action? OnWait { get; set; }

        public bool IsInterrupted { get; set; }

        public PipeReader Input => input;

        public ValueTask AskForLiteralAsync(CancellationToken cancellation)
        {
            Asked++;
            return default;
        }

        public ValueTask BeforeWaitAsync(CancellationToken cancellation)
        {
            Waits++;
            OnWait?.Invoke();
            return default;
        }
    }

    CommandReader Reader(CommandReaderOptions? options = null, bool loggedIn = true) => new(_source, options ?? new()) { LoggedIn = loggedIn };

    async Task Send(string text)
    {
        await _pipe.Writer.WriteAsync(Encoding.Latin1.GetBytes(text));
    }

    static string Text(CommandRead read) => Encoding.Latin1.GetString(read.Bytes.Span);

    static async Task<string> Next(CommandReader reader)
    {
        var read = await reader.ReadAsync(default);
        return read.Status == CommandReadStatus.Command ? Text(read) : read.Status.ToString();
    }

    [Fact]
    public async Task LinesAreCommands()
    {
        var reader = Reader();
        await Send("a1 NOOP\r\na2 CHECK\n\r\n");
        Assert.Equal("a1 NOOP", await Next(reader));
        Assert.True(reader.HasMoreInput);
        Assert.Equal("a2 CHECK", await Next(reader));
        Assert.Equal("", await Next(reader));
        Assert.False(reader.HasMoreInput);
        var waiting = Next(reader);
        Assert.False(waiting.IsCompleted);
        await _pipe.Writer.CompleteAsync();
        Assert.Equal("End", await waiting);
    }

    [Fact]
    public async Task LiteralsAreAskedForAndStandInline()
    {
        var reader = Reader(loggedIn: false);
        await Send("a LOGIN {5}\r\n");
        var read = Next(reader);
        Assert.Equal(1, Asked);
        await Send("al\r\nx {3+}\r\nabc\r\n");
        Assert.Equal("a LOGIN {5}\r\nal\r\nx {3+}\r\nabc", await read);
        Assert.Equal(1, Asked);
    }

    [Fact]
    public async Task WhatALiteralHoldsIsNeverAnAnnouncement()
    {
        var reader = Reader();
        await Send("a LOGIN u {4+}\r\n{99}\r\nb LOGIN u {3+}\r\n{9+}\r\nc X {1+}\r\n\r\nd NOOP\r\n");
        Assert.Equal("a LOGIN u {4+}\r\n{99}", await Next(reader));
        Assert.Equal("b LOGIN u {3+}\r\n{9+}", await Next(reader));
        Assert.Equal("c X {1+}\r\n\r", await Next(reader));
        Assert.Equal("d NOOP", await Next(reader));
        Assert.Equal(0, Asked);
    }

    [Fact]
    public async Task AClientThatDoesNotWaitIsUnderstood()
    {
        var reader = Reader();
        await Send("a LOGIN {1}\r\nu {1}\r\np\r\nb NOOP\r\n");
        Assert.Equal("a LOGIN {1}\r\nu {1}\r\np", await Next(reader));
        Assert.Equal(2, Asked);
        Assert.Equal("b NOOP", await Next(reader));
    }

    [Fact]
    public async Task AnsweredLinesHaveNoLiterals()
    {
        var reader = Reader();
        await Send("AGE={5}\r\nDONE\r\n");
        Assert.Equal("AGE={5}", Text(await reader.ReadLineAsync(default)));
        Assert.Equal("DONE", Text(await reader.ReadLineAsync(default)));
        Assert.Equal(0, Asked);
    }

    [Theory]
    [InlineData("{21}")]
    [InlineData("{1073741824}")]
    [InlineData("{99999999999999999999999999}")]
    public async Task BeforeLoginASynchronisingLiteralIsBounded(string literal)
    {
        var reader = Reader(Small, loggedIn: false);
        await Send($"a LOGIN u {literal}\r\nb NOOP\r\n");
        var read = await reader.ReadAsync(default);
        Assert.Equal(CommandReadStatus.TooLong, read.Status);
        Assert.Equal("a", ImapParser.TagOf(read.Bytes.Span));
        Assert.Equal("b NOOP", await Next(reader));
        Assert.Equal(0, Asked);
    }

    [Fact]
    public async Task ALargeLiteralThatComesAnywayIsSwallowedWithItsCommand()
    {
        var reader = Reader(Small, loggedIn: false);
        await Send("a LOGIN u {500+}\r\n" + new string('x', 498) + "\r\n {2+}\r\n\r\n \"x\"\r\nb NOOP\r\n");
        Assert.Equal("TooLong", await Next(reader));
        Assert.Equal("b NOOP", await Next(reader));
    }

    [Theory]
    [InlineData("{1001+}")]
    [InlineData("{99999999999999999999999999+}")]
    [InlineData("{500+}\r\n", 500, "{501+}")]
    public async Task WhatIsNotWorthSwallowingEndsTheConnection(string first, int filler = 0, string then = "")
    {
        var reader = Reader(Small, loggedIn: false);
        await Send("a LOGIN u " + first + new string('x', filler) + then + "\r\n");
        Assert.Equal("Close", await Next(reader));
        Assert.Equal("Close", await Next(reader));
    }

    [Fact]
    public async Task LongLinesAreSwallowedToTheirEnd()
    {
        var reader = Reader(Small);
        await Send("a SEARCH " + new string('x', 200));
        var read = reader.ReadAsync(default);
        await Send(new string('x', 300) + " {3+}\r\na\r\n {5}\r\nb NOOP\r\n");
        var result = await read;
        Assert.Equal(CommandReadStatus.TooLong, result.Status);
        Assert.Equal("a", ImapParser.TagOf(result.Bytes.Span));
        Assert.Equal("b NOOP", await Next(reader));
        Assert.Equal(0, Asked);
    }

    [Fact]
    public async Task WhatIsToldOfALongLineDoesNotDependOnItsPieces()
    {
        var reader = Reader(Small);
        var line = "a SEARCH " + new string('x', 600) + "\r\n";
        await Send(line);
        var whole = (await reader.ReadAsync(default)).Bytes.ToArray();
        await Send(line[..300]);
        var read = reader.ReadAsync(default);
        await Send(line[300..]);
        Assert.Equal(whole, (await read).Bytes.ToArray());
        Assert.Equal("a", ImapParser.TagOf(whole));
    }

    [Fact]
    public async Task AnAnnouncementThatCrossesTheLimitIsSeen()
    {
        for (var before = 390; before <= 402; before++)
        {
            var pipe = new Pipe();
            var reader = new CommandReader(new Source(pipe.Reader), Small);
            var line = new string('x', before) + "{4+}\r\n";
            await pipe.Writer.WriteAsync(Encoding.Latin1.GetBytes(line[..395]));
            var read = reader.ReadAsync(default);
            await pipe.Writer.WriteAsync(Encoding.Latin1.GetBytes(line[395..] + "y\r\nz" + "\r\nb NOOP\r\n"));
            Assert.Equal(CommandReadStatus.TooLong, (await read).Status);
            Assert.Equal("b NOOP", Text(await reader.ReadAsync(default)));
        }
    }

    [Fact]
    public async Task AnEndlessLineEndsTheConnection()
    {
        var reader = Reader(Small);
        await Send(new string('x', 3000));
        Assert.Equal("Close", await Next(reader));
    }

    [Theory]
    [InlineData("a NOOP")]
    [InlineData("a LOGIN {10}\r\nabc")]
    [InlineData("a LOGIN {10+}\r\n")]
    [InlineData("a APPEND x {10+")]
    public async Task TheConnectionMayEndAnywhere(string text)
    {
        var reader = Reader();
        await Send(text);
        await _pipe.Writer.CompleteAsync();
        Assert.Equal("End", await Next(reader));
    }

    [Fact]
    public async Task ACancelledReadLosesNothing()
    {
        var reader = Reader();
        await Send("a LOGIN {3}\r\nab");
        using var cancellation = new CancellationTokenSource();
        var read = reader.ReadAsync(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await read);
        await Send("c\r\n");
        Assert.Equal("a LOGIN {3}\r\nabc", await Next(reader));
    }

    [Fact]
    public async Task AnInterruptedWaitGoesOn()
    {
        var reader = Reader();
        await Send("a NO");
        var read = reader.ReadAsync(default).AsTask();
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _source.OnWait = () => again.TrySetResult();
        _pipe.Reader.CancelPendingRead();
        await again.Task;
        Assert.False(read.IsCompleted);
        _source.IsInterrupted = true;
        _pipe.Reader.CancelPendingRead();
        Assert.Equal(CommandReadStatus.Interrupted, (await read).Status);
        await Send("OP\r\n");
        Assert.Equal("a NOOP", await Next(reader));
    }

    [Fact]
    public async Task OnlyAWaitIsAnnounced()
    {
        var reader = Reader();
        await Send("a NOOP\r\nb NOOP\r\n");
        await Next(reader);
        await Next(reader);
        Assert.Equal(0, _source.Waits);
        var read = Next(reader);
        Assert.Equal(1, _source.Waits);
        await Send("c NOOP\r\n");
        Assert.Equal("c NOOP", await read);
    }

    [Fact]
    public async Task AMessageIsStreamed()
    {
        var reader = Reader();
        await Send("a APPEND INBOX (\\Seen) {12}\r\n");
        var read = await reader.ReadAsync(default);
        Assert.Equal(new LiteralAnnouncement(12, true, false), read.Literal);
        Assert.Equal("a APPEND INBOX (\\Seen) {12}\r\n", Text(read));
        Assert.Equal(0, Asked);
        var stream = await reader.OpenLiteralAsync(default);
        Assert.Equal(1, Asked);
        await Send("hello\r\n");
        var copy = new MemoryStream();
        var copying = stream.CopyToAsync(copy);
        await Send("w\0rldNOT");
        await copying;
        Assert.Equal("hello\r\nw\0rld", Encoding.Latin1.GetString(copy.ToArray()));
        Assert.True(stream.SawNul);
        await Send("\r\nb NOOP\r\n");
        Assert.Equal("NOT", Text(await reader.ContinueAsync(default)));
        Assert.Equal("b NOOP", await Next(reader));
    }

    [Fact]
    public async Task SeveralMessagesAreOfferedOneByOne()
    {
        var reader = Reader();
        await Send("a APPEND {5+}\r\nINBOX {3+}\r\nabc (\\Seen) ~{2+}\r\nde {1}\r\nf\r\nb NOOP\r\n");
        var read = await reader.ReadAsync(default);
        Assert.Equal(CommandReadStatus.Literal, read.Status);
        read = await reader.AcceptIntoMemoryAsync(100, default);
        Assert.Equal("a APPEND {5+}\r\nINBOX {3+}\r\n", Text(read));
        var stream = await reader.OpenLiteralAsync(default);
        read = await reader.ContinueAsync(default);
        Assert.Equal(" (\\Seen) ~{2+}\r\n", Text(read));
        Assert.True(read.Literal.Binary);
        await reader.OpenLiteralAsync(default);
        read = await reader.ContinueAsync(default);
        Assert.Equal((" {1}\r\n", CommandReadStatus.Literal), (Text(read), read.Status));
        await reader.OpenLiteralAsync(default);
        read = await reader.ContinueAsync(default);
        Assert.Equal(("", CommandReadStatus.Command), (Text(read), read.Status));
        Assert.Equal("b NOOP", await Next(reader));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadExactlyAsync(new byte[1]));
    }

    [Theory]
    [InlineData("{9}\r\n", "")]
    [InlineData("{9+}\r\n", "NO SUCH\r\n\r\n")]
    [InlineData("{9+}\r\n", "NO SUCH\r\n {3+}\r\nabc\r\n")]
    [InlineData("{9+}\r\n", "NO SUCH\r\n {3}\r\n")]
    public async Task ARefusedMessageIsNotReadAsCommands(string literal, string sent)
    {
        var reader = Reader();
        await Send("a APPEND x " + literal + sent + "b NOOP\r\n");
        Assert.Equal(CommandReadStatus.Literal, (await reader.ReadAsync(default)).Status);
        Assert.Equal(CommandReadStatus.TooLong, (await reader.RefuseAsync(100, default)).Status);
        Assert.Equal("b NOOP", await Next(reader));
        Assert.Equal(0, Asked);
    }

    [Fact]
    public async Task ARefusedMessageAboveTheBoundEndsTheConnection()
    {
        var reader = Reader();
        await Send("a APPEND x {101+}\r\n");
        await reader.ReadAsync(default);
        Assert.Equal(CommandReadStatus.Close, (await reader.RefuseAsync(100, default)).Status);
    }

    [Fact]
    public async Task AMailboxNameAsALargeLiteralIsRefused()
    {
        var reader = Reader();
        await Send("a APPEND {1000}\r\nb NOOP\r\n");
        await reader.ReadAsync(default);
        Assert.Equal(CommandReadStatus.TooLong, (await reader.AcceptIntoMemoryAsync(999, default)).Status);
        Assert.Equal("b NOOP", await Next(reader));
    }

    [Fact]
    public async Task HalfAMessageIsAnError()
    {
        var reader = Reader();
        await Send("a APPEND x {9+}\r\nabc");
        await _pipe.Writer.CompleteAsync();
        await reader.ReadAsync(default);
        var stream = await reader.OpenLiteralAsync(default);
        await Assert.ThrowsAsync<EndOfStreamException>(() => stream.CopyToAsync(Stream.Null));
        Assert.Equal(CommandReadStatus.End, (await reader.ContinueAsync(default)).Status);
    }

    [Fact]
    public async Task BeforeLoginAppendIsACommandLikeOthers()
    {
        var reader = Reader(Small, loggedIn: false);
        await Send("a APPEND x {30}\r\n");
        Assert.Equal("TooLong", await Next(reader));
    }

    [Fact]
    public async Task WhereTheBytesAreCutMakesNoDifference()
    {
        const string Session = "a LOGIN {3}\r\nx\r\n {2+}\r\nab\r\nb NOOP\nc SEARCH TEXT {4+}\r\n{1}\r FROM \"{1}\"\r\nd X {0+}\r\n\r\n\r\ne LOGOUT\r\n";
        string[] expected = ["a LOGIN {3}\r\nx\r\n {2+}\r\nab", "b NOOP", "c SEARCH TEXT {4+}\r\n{1}\r FROM \"{1}\"", "d X {0+}\r\n", "", "e LOGOUT", "End"];
        for (var cut = 0; cut <= Session.Length; cut++)
        {
            Assert.Equal(expected, await ReadAll([Session[..cut], Session[cut..]]));
        }
        Assert.Equal(expected, await ReadAll([.. Session.Select(c => c.ToString())]));
    }

    [Fact]
    public async Task NoiseNeitherThrowsNorHangs()
    {
        string[] pieces = ["a ", "LOGIN", "{", "}", "+", "3", "9999999999", "\r\n", "\n", "\r", "\0", "~", new('x', 30), "APPEND", "\"", "{2}\r\n", "{3+}\r\n"];
        var random = new Random(7888);
        for (var i = 0; i < 500; i++)
        {
            var noise = Enumerable.Range(0, random.Next(60)).Select(_ => pieces[random.Next(pieces.Length)]);
            Assert.Contains((await ReadAll([.. noise], Small))[^1], new[] { "End", "Close" });
        }
    }

    async Task<List<string>> ReadAll(string[] pieces, CommandReaderOptions? options = null)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        var reader = new CommandReader(new Source(pipe.Reader), options ?? new());
        var results = new List<string>();
        var reading = Task.Run(async () =>
        {
            while (results.Count == 0 || results[^1] is not ("End" or "Close"))
            {
                results.Add(await Next(reader));
            }
        });
        foreach (var piece in pieces)
        {
            await pipe.Writer.WriteAsync(Encoding.Latin1.GetBytes(piece));
            await Task.Yield();
        }
        await pipe.Writer.CompleteAsync();
        await reading;
        return results;
    }
}
