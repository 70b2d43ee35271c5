using System.Buffers;
using BenchmarkDotNet.Attributes;
using MailCluster.Benchmarks.Load;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;

namespace MailCluster.Benchmarks.Micro;

/// <summary>Items of FETCH, from snapshot and stored content to octets.</summary>
public class FetchEncoding
{
    private readonly ArrayBufferWriter<byte> _output = new(1 << 20);
    private readonly MailboxSnapshot _snapshot = MailboxSnapshot.OfRows(1, 1000, 1001, Enumerable.Range(1, 1000).Select(static i => Snapshots.Row((uint)i, i)));
    private readonly MessageContent _content = ContentParser.Parse(SampleMessages.Of(3, 4096));
    private readonly byte[] _encoded = ContentParser.Parse(SampleMessages.Of(3, 4096)).Encode();
    private ReplyWriter _reply = null!;

    [GlobalSetup]
    public void SetUp() => _reply = new ReplyWriter(_output);

    [Benchmark(OperationsPerInvoke = 1000)]
    public int UidAndFlags()
    {
        _output.ResetWrittenCount();
        foreach (MessageRef message in _snapshot.Messages())
            _reply.Raw("* "u8).Number(message.Index + 1).Raw(" FETCH (UID "u8).Number(message.Uid).Raw(" FLAGS "u8).Flags(message.SystemFlags, message.Keywords).Close().NewLine();
        return _output.WrittenCount;
    }

    [Benchmark]
    public int Envelope()
    {
        _output.ResetWrittenCount();
        _reply.Envelope(_content.Envelope);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int BodyStructure()
    {
        _output.ResetWrittenCount();
        _reply.BodyStructure(_content.Root);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int EnvelopeAndStructureOfStored()
    {
        _output.ResetWrittenCount();
        MessageContent content = MessageContent.Decode(_encoded);
        _reply.Envelope(content.Envelope).BodyStructure(content.Root);
        return _output.WrittenCount;
    }
}
