using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>Roundcube on a web server, in a browser that clicks.</summary>
public sealed class RoundcubeTests(MailServer server)
{
    private const string Rows = "document.querySelectorAll('#messagelist tbody tr.message')";

    [Fact]
    public async Task A_user_reads_sorts_searches_moves_and_shares()
    {
        string owner = await server.AccountAsync(maxBytes: 10_000), viewer = await server.AccountAsync();
        await using RoundcubeServer roundcube = await RoundcubeServer.StartAsync(server.Imap.Port);
        await using Chromium chromium = await Chromium.StartAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, owner, MailServer.Password);
        await imap.Run("a CREATE Projects");
        await imap.Run("a SUBSCRIBE Projects");
        await MailAsync(imap, "Zebras", "1");
        await MailAsync(imap, "Plan", "2");
        await MailAsync(imap, "Apples", "3");
        await MailAsync(imap, "Re: Plan", "4", "2");
        await MailAsync(imap, "Re: Plan", "5", "4");

        ChromiumPage page = await chromium.PageAsync();
        await LogInAsync(page, roundcube, owner);
        await page.UntilAsync($"{Subjects} == 'Re: Plan|Re: Plan|Apples|Plan|Zebras'");
        // Five messages of 600 octets or so, of 10000.
        await page.UntilAsync("/^[1-9][0-9]%$/.test(document.querySelector('#quotadisplay .count').textContent.trim())");
        await PictureAsync(page, "list");

        // Read: a click shows the message and makes it \Seen.
        await page.ClickAsync(Row("Apples"));
        const string Body = "document.querySelector('#messagecontframe').contentDocument.querySelector('#messagebody')";
        await page.UntilAsync($"{Body}.innerText.includes('Text of 3')");
        await page.UntilAsync($"!{Row("Apples")}.classList.contains('unread')");
        await PictureAsync(page, "read");
        await page.UntilAsync(Idle);
        await page.ClickAsync($"{Row("Zebras")}.querySelector('.flag span')");
        await page.UntilAsync($"{Row("Zebras")}.classList.contains('flagged')");
        await page.UntilAsync(Idle);
        await imap.Run("a SELECT INBOX");
        await imap.Send("a SEARCH SEEN", "a SEARCH FLAGGED");
        await imap.Expect("* SEARCH 3", "a OK …", "* SEARCH 1", "a OK …");

        // Sort, threads.
        await CommandAsync(page, "rcmail.set_list_options(null, 'subject', 'ASC', 0)");
        await page.UntilAsync($"{Subjects} == 'Apples|Plan|Re: Plan|Re: Plan|Zebras'");
        await CommandAsync(page, "rcmail.set_list_options(null, 'date', 'ASC', 1)");
        await page.UntilAsync($"{Subjects} == 'Zebras|Apples|Plan'");
        await page.ClickAsync($"{Row("Plan")}.querySelector('[id^=rcmexpando]')");
        await page.UntilAsync($"{Subjects} == 'Zebras|Apples|Plan|Re: Plan|Re: Plan'");
        await PictureAsync(page, "threads");
        await CommandAsync(page, "rcmail.set_list_options(null, 'date', 'DESC', 0)");
        await page.UntilAsync($"{Subjects} == 'Re: Plan|Re: Plan|Apples|Plan|Zebras'");

        // Search.
        await page.TypeAsync("document.querySelector('#mailsearchform')", "zebra\r");
        await page.UntilAsync($"{Subjects} == 'Zebras'");
        await PictureAsync(page, "search");
        await CommandAsync(page, "rcmail.command('reset-search')");
        await page.UntilAsync($"{Subjects} == 'Re: Plan|Re: Plan|Apples|Plan|Zebras'");

        // Move.
        await page.UntilAsync(Idle);
        await page.ClickAsync(Row("Zebras"));
        await page.UntilAsync("rcmail.message_list.get_selection().length == 1");
        await CommandAsync(page, "rcmail.command('move', 'Projects')");
        await page.UntilAsync($"{Subjects} == 'Re: Plan|Re: Plan|Apples|Plan'");
        await page.UntilAsync(Idle);
        Assert.Contains("* STATUS \"Projects\" (MESSAGES 1)", await imap.Run("a STATUS Projects (MESSAGES)"));

        // Share: at the end of a folder's settings.
        await page.GoToAsync(roundcube.Url + "?_task=settings&_action=folders");
        await page.ClickAsync("[...document.querySelectorAll('#subscription-table a')].find(a => a.textContent.trim() == 'Projects')");
        const string Frame = "document.querySelector('#preferences-frame').contentDocument";
        await page.UntilAsync($"{Frame}.querySelector('#acltable')");
        await page.ClickAsync($"{Frame}.querySelector('#acllist-footer a.create')");
        const string Form = "[...document.querySelectorAll('.ui-dialog'), ...document.querySelector('#preferences-frame').contentDocument.querySelectorAll('.ui-dialog')].find(d => d.querySelector('#acluser'))";
        await page.TypeAsync($"{Form}.querySelector('#acluser')", viewer);
        await PictureAsync(page, "share");
        await page.ClickAsync($"{Form}.querySelector('button.mainaction')");
        await page.UntilAsync($"{Frame}.querySelector('#acltable').innerText.includes('{viewer}')");
        await PictureAsync(page, "shared");
        Assert.Contains($"* ACL \"Projects\" {owner} lrswipkxteancd {viewer} lrs", await imap.Run("a GETACL Projects"));

        // The other one finds it and reads it: \Seen is his own.
        await imap.Run("a SELECT Projects");
        await imap.Run("a STORE 1 -FLAGS.SILENT (\\Seen)");
        ChromiumPage other = await chromium.PageAsync();
        await LogInAsync(other, roundcube, viewer);
        await other.GoToAsync(roundcube.Url + "?_task=settings&_action=folders");
        await other.UntilAsync("document.querySelector('#subscription-table').innerText.includes('Projects')");
        await PictureAsync(other, "others");
        await other.GoToAsync(roundcube.Url + "?_task=mail&_mbox=" + Uri.EscapeDataString($"Other Users/{owner}/Projects"));
        await other.UntilAsync($"{Subjects} == 'Zebras'");
        await other.UntilAsync($"{Row("Zebras")}.classList.contains('unread')");
        await other.ClickAsync(Row("Zebras"));
        await other.UntilAsync($"{Body}.innerText.includes('Text of 1')");
        await other.UntilAsync($"!{Row("Zebras")}.classList.contains('unread')");
        await other.UntilAsync(Idle);
        await PictureAsync(other, "viewer");
        Assert.Equal(["* SEARCH 1"], await imap.Run("a SEARCH UNSEEN"));
        Assert.Equal("", roundcube.Errors());
    }

    // Rows change before the server has been told.
    private const string Idle = "!rcmail.busy && $.active == 0";
    // Those that are shown: threads may be folded.
    private const string Subjects = $"[...{Rows}].filter(r => r.getClientRects().length).map(r => r.querySelector('.subject a').textContent.trim()).join('|')";

    /// <summary>Roundcube passes over a command that comes while it is busy: looking and doing are one step.</summary>
    private static Task CommandAsync(ChromiumPage page, string command) => page.UntilAsync($"{Idle} && ({command}, true)");

    private static string Row(string subject) => $"[...{Rows}].find(r => r.querySelector('.subject a').textContent.trim() == '{subject}')";

    private static async Task LogInAsync(ChromiumPage page, RoundcubeServer roundcube, string user)
    {
        await page.GoToAsync(roundcube.Url);
        await page.TypeAsync("document.querySelector('#rcmloginuser')", user);
        await page.TypeAsync("document.querySelector('#rcmloginpwd')", MailServer.Password + "\r");
        await page.UntilAsync("document.querySelector('#messagelist')");
    }

    private static Task<IReadOnlyList<string>> MailAsync(ImapClient imap, string subject, string id, string? parent = null) => imap.Append(
        "a", "INBOX",
        $"""
        From: Ann <ann@elsewhere.example>
        To: Bob <bob@test.example>
        Subject: {subject}
        Date: Mon, {id} Jun 2026 12:00:00 +0000
        Message-ID: <{id}@elsewhere.example>{(parent is null ? "" : $"\r\nIn-Reply-To: <{parent}@elsewhere.example>\r\nReferences: <{parent}@elsewhere.example>")}
        Content-Type: text/plain; charset=utf-8

        Text of {id}

        """.ReplaceLineEndings("\r\n"),
        // What came last decides where a thread stands.
        $"\"0{id}-Jun-2026 12:00:00 +0000\"");

    // To look at.
    private static Task PictureAsync(ChromiumPage page, string name) => page.ScreenshotAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "roundcube")).FullName, name + ".png"));
}
