using MailCluster.Tests.Support;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MailKit.Security;
using MimeKit;
using Xunit;
using MailKitClient = MailKit.Net.Imap.ImapClient;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>MailKit over TLS: what it asks about folders, and what it asks about messages.</summary>
public sealed class MailKitTlsTests(MailServer server)
{
    [Theory]
    [InlineData(SecureSocketOptions.StartTls)]
    [InlineData(SecureSocketOptions.SslOnConnect)]
    public async Task Folders(SecureSocketOptions security)
    {
        string user = await server.AccountAsync();
        var talk = new MemoryStream();
        using MailKitClient client = await ConnectAsync(user, security, talk);
        Assert.True(client.IsEncrypted);
        Assert.True(client.Capabilities.HasFlag(ImapCapabilities.Sort));
        Assert.Superset(new HashSet<ThreadingAlgorithm> { ThreadingAlgorithm.OrderedSubject, ThreadingAlgorithm.References }, new HashSet<ThreadingAlgorithm>(client.ThreadingAlgorithms));
        FolderNamespace personal = Assert.Single(client.PersonalNamespaces);
        Assert.Equal(("", '/'), (personal.Path, personal.DirectorySeparator));
        Assert.Equal("Other Users", Assert.Single(client.OtherNamespaces).Path);
        Assert.Equal("Shared Folders", Assert.Single(client.SharedNamespaces).Path);
        foreach (SpecialFolder special in new[] { SpecialFolder.Sent, SpecialFolder.Drafts, SpecialFolder.Trash, SpecialFolder.Junk, SpecialFolder.Archive })
            Assert.Equal(special.ToString(), client.GetFolder(special)!.Name);

        IMailFolder top = client.GetFolder(personal);
        IMailFolder made = (await top.CreateAsync("Käse & Brot", true))!, child = (await made.CreateAsync("2026", true))!;
        IMailFolder flagged = (await top.CreateAsync("Starred", SpecialFolder.Flagged))!;
        Assert.True(flagged.Attributes.HasFlag(FolderAttributes.Flagged));
        await child.AppendAsync(Message("one"), MessageFlags.Seen, new DateTimeOffset(2020, 2, 29, 23, 59, 58, TimeSpan.FromHours(-3)));
        await child.AppendAsync(Message("two"));
        await child.StatusAsync(StatusItems.Count | StatusItems.Unread | StatusItems.UidNext | StatusItems.UidValidity | StatusItems.HighestModSeq | StatusItems.Size | StatusItems.MailboxId);
        Assert.Equal((2, 1, 3u), (child.Count, child.Unread, child.UidNext!.Value.Id));
        Assert.True(child.Size > 0 && child.HighestModSeq > 0 && child.Id is not null);

        IList<IMailFolder> all = await client.GetFoldersAsync(personal, StatusItems.Count | StatusItems.Unread, subscribedOnly: false);
        Assert.Contains(all, static f => f.FullName == "Käse & Brot/2026" && f.Count == 2);
        Assert.True(made.Attributes.HasFlag(FolderAttributes.HasChildren));
        Assert.True(child.Attributes.HasFlag(FolderAttributes.HasNoChildren));

        await child.SubscribeAsync();
        Assert.Contains(await client.GetFoldersAsync(personal, StatusItems.None, subscribedOnly: true), static f => f.FullName == "Käse & Brot/2026");
        await child.UnsubscribeAsync();
        Assert.DoesNotContain(await client.GetFoldersAsync(personal, StatusItems.None, subscribedOnly: true), static f => f.FullName == "Käse & Brot/2026");
        string id = child.Id!;
        await child.RenameAsync(top, "2026 alone");
        await child.StatusAsync(StatusItems.Count | StatusItems.MailboxId);
        Assert.Equal((2, id), (child.Count, child.Id));
        await made.DeleteAsync();
        Assert.DoesNotContain(await client.GetFoldersAsync(personal, StatusItems.None, subscribedOnly: false), static f => f.FullName.StartsWith("Käse", StringComparison.Ordinal));
        await client.DisconnectAsync(true);
        Clean(talk);
    }

    [Fact]
    public async Task Messages()
    {
        string user = await server.AccountAsync();
        var talk = new MemoryStream();
        using MailKitClient client = await ConnectAsync(user, SecureSocketOptions.StartTls, talk);
        IMailFolder inbox = client.Inbox;
        var date = new DateTimeOffset(2020, 2, 29, 23, 59, 58, TimeSpan.FromHours(-3));
        MimeMessage message = Message("Grüße");
        UniqueId first = (await inbox.AppendAsync(new AppendRequest(message, MessageFlags.Flagged, ["$Label"], date)))!.Value;
        IList<UniqueId> more = await inbox.AppendAsync([new AppendRequest(Message("zwei")), new AppendRequest(Message("drei"), MessageFlags.Seen)]);
        Assert.Equal([2u, 3u], more.Select(static u => u.Id));
        await inbox.OpenAsync(FolderAccess.ReadWrite);
        Assert.True(inbox.PermanentFlags.HasFlag(MessageFlags.UserDefined) && inbox.AcceptedFlags.HasFlag(MessageFlags.Flagged) && inbox.Supports(FolderFeature.ModSequences));

        var request = new FetchRequest(
            MessageSummaryItems.All | MessageSummaryItems.BodyStructure | MessageSummaryItems.UniqueId | MessageSummaryItems.ModSeq | MessageSummaryItems.Headers
            | MessageSummaryItems.References | MessageSummaryItems.EmailId | MessageSummaryItems.ThreadId | MessageSummaryItems.SaveDate | MessageSummaryItems.PreviewText);
        IList<IMessageSummary> summaries = await inbox.FetchAsync(0, -1, request);
        IMessageSummary summary = summaries[0];
        Assert.Equal((first, MessageFlags.Flagged, date), (summary.UniqueId, summary.Flags!.Value & ~MessageFlags.Recent, summary.InternalDate!.Value));
        Assert.Equal(["$Label"], summary.Keywords);
        Assert.Equal(("Grüße", "Jürgen"), (summary.Envelope!.Subject, summary.Envelope.From[0].Name));
        Assert.Equal("Grüße", summary.Headers![HeaderId.Subject]);
        Assert.True(summary.ModSeq > 0 && summary.EmailId is not null && summary.SaveDate is not null);
        Assert.Equal("Guten Tag!", summary.PreviewText!.Trim());
        Assert.Equal(("äöü.txt", 10u), (summary.Attachments.Single().FileName, summary.Attachments.Single().Octets));

        var attachment = (MimePart)await inbox.GetBodyPartAsync(first, summary.Attachments.Single());
        using (var content = new MemoryStream())
        {
            attachment.Content!.DecodeTo(content);
            Assert.Equal("attach"u8.ToArray(), content.ToArray());
        }
        Assert.Equal(message.ToString(), (await inbox.GetMessageAsync(first)).ToString());
        using (var start = new StreamReader(await inbox.GetStreamAsync(first, 0, 5)))
            Assert.Equal(5, (await start.ReadToEndAsync()).Length);
        Assert.Equal(message.Headers[HeaderId.MessageId], (await inbox.GetHeadersAsync(first))[HeaderId.MessageId]);

        foreach ((SearchQuery query, uint[] found) in new (SearchQuery, uint[])[]
        {
            (SearchQuery.All, [1, 2, 3]), (SearchQuery.Flagged.Or(SearchQuery.Seen), [1, 3]), (SearchQuery.Not(SearchQuery.Seen), [1, 2]), (SearchQuery.HasKeyword("$label"), [1]),
            (SearchQuery.DeliveredBefore(new DateTime(2020, 3, 1)), [1]), (SearchQuery.SentSince(new DateTime(2000, 1, 1)), [1, 2, 3]), (SearchQuery.BodyContains("guten"), [1, 2, 3]),
            (SearchQuery.FromContains("jürgen"), [1, 2, 3]), (SearchQuery.HeaderContains("Subject", "zwei"), [2]), (SearchQuery.LargerThan(100_000), []),
            (SearchQuery.Uids([first, more[1]]), [1, 3]), (SearchQuery.YoungerThan(3600), [2, 3]), (SearchQuery.ChangedSince(summary.ModSeq!.Value + 1), [2, 3]),
        })
            Assert.Equal(found, (await inbox.SearchAsync(query)).Select(static u => u.Id));
        SearchResults results = await inbox.SearchAsync(SearchOptions.Count | SearchOptions.Min | SearchOptions.Max | SearchOptions.All, SearchQuery.NotFlagged);
        Assert.Equal((2, 2u, 3u), (results.Count, results.Min!.Value.Id, results.Max!.Value.Id));

        // Somebody else was faster: the change is refused, and named.
        ulong seen = summary.ModSeq.Value;
        await inbox.StoreAsync(first, new StoreFlagsRequest(StoreAction.Add, MessageFlags.Answered));
        IList<UniqueId> modified = await inbox.StoreAsync([first], new StoreFlagsRequest(StoreAction.Add, MessageFlags.Draft) { UnchangedSince = seen });
        Assert.Equal([first], modified);
        Assert.Empty(await inbox.StoreAsync([more[0]], new StoreFlagsRequest(StoreAction.Set, MessageFlags.Draft) { UnchangedSince = ulong.MaxValue >> 1 }));
        IList<IMessageSummary> changed = await inbox.FetchAsync(0, -1, new FetchRequest(MessageSummaryItems.Flags | MessageSummaryItems.UniqueId) { ChangedSince = summaries.Max(static s => s.ModSeq) });
        Assert.Equal([1u, 2u], changed.Select(static s => s.UniqueId.Id));

        UniqueIdMap copied = await inbox.CopyToAsync([first, more[0]], client.GetFolder(SpecialFolder.Archive)!);
        Assert.Equal([1u, 2u], copied.Destination.Select(static u => u.Id));
        UniqueIdMap moved = await inbox.MoveToAsync([more[0], more[1]], client.GetFolder(SpecialFolder.Trash)!);
        Assert.Equal(more, moved.Source);
        Assert.Equal(1, inbox.Count);
        UniqueId? replaced = await inbox.ReplaceAsync(first, Message("neu"));
        Assert.NotNull(replaced);
        await inbox.CloseAsync(true);
        await client.DisconnectAsync(true);
        Clean(talk);
    }

    private async Task<MailKitClient> ConnectAsync(string user, SecureSocketOptions security, Stream talk)
    {
        var client = new MailKitClient(new ProtocolLogger(talk, leaveOpen: true)) { Timeout = 60_000, ServerCertificateValidationCallback = static (_, _, _, _) => true };
        await client.ConnectAsync("127.0.0.1", security == SecureSocketOptions.SslOnConnect ? server.Imaps.Port : server.Imap.Port, security);
        await client.AuthenticateAsync(user, MailServer.Password);
        return client;
    }

    // MailKit passes over much; what it asked must not have been refused as nonsense.
    private static void Clean(MemoryStream talk)
    {
        Assert.DoesNotContain(" BAD ", System.Text.Encoding.Latin1.GetString(talk.ToArray()));
    }

    private static MimeMessage Message(string subject)
    {
        var message = new MimeMessage { Subject = subject };
        message.From.Add(new MailboxAddress("Jürgen", "juergen@example.org"));
        message.To.Add(new MailboxAddress("You", "you@example.org"));
        var body = new BodyBuilder { TextBody = "Guten Tag!\r\n" };
        body.Attachments.Add("äöü.txt", "attach"u8.ToArray(), new ContentType("application", "octet-stream"));
        message.Body = body.ToMessageBody();
        message.Prepare(EncodingConstraint.SevenBit);
        return message;
    }
}
