using System.Text;
using MailCluster.Server.Commands;

namespace MailCluster.Tests.Cluster;

/// <summary>
/// Commands run inside the test's process, with a standard input and output of their own: starting a process takes most of a second, and there are more than a hundred of them. What a process
/// alone can show (its signals, streams of octets) takes <see cref="Support.ServerProcess"/>.
/// </summary>
internal static class AdminHere
{
    private static readonly AsyncLocal<(TextReader Input, TextWriter Output)?> _console = new();

    static AdminHere()
    {
        Console.SetIn(new Reader(Console.In));
        Console.SetOut(new Writer(Console.Out));
        Console.SetError(new Writer(Console.Error));
    }

    /// <summary>What it printed on both outputs, in their order.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(IEnumerable<string> arguments, string? input = null)
    {
        var output = new StringWriter();
        // Ends with this method, as far as the caller is concerned.
        _console.Value = (new StringReader(input is null ? "" : input + "\n"), TextWriter.Synchronized(output));
        return (await MainCommand.RunAsync([.. arguments]), output.ToString());
    }

    private sealed class Reader(TextReader others) : TextReader
    {
        private TextReader Now => _console.Value?.Input ?? others;

        public override int Peek() => Now.Peek();

        public override int Read() => Now.Read();

        public override string? ReadLine() => Now.ReadLine();
    }

    private sealed class Writer(TextWriter others) : TextWriter
    {
        public override Encoding Encoding => others.Encoding;

        private TextWriter Now => _console.Value?.Output ?? others;

        public override void Write(char value) => Now.Write(value);

        public override void Write(char[] buffer, int index, int count) => Now.Write(buffer, index, count);

        public override void Write(string? value) => Now.Write(value);

        public override void Flush() => Now.Flush();
    }
}
