using BenchmarkDotNet.Attributes;
using MailCluster.Benchmarks.Load;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Content;

namespace MailCluster.Benchmarks.Micro;

/// <summary>What is computed once, when a message comes in, and what is read of it later.</summary>
public class Mime
{
    private readonly byte[] _plain = SampleMessages.Of(2, 4096);
    private readonly byte[] _parts = SampleMessages.Of(3, 4096);
    private readonly byte[] _large = SampleMessages.Of(3, 1 << 20);
    private readonly MessageContent _content = ContentParser.Parse(SampleMessages.Of(3, 4096));
    private readonly byte[] _encoded = ContentParser.Parse(SampleMessages.Of(3, 4096)).Encode();

    [Benchmark]
    public MessageContent ParsePlain4K() => ContentParser.Parse(_plain);

    [Benchmark]
    public MessageContent ParseParts4K() => ContentParser.Parse(_parts);

    [Benchmark]
    public MessageContent Parse1M() => ContentParser.Parse(_large);

    [Benchmark]
    public byte[] Encode() => _content.Encode();

    [Benchmark]
    public MessageContent Decode() => MessageContent.Decode(_encoded);
}
