using MailCluster.Tests.Support;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MimeKit;
using Xunit;
using MailKitClient = MailKit.Net.Imap.ImapClient;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>MailKit, which uses every extension that it finds.</summary>
public sealed class MailKitTests(MailServer server)
{
    [Fact]
    public async Task MailKit_lives_in_a_mailbox()
    {
        using MailKitClient client = await ConnectAsync(await server.AccountAsync());
        Assert.True(client.Capabilities.HasFlag(ImapCapabilities.QuickResync | ImapCapabilities.Move | ImapCapabilities.UidPlus | ImapCapabilities.ObjectID));
        IMailFolder sent = client.GetFolder(SpecialFolder.Sent)!;
        MimeMessage message = Message("Grüße aus Köln");
        UniqueId? appended = await sent.AppendAsync(message, MessageFlags.Seen);
        Assert.NotNull(appended);

        await sent.OpenAsync(FolderAccess.ReadWrite);
        Assert.Equal(1, sent.Count);
        IList<IMessageSummary> summaries = await sent.FetchAsync(
            0, -1, MessageSummaryItems.Full | MessageSummaryItems.BodyStructure | MessageSummaryItems.UniqueId | MessageSummaryItems.ModSeq | MessageSummaryItems.EmailId);
        Assert.Equal("Grüße aus Köln", summaries[0].NormalizedSubject);
        Assert.Equal(2, ((BodyPartMultipart)summaries[0].Body!).BodyParts.Count);
        Assert.NotNull(summaries[0].EmailId);
        Assert.Equal(message.TextBody, (await sent.GetMessageAsync(appended.Value)).TextBody);
        Assert.Equal([appended.Value], await sent.SearchAsync(SearchQuery.SubjectContains("köln").And(SearchQuery.Seen)));

        IMailFolder archive = await client.GetFolderAsync("Archive");
        UniqueId? moved = await sent.MoveToAsync(appended.Value, archive);
        Assert.NotNull(moved);
        Assert.Equal(0, sent.Count);
        await archive.OpenAsync(FolderAccess.ReadWrite);
        await archive.AddFlagsAsync(moved.Value, MessageFlags.Deleted | MessageFlags.Flagged, silent: true);
        await archive.ExpungeAsync([moved.Value]);
        Assert.Equal(0, archive.Count);

        IMailFolder top = client.GetFolder(client.PersonalNamespaces[0]);
        IMailFolder? made = await top.CreateAsync("Prüfung", true);
        Assert.NotNull(made);
        await made.RenameAsync(top, "Prüfung 2");
        await made.SubscribeAsync();
        Assert.Contains(await top.GetSubfoldersAsync(subscribedOnly: true), f => f.Name == "Prüfung 2");
        await made.DeleteAsync();
        await client.DisconnectAsync(true);
    }

    [Fact]
    public async Task MailKit_resynchronises_after_a_pause()
    {
        string user = await server.AccountAsync();
        using MailKitClient one = await ConnectAsync(user), two = await ConnectAsync(user);
        for (int i = 0; i < 4; i++)
            await one.Inbox.AppendAsync(Message($"number {i}"));
        await one.EnableQuickResyncAsync();
        await one.Inbox.OpenAsync(FolderAccess.ReadWrite);
        (uint validity, ulong modSeq) = (one.Inbox.UidValidity, one.Inbox.HighestModSeq);
        IList<UniqueId> known = await one.Inbox.SearchAsync(SearchQuery.All);
        await one.Inbox.CloseAsync();

        await two.Inbox.OpenAsync(FolderAccess.ReadWrite);
        await two.Inbox.AddFlagsAsync(known[1], MessageFlags.Flagged, silent: true);
        await two.Inbox.AddFlagsAsync(known[2], MessageFlags.Deleted, silent: true);
        await two.Inbox.ExpungeAsync();

        var vanished = new List<UniqueId>();
        var flagged = new List<UniqueId>();
        one.Inbox.MessagesVanished += (_, e) => vanished.AddRange(e.UniqueIds);
        one.Inbox.MessageFlagsChanged += (_, e) => flagged.Add(e.UniqueId!.Value);
        await one.Inbox.OpenAsync(FolderAccess.ReadWrite, validity, modSeq, known);
        Assert.Equal([known[2]], vanished);
        Assert.Equal([known[1]], flagged);
        Assert.Equal(3, one.Inbox.Count);
    }

    [Fact]
    public async Task MailKit_hears_of_mail_while_it_idles()
    {
        string user = await server.AccountAsync();
        using MailKitClient one = await ConnectAsync(user), two = await ConnectAsync(user);
        await one.Inbox.OpenAsync(FolderAccess.ReadOnly);
        using var done = new CancellationTokenSource();
        one.Inbox.CountChanged += (_, _) => done.Cancel();
        Task idle = one.IdleAsync(done.Token);
        await two.Inbox.AppendAsync(Message("news"));
        await idle;
        Assert.Equal(1, one.Inbox.Count);
    }

    [Fact]
    public async Task MailKit_is_notified_of_mail_in_a_mailbox_that_it_has_not_selected()
    {
        string user = await server.AccountAsync();
        using MailKitClient one = await ConnectAsync(user), two = await ConnectAsync(user);
        Assert.True(one.Capabilities.HasFlag(ImapCapabilities.Notify));
        await one.Inbox.OpenAsync(FolderAccess.ReadOnly);
        IMailFolder sent = one.GetFolder(SpecialFolder.Sent)!;
        await one.NotifyAsync(true,
        [
            new ImapEventGroup(ImapMailboxFilter.SelectedDelayed, new ImapEvent.MessageNew(MessageSummaryItems.UniqueId | MessageSummaryItems.Flags), ImapEvent.MessageExpunge),
            new ImapEventGroup(ImapMailboxFilter.Personal, new ImapEvent.MessageNew(), ImapEvent.MessageExpunge, ImapEvent.MailboxName),
        ]);
        using var done = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        sent.CountChanged += (_, _) => done.Cancel();
        Task idle = one.IdleAsync(done.Token);
        await two.GetFolder(SpecialFolder.Sent)!.AppendAsync(Message("news"));
        await idle;
        Assert.Equal(1, sent.Count);
        await one.DisableNotifyAsync();
        await one.DisconnectAsync(true);
    }

    [Fact]
    public async Task MailKit_replaces_a_draft()
    {
        using MailKitClient client = await ConnectAsync(await server.AccountAsync());
        Assert.True(client.Capabilities.HasFlag(ImapCapabilities.Replace));
        IMailFolder drafts = client.GetFolder(SpecialFolder.Drafts)!;
        UniqueId? first = await drafts.AppendAsync(Message("first"), MessageFlags.Draft);
        await drafts.OpenAsync(FolderAccess.ReadWrite);
        UniqueId? second = await drafts.ReplaceAsync(first!.Value, new ReplaceRequest(Message("second"), MessageFlags.Draft));
        Assert.Equal([second!.Value], await drafts.SearchAsync(SearchQuery.Draft));
        Assert.Equal(1, drafts.Count);
        Assert.Equal("second", (await drafts.GetMessageAsync(second.Value)).Subject);
    }

    [Fact]
    public async Task MailKit_sorts_and_threads()
    {
        using MailKitClient client = await ConnectAsync(await server.AccountAsync());
        Assert.True(client.Capabilities.HasFlag(ImapCapabilities.Sort | ImapCapabilities.SortDisplay | ImapCapabilities.Thread));
        Assert.Contains(ThreadingAlgorithm.References, client.ThreadingAlgorithms);
        MimeMessage question = Message("b question"), answer = Message("Re: b question"), other = Message("a beginning");
        answer.InReplyTo = question.MessageId;
        answer.References.Add(question.MessageId!);
        foreach (MimeMessage message in (MimeMessage[])[question, other, answer])
            await client.Inbox.AppendAsync(message);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        IList<UniqueId> sorted = await client.Inbox.SortAsync(SearchQuery.All, [OrderBy.Subject, OrderBy.ReverseArrival]);
        // The answer's base subject is that of the question.
        Assert.Equal(2u, sorted[0].Id);
        Assert.Equal([1u, 3u], sorted.Skip(1).Select(static u => u.Id).Order());
        SearchResults some = await client.Inbox.SortAsync(SearchOptions.Count | SearchOptions.Min | SearchOptions.Max, SearchQuery.All, [OrderBy.Subject]);
        Assert.Equal((3, 2u), (some.Count, some.Min!.Value.Id));
        IList<MessageThread> threads = await client.Inbox.ThreadAsync(ThreadingAlgorithm.References, SearchQuery.All);
        Assert.Equal(2, threads.Count);
        Assert.Equal(3u, Assert.Single(threads.Single(static t => t.UniqueId?.Id == 1).Children).UniqueId!.Value.Id);
    }

    [Fact]
    public async Task MailKit_annotates_shares_and_counts()
    {
        string user = await server.AccountAsync(10 * 1024 * 1024), viewer = await server.AccountAsync();
        using MailKitClient one = await ConnectAsync(user), two = await ConnectAsync(viewer);
        Assert.True(one.Capabilities.HasFlag(ImapCapabilities.Acl | ImapCapabilities.Quota | ImapCapabilities.Metadata));
        IMailFolder work = (await one.GetFolder(one.PersonalNamespaces[0]).CreateAsync("Work", true))!;

        await work.SetMetadataAsync([new Metadata(MetadataTag.PrivateComment, "mine"), new Metadata(MetadataTag.SharedComment, "ours")]);
        Assert.Equal("mine", await work.GetMetadataAsync(MetadataTag.PrivateComment));
        await work.SetMetadataAsync([new Metadata(MetadataTag.PrivateComment, null!)]);

        await work.AppendAsync(Message("shared"));
        FolderQuota quota = await work.GetQuotaAsync();
        Assert.Equal(10u * 1024, quota.StorageLimit);
        Assert.InRange(quota.CurrentStorageSize!.Value, 1u, 10u);

        await work.AddAccessRightsAsync(viewer, new AccessRights("lrsw"));
        AccessControl granted = Assert.Single(await work.GetAccessControlListAsync(), a => a.Name == viewer);
        Assert.Equal("lrsw", string.Concat(granted.Rights.OrderBy(static r => r.Right).Select(static r => r.Right)));
        Assert.NotEmpty(two.OtherNamespaces);
        IMailFolder theirs = await two.GetFolderAsync($"Other Users/{user}/Work");
        Assert.DoesNotContain(AccessRight.SetMessageDeleted, await theirs.GetMyAccessRightsAsync());
        Assert.Equal("ours", await theirs.GetMetadataAsync(MetadataTag.SharedComment));
        await theirs.OpenAsync(FolderAccess.ReadWrite);
        await theirs.AddFlagsAsync(0, MessageFlags.Seen, silent: true);
        Assert.Equal([new UniqueId(theirs.UidValidity, 1)], await theirs.SearchAsync(SearchQuery.Seen));
        await work.OpenAsync(FolderAccess.ReadOnly);
        Assert.Empty(await work.SearchAsync(SearchQuery.Seen));
        await theirs.CloseAsync();
        await work.RemoveAccessAsync(viewer);
        await Assert.ThrowsAnyAsync<Exception>(() => theirs.OpenAsync(FolderAccess.ReadOnly));
    }

    [Fact]
    public async Task MailKit_annotates_messages()
    {
        string user = await server.AccountAsync();
        using MailKitClient one = await ConnectAsync(user), two = await ConnectAsync(user);
        Assert.True(one.Capabilities.HasFlag(ImapCapabilities.Annotate));
        await one.Inbox.AppendAsync(Message("first"));
        await one.Inbox.AppendAsync(Message("second"));
        await one.Inbox.OpenAsync(FolderAccess.ReadWrite);
        await two.Inbox.OpenAsync(FolderAccess.ReadWrite);
        Assert.Equal((AnnotationAccess.ReadWrite, AnnotationScope.Both, 16384u), (one.Inbox.AnnotationAccess, one.Inbox.AnnotationScopes, one.Inbox.MaxAnnotationSize));
        var comment = new Annotation(AnnotationEntry.Comment);
        comment.Properties[AnnotationAttribute.PrivateValue] = "Read \"this\" übermorgen";
        comment.Properties[AnnotationAttribute.SharedValue] = "all of you";
        await one.Inbox.StoreAsync(1, [comment]);
        var changed = new List<string>();
        two.Inbox.AnnotationsChanged += (_, e) => changed.AddRange(e.Annotations.Select(static a => a.Entry.ToString()));
        await two.NoOpAsync();
        Assert.Equal(["/comment"], changed.Distinct());
        IList<IMessageSummary> summaries = await two.Inbox.FetchAsync(0, -1, MessageSummaryItems.UniqueId | MessageSummaryItems.Annotations);
        Annotation read = Assert.Single(summaries.Single(static s => s.UniqueId.Id == 2).Annotations!);
        Assert.Equal(("Read \"this\" übermorgen", "all of you"), (read.Properties[AnnotationAttribute.PrivateValue], read.Properties[AnnotationAttribute.SharedValue]));
        Assert.Equal([2u], (await two.Inbox.SearchAsync(SearchQuery.AnnotationsContain(AnnotationEntry.Comment, AnnotationAttribute.Value, "ÜBER"))).Select(static u => u.Id));
        Assert.Equal([1u, 2u], (await two.Inbox.SortAsync(SearchQuery.All, [new OrderByAnnotation(AnnotationEntry.Comment, AnnotationAttribute.SharedValue, SortOrder.Ascending)])).Select(static u => u.Id));
    }

    private async Task<MailKitClient> ConnectAsync(string user)
    {
        var client = new MailKitClient { Timeout = 60_000 };
        await client.ConnectAsync(server.Imap.Address.ToString(), server.Imap.Port, MailKit.Security.SecureSocketOptions.None);
        await client.AuthenticateAsync(user, MailServer.Password);
        return client;
    }

    private static MimeMessage Message(string subject)
    {
        var message = new MimeMessage { Subject = subject };
        message.From.Add(new MailboxAddress("Jürgen", "juergen@example.org"));
        message.To.Add(new MailboxAddress("You", "you@example.org"));
        var body = new BodyBuilder { TextBody = "Guten Tag!\r\n" };
        body.Attachments.Add("a.txt", "attached"u8.ToArray());
        message.Body = body.ToMessageBody();
        return message;
    }
}
