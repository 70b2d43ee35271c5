using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

public sealed class SearchTests(MailServer server)
{
    [Fact]
    public async Task Flags_headers_text_and_dates()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 5);
        await c[1].Run("a STORE 2,4 +FLAGS.SILENT ($Work \\Flagged)");
        await c[2].Send(
            "a SEARCH KEYWORD $work", "b SEARCH NOT FLAGGED", "c SEARCH SUBJECT \"Message 3\"", "d SEARCH BODY \"text 4\"", "e SEARCH OR TEXT \"text 1\" 5",
            "f SEARCH FLAGGED TEXT \"MESSAGE 4\"", "g SEARCH YOUNGER 3600 SMALLER 10000 SAVEDSINCE 1-Jan-2020 3:*", "h SEARCH HEADER SUBJECT \"\" UID 1:2", "i SEARCH SENTSINCE 1-Jan-1970");
        await c[2].Expect("* FLAGS …", "* OK [PERMANENTFLAGS …", "* 2 FETCH …", "* 4 FETCH …");
        await c[2].Expect(
            "* SEARCH 2 4", "a OK …", "* SEARCH 1 3 5", "b OK …", "* SEARCH 3", "c OK …", "* SEARCH 4", "d OK …", "* SEARCH 1 5", "e OK …",
            "* SEARCH 4", "f OK …", "* SEARCH 3 4 5", "g OK …", "* SEARCH 1 2", "h OK …", "* SEARCH", "i OK …");
    }

    [Fact]
    public async Task Results_that_are_saved_and_extended_answers()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 4);
        await c[1].Send("a SEARCH RETURN (SAVE) 2:3", "b UID SEARCH RETURN (MIN MAX COUNT ALL) $", "c STORE $ +FLAGS.SILENT (\\Deleted)", "d FETCH $ FLAGS", "e UID SEARCH RETURN (COUNT) MODSEQ 1");
        await c[1].Expect(
            "a OK …", "* ESEARCH (TAG \"b\") UID MIN 2 MAX 3 COUNT 2 ALL 2:3", "b OK …", "c OK …", "* 2 FETCH (FLAGS (\\Deleted))", "* 3 FETCH (FLAGS (\\Deleted))", "d OK …",
            "* OK [HIGHESTMODSEQ …", "* ESEARCH (TAG \"e\") UID COUNT 4 MODSEQ …", "e OK …");
        await c[2].Run("a EXPUNGE");
        await c[1].Send("f SEARCH $", "g UID SEARCH ALL", "h SEARCH 1:*");
        await c[1].Expect("* SEARCH", "f OK …", "* SEARCH 1 4", "* 2 EXPUNGE", "* 2 EXPUNGE", "g OK …", "* SEARCH 1 2", "h OK …");
    }
}
