using MailCluster.Contracts.Content;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support;
using MimeKit;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class ContentCorpusTests
{
    [Fact]
    public void Every_part_has_the_bytes_that_MimeKit_gives_it()
    {
        Assert.SkipWhen(Corpus.Folder is null, Corpus.Absent);
        Assert.All(Corpus.Files, file =>
        {
            var bytes = Corpus.Read(file);
            var content = ContentParser.Parse(bytes);
            Compare.WithMimeKit(Path.GetFileName(file), bytes, content);
            Compare.Invariants(bytes, content);
        });
    }

    [Fact]
    public void The_stored_form_gives_the_same_content_back()
    {
        Assert.SkipWhen(Corpus.Folder is null, Corpus.Absent);
        foreach (var file in Corpus.Files)
        {
            var content = ContentParser.Parse(Corpus.Read(file));
            var encoded = content.Encode();
            Assert.Equal(1, encoded[0]);
            var decoded = MessageContent.Decode(encoded);
            Assert.Equal((content.Size, content.HeadersTruncated), (decoded.Size, decoded.HeadersTruncated));
            Assert.Equivalent(content.Envelope, decoded.Envelope, strict: true);
            Assert.Equivalent(content.Headers, decoded.Headers, strict: true);
            Assert.Equivalent(content.Root, decoded.Root, strict: true);
            Assert.Equal(encoded, decoded.Encode());
        }
    }
}
