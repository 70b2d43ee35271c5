using System.Text;
using MailCluster.Sieve.Running;
using Xunit;

namespace MailCluster.Tests.Unit.Sieve;

/// <summary>The examples of the extensions' RFCs, and their edges.</summary>
public sealed class ExtensionTests
{
    [Theory]
    // RFC 5229 §3.2, §4, §4.1
    [InlineData("""if header :matches "subject" "*have a * for*" { set "a" "${1}|${2}|${3}|${4}"; }""", "I |present| you|")]
    [InlineData("""set "name" "value"; set "a" "${NAME}";""", "value")]
    [InlineData("""set "a" "${company}";""", "")]
    [InlineData("""set "company" "ACME"; set "a" "&%${}!, ${doh!}, ${President, ${Company} Inc.}";""", "&%${}!, ${doh!}, ${President, ACME Inc.}")]
    [InlineData("""set "a" "juMBlEd lETteRS"; set :length "a" "${a}";""", "15")]
    [InlineData("""set "b" "juMBlEd lETteRS"; set :lower "a" "${b}";""", "jumbled letters")]
    [InlineData("""set "b" "juMBlEd lETteRS"; set :upperfirst :lower "a" "${b}";""", "Jumbled letters")]
    [InlineData("""set :quotewildcard "a" "Rock*";""", @"Rock\*")]
    [InlineData("""set :upper :length "a" "äbc";""", "3")]
    // A test that is false leaves what was found before.
    [InlineData("""if header :matches "subject" "I *" { } if header :matches "subject" "no *" { } set "a" "${1}";""", "have a present for you")]
    [InlineData("""set "a" "${0}";""", "")]
    // draft-ietf-sieve-regex
    [InlineData("""if header :regex "subject" "have an? ([[:alpha:]]+) (for|to) (.*)$" { set "a" "${1}-${3}"; }""", "present-you")]
    [InlineData("""set :quoteregex "a" "a.b";""", @"a\.b")]
    // RFC 5435 §6
    [InlineData("""set :encodeurl "a" "Safe body&evil=evilbody";""", "Safe%20body%26evil%3Devilbody")]
    // RFC 5260
    [InlineData("""if date :matches :originalzone "date" "std11" "*" { set "a" "${1}"; }""", "Tue, 01 Apr 1997 09:06:31 -0800")]
    [InlineData("""if date :matches "date" "iso8601" "*" { set "a" "${1}"; }""", "1997-04-01T17:06:31+00:00")]
    [InlineData("""if date :matches :zone "+0530" "date" "time" "*" { set "a" "${1}"; }""", "22:36:31")]
    [InlineData("""if date :matches :zone "+1400" "date" "iso8601" "*" { set "a" "${1}"; }""", "1997-04-02T07:06:31+14:00")]
    [InlineData("""if currentdate :matches "weekday" "*" { set "a" "${1}"; }""", "3")]
    [InlineData("""if currentdate :matches "julian" "*" { set "a" "${1}"; }""", "61103")]
    [InlineData("""if currentdate :matches :zone "-0100" "zone" "*" { set "a" "${1}"; }""", "-0100")]
    public async Task Variables(string script, string value) => Assert.Equal(
        ["fileinto <" + value + ">"],
        await Filter.Run($$"""require ["variables", "regex", "date", "enotify", "fileinto"]; {{script}} fileinto "<${a}>";"""));

    [Theory]
    [InlineData("variables", """string :is "a" "a" """, true)]
    [InlineData("variables", """string :count "eq" :comparator "i;ascii-numeric" ["", "x"] "1" """, true)]
    [InlineData("relational", """header :value "lt" :comparator "i;ascii-numeric" "x-priority" "3" """, true)]
    [InlineData("relational", """header :count "ge" :comparator "i;ascii-numeric" ["received"] ["3"]""", true)]
    [InlineData("relational", """header :count "eq" :comparator "i;ascii-numeric" ["received"] ["2"]""", false)]
    [InlineData("relational", """address :count "gt" :comparator "i;ascii-numeric" ["to", "cc"] ["1"]""", true)]
    [InlineData("index", """header :index 1 "received" "one" """, true)]
    [InlineData("index", """header :index 1 :last "received" "three" """, true)]
    [InlineData("index", """header :index 4 "received" "*" """, false)]
    [InlineData("index", """date :index 2 "received" "year" "1999" """, false)]
    // RFC 5173
    [InlineData("body", """body :contains "hyper" """, true)]
    [InlineData("body", """body :text :contains "decoded ü" """, true)]
    [InlineData("body", """body :raw :contains "=C3=BC" """, true)]
    [InlineData("body", """body :content "text/html" :contains "<b>" """, true)]
    [InlineData("body", """body :content "image" :contains "hyper" """, false)]
    [InlineData("body", """body :content "" :contains "PNG" """, true)]
    [InlineData("body", """body :text :contains "PNG" """, false)]
    // RFC 5235
    [InlineData("spamtest", """spamtest :value "ge" :comparator "i;ascii-numeric" "3" """, true)]
    [InlineData("spamtest", """spamtest :is "3" """, true)]
    [InlineData("spamtestplus", """spamtest :percent :is "27" """, true)]
    [InlineData("virustest", """virustest :is "1" """, true)]
    // RFC 5183
    [InlineData("environment", """environment :is "domain" "acme.example.com" """, true)]
    [InlineData("environment", """environment :is "remote-ip" "127.0.0.1" """, true)]
    [InlineData("environment", """environment :contains "vnd.other.item" "" """, false)]
    // RFC 5490, 8579, 9042
    [InlineData("mailbox", """mailboxexists ["INBOX", "Archive"]""", true)]
    [InlineData("mailbox", """mailboxexists ["INBOX", "Nowhere"]""", false)]
    [InlineData("mboxmetadata", """metadata :is "INBOX" "/private/vendor/x/notify" "true" """, true)]
    [InlineData("mboxmetadata", """metadata :contains "Junk" "/private/vendor/x/notify" "" """, false)]
    [InlineData("mboxmetadata", """metadataexists "INBOX" ["/private/vendor/x/notify"]""", true)]
    [InlineData("mboxmetadata", """metadataexists "INBOX" ["/private/vendor/x/notify", "/private/comment"]""", false)]
    [InlineData("servermetadata", """servermetadata :matches "/shared/comment" "h*" """, true)]
    [InlineData("servermetadata", """servermetadataexists ["/shared/comment", "/shared/x"]""", false)]
    [InlineData("special-use", """specialuse_exists "\\Archive" """, true)]
    [InlineData("special-use", """specialuse_exists "Junk" "\\Archive" """, false)]
    [InlineData("special-use", """specialuse_exists "Junk" ["\\Junk"]""", true)]
    [InlineData("mailboxid", """mailboxidexists "F1" """, true)]
    [InlineData("mailboxid", """mailboxidexists ["F1", "F2"]""", false)]
    // RFC 5435 §4, RFC 5436
    [InlineData("enotify", """valid_notify_method ["mailto:a@b.example?subject=x"]""", true)]
    [InlineData("enotify", """valid_notify_method ["mailto:a@b.example", "http://gw.example.net/notify?test"]""", false)]
    [InlineData("enotify", """notify_method_capability "mailto:a@b.example" "Online" "maybe" """, true)]
    public async Task Tests_are(string extension, string test, bool expected)
    {
        const string Message = """
            Received: one
            Received: two
            Received: three
            X-Priority: 2
            X-Spamd-Result: default: False [4.00 / 15.00]; A(1.0)
            X-Virus-Status: Clean
            To: a@b.example
            Cc: c@d.example
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: multipart/alternative; boundary=c

            --c
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            decoded =C3=BC hyper
            --c
            Content-Type: text/html

            <b>bold</b>
            --c--
            --b
            Content-Type: image/png
            Content-Transfer-Encoding: base64

            iVBORw0KGgo=
            --b--

            """;
        Assert.Equal(expected, await Filter.Test(test, Message, $"\"{extension}\", \"relational\", \"date\", \"comparator-i;ascii-numeric\""));
    }

    [Theory]
    // RFC 5232
    [InlineData("""fileinto :flags "\\Deleted" "INBOX.x";""", @"fileinto INBOX.x [\Deleted]")]
    [InlineData("""addflag "\\Deleted"; addflag ["\\Answered", "\\deleted"]; keep;""", @"keep [\Deleted \Answered]")]
    [InlineData("""setflag "flagvar" ["\\Seen", "$x"]; removeflag "flagvar" "\\seen"; fileinto :flags "${flagvar}" "a";""", "fileinto a [$x]")]
    [InlineData("""setflag "\\Seen \\Nothing bad]flag ok"; if hasflag :contains "een" { keep; } else { discard; }""", @"keep [\Seen ok]")]
    [InlineData("""setflag "MyVar" "Junk gnus-forward"; if hasflag :is "MyVar" "forward" { discard; } if hasflag :count "eq" :comparator "i;ascii-numeric" "MyVar" "2" { keep :flags ""; }""", "keep")]
    [InlineData("""keep :flags ["\\Flagged", "$new"];""", @"keep [\Flagged $new]")]
    // RFC 3894
    [InlineData("""fileinto :copy "a";""", "fileinto a|keep")]
    [InlineData("""redirect :copy "a@b.example";""", "redirect a@b.example|keep")]
    // RFC 5490, 8579, 9042
    [InlineData("""fileinto :create "new";""", "fileinto new :create")]
    [InlineData("""fileinto :specialuse "\\Junk" "Spam";""", @"fileinto Spam use \Junk")]
    [InlineData("""fileinto :mailboxid "F1" "INBOX.x";""", "fileinto INBOX.x id F1")]
    // RFC 5435, 5436
    [InlineData("""notify :importance "1" :message "This is probably very important" "mailto:alm@example.com"; ""","notify alm@example.com 1 This is probably very important|keep")]
    // RFC 5429
    [InlineData("""ereject "no";""", "ereject no")]
    [InlineData("""keep; reject "no";""", "failed: reject can't be combined with other actions")]
    [InlineData("""reject "no"; reject "no";""", "failed: reject can't be combined with other actions")]
    [InlineData("""vacation "away"; reject "no";""", "failed: reject can't be combined with other actions")]
    public async Task Actions(string script, string expected) => Assert.Equal(expected, string.Join('|', await Filter.Run(
        "require [\"fileinto\", \"imap4flags\", \"variables\", \"relational\", \"comparator-i;ascii-numeric\", \"copy\", \"mailbox\", \"special-use\", \"mailboxid\", \"enotify\", \"reject\", \"ereject\", \"vacation\"]; " + script)));

    [Theory]
    [InlineData("variables", "set \"1a\" \"b\";", "'1a' is no name of a variable")]
    [InlineData("variables", "set :lower :upper \"a\" \"b\";", "can't be combined")]
    [InlineData("variables\", \"fileinto", "fileinto \"${global.x}\";", "there are no variables 'global.'")]
    [InlineData("regex", "if header :regex \"a\" \"(\" { }", "")]
    [InlineData("date", "if currentdate \"eon\" \"b\" { }", "'eon' is no part of a date")]
    [InlineData("date", "if currentdate :zone \"CET\" \"hour\" \"b\" { }", "'CET' is no zone")]
    [InlineData("date", "if currentdate :zone \"-1401\" \"hour\" \"b\" { }", "'-1401' is no zone")]
    [InlineData("index", "if header :last \"a\" \"b\" { }", "':last' needs ':index'")]
    [InlineData("vacation", "vacation :days 1 :seconds 1 \"b\";", "':seconds' needs: require \"vacation-seconds\"")]
    [InlineData("vacation-seconds", "vacation :days 1 :seconds 1 \"b\";", "can't be combined")]
    [InlineData("enotify", "notify \"xmpp:a@b\";", "is no method that is known here")]
    [InlineData("enotify", "notify :importance \"4\" \"mailto:a@b.example\";", "':importance'")]
    [InlineData("editheader", "addheader \"a b\" \"c\";", "is no name of a header field")]
    [InlineData("include", "include :personal :global \"a\";", "can't be combined")]
    [InlineData("include\", \"variables", "include \"a${b}\";", "no variable is allowed here")]
    [InlineData("fileinto\", \"special-use", "fileinto :specialuse \"Junk\" \"a\";", "'Junk' is no special use")]
    [InlineData("duplicate", "if duplicate :header \"a\" :uniqueid \"b\" { }", "can't be combined")]
    public void What_is_wrong_is_told(string extension, string script, string problem)
    {
        // A regular expression is looked at when it is used.
        if (problem.Length == 0)
            return;
        Assert.Contains(problem, Filter.Error($"require [\"{extension}\"]; {script}"));
    }

    [Theory]
    [InlineData("(", "the expression is not valid")]
    [InlineData("(?=a)b", "can't be matched in bounded time")]
    [InlineData(@"(a)\1", "can't be matched in bounded time")]
    public async Task An_expression_that_is_none_fails_and_keeps(string regex, string problem) => Assert.Contains(
        problem, (await Filter.Run($"require \"regex\"; if header :regex \"subject\" \"{regex.Replace(@"\", @"\\")}\" {{ discard; }}")).Single());

    [Fact]
    public async Task An_expression_that_would_take_for_ever_does_not() => Assert.Equal(
        ["keep"], await Filter.Run("require \"regex\"; if header :regex \"subject\" \"^(a+)+$\" { discard; }", $"Subject: {new string('a', 10_000)}b\n\n"));

    [Fact]
    public async Task Headers_are_edited_and_later_tests_and_actions_see_it()
    {
        // RFC 5293 §4, §5
        var filter = new Filter { Message = "Received: x\nX-Attached: a\nSubject: old\nX-Attached: b\n\nbody" };
        string[] done = await filter.RunAsync("""
            require ["editheader", "fileinto", "variables"];
            addheader "X-Sieve-Filtered" ["<kim@job.example.com>"];
            """.Replace("[\"<kim@job.example.com>\"]", "\"<kim@job.example.com> ü\"") + """
            fileinto "first";
            addheader :last "X-End" "e";
            deleteheader :index 1 :last "x-attached";
            deleteheader :contains "subject" "new";
            deleteheader "received";
            if not exists "x-end" { discard; stop; }
            keep;
            """);
        Assert.Equal(["fileinto first", "keep"], done);
        MessageHeader first = filter.Result.Actions[0].Header, last = filter.Result.Actions[1].Header;
        Assert.True(first.OnlyAdded);
        Assert.Equal("X-Sieve-Filtered: <kim@job.example.com> =?utf-8?b?w7w=?=\r\n", Encoding.UTF8.GetString(first.AddedBytes));
        Assert.False(last.OnlyAdded);
        Assert.Equal(
            "X-Sieve-Filtered: <kim@job.example.com> =?utf-8?b?w7w=?=\r\nReceived: x\r\nX-Attached: a\r\nSubject: old\r\nX-End: e\r\n", Encoding.UTF8.GetString(last.AllBytes));
        Assert.Equal("Received: x\r\nX-Attached: a\r\nSubject: old\r\nX-Attached: b\r\n".Length, last.Octets);
    }

    [Theory]
    [InlineData("X(Y)")]
    [InlineData("@")]
    [InlineData("Content-Type")]
    [InlineData("Received")]
    [InlineData("References")]
    public async Task Any_field_can_be_added(string name)
    {
        // RFC 5322 §2.2: printable characters but the colon.
        var filter = new Filter();
        Assert.Equal(["keep"], await filter.RunAsync($"require \"editheader\"; addheader \"{name}\" \"<a@b> ; c\";"));
        Assert.StartsWith(name + ": ", Encoding.UTF8.GetString(filter.Result.Actions[0].Header.AddedBytes));
    }

    [Fact]
    public async Task A_field_that_a_script_adds_has_no_lines_of_its_own()
    {
        var filter = new Filter();
        await filter.RunAsync("require \"editheader\"; addheader \"X-A\" text:\na\nBcc: evil@x.example\n\nbody\n.\n; keep;");
        Assert.Equal("X-A: a Bcc: evil@x.example  body\r\n", Encoding.UTF8.GetString(filter.Result.Actions[0].Header.AddedBytes));
    }

    [Fact]
    public async Task Scripts_include_others()
    {
        // RFC 6609 §3.5
        var filter = new Filter();
        filter.Scripts[(false, "spam_tests")] = """
            require ["include", "variables", "fileinto"]; global ["test", "test-mailbox"];
            """.Replace("test-mailbox", "test_mailbox") + """
            set "test" "$$$"; if header :contains "subject" "${test}" { fileinto "wrong"; } set "test_mailbox" "spam-${test}"; set "own" "hidden"; return; discard;
            """;
        filter.Scripts[(true, "tenant")] = "require [\"include\", \"variables\"]; set \"global.x\" \"from tenant\";";
        const string Script = """
            require ["include", "variables", "fileinto"]; global "test_mailbox";
            include :personal "spam_tests"; include :once :global "tenant"; include :once :global "tenant"; include :optional "nowhere";
            fileinto "${test_mailbox} ${own}${global.x}";
            """;
        Assert.Equal(["fileinto spam-$$$ from tenant"], await filter.RunAsync(Script));
        Assert.Contains("which is included, does not exist", (await filter.RunAsync("require \"include\"; include \"nowhere\";")).Single());
        filter.Scripts[(false, "a")] = "require \"include\"; include \"b\";";
        filter.Scripts[(false, "b")] = "require \"include\"; include \"a\";";
        Assert.Equal(["failed: the script 'a' includes itself"], await filter.RunAsync("require \"include\"; include \"a\";"));
        filter.Scripts[(false, "stops")] = "stop;";
        Assert.Equal(["keep"], await filter.RunAsync("require \"include\"; include \"stops\"; discard;"));
    }

    [Fact]
    public async Task Duplicates_are_told_by_what_was_marked_before()
    {
        // RFC 7352 §5.1
        const string Script = """require ["duplicate", "fileinto"]; if duplicate { fileinto "Trash/Duplicate"; }""";
        var filter = new Filter();
        Assert.Equal(["keep"], await filter.RunAsync(Script));
        DuplicateMark mark = Assert.Single(filter.Result.Marks);
        Assert.Equal(TimeSpan.FromDays(7), mark.For);
        filter.Marks.Add(mark.Mark);
        Assert.Equal(["fileinto Trash/Duplicate"], await filter.RunAsync(Script));
        Assert.Empty(filter.Result.Marks);
        Assert.Equal(["keep"], await filter.RunAsync(Script.Replace("duplicate {", "duplicate :handle \"other\" {")));
        Assert.Equal(["keep"], await filter.RunAsync(Script.Replace("duplicate {", "duplicate :header \"subject\" :seconds 1800 {")));
        Assert.Equal(TimeSpan.FromMinutes(30), filter.Result.Marks.Single().For);
        await filter.RunAsync(Script.Replace("duplicate {", "duplicate :last {"));
        Assert.Single(filter.Result.Marks);
        Assert.Equal(["keep"], await new Filter { Message = "Subject: x\n\n" }.RunAsync(Script));
    }

    [Theory]
    [InlineData("vacation \"I'm away\";", "vacation 7d I'm away|keep")]
    [InlineData("vacation :days 23 :addresses [\"tjs@example.edu\"] \"x\";", "vacation 23d x|keep")]
    [InlineData("vacation :days 0 \"x\";", "vacation 1d x|keep")]
    [InlineData("vacation :days 10000 \"x\";", "vacation 365d x|keep")]
    [InlineData("vacation :seconds 1800 \"x\";", "vacation 0.021d x|keep")]
    [InlineData("vacation :seconds 0 \"x\";", "vacation 0.007d x|keep")]
    [InlineData("vacation :subject \"s\" :from \"me@acme.example.com\" :handle \"h\" \"x\"; discard;", "vacation 7d subject=s from=me@acme.example.com x")]
    [InlineData("vacation \"x\"; vacation \"x\";", "failed: vacation twice")]
    public async Task Vacation(string script, string expected) =>
        Assert.Equal(expected, string.Join('|', await Filter.Run("require [\"vacation\", \"vacation-seconds\"]; " + script)));

    [Theory]
    [InlineData("coyote@desert.example.org", "", true)]
    [InlineData("", "", false)]
    [InlineData("MAILER-DAEMON@x.example", "", false)]
    [InlineData("owner-list@x.example", "", false)]
    [InlineData("list-request@x.example", "", false)]
    [InlineData("roadrunner@acme.example.com", "", false)]
    [InlineData("a@x.example", "Auto-Submitted: auto-replied", false)]
    [InlineData("a@x.example", "Auto-Submitted: no", true)]
    [InlineData("a@x.example", "Precedence: bulk", false)]
    [InlineData("a@x.example", "List-Id: <l.x.example>", false)]
    public async Task Vacation_answers_people_only(string sender, string field, bool answered)
    {
        var filter = new Filter { Sender = sender, Message = (field.Length > 0 ? field + "\n" : "") + Filter.Coyote };
        string[] done = await filter.RunAsync("require \"vacation\"; vacation \"x\";");
        Assert.Equal(answered, done.Any(static d => d.StartsWith("vacation")));
    }

    [Fact]
    public async Task Vacation_answers_what_was_sent_to_its_owner()
    {
        string message = Filter.Coyote.Replace("To: roadrunner@acme.example.com", "To: everybody@acme.example.com");
        Assert.Equal(["keep"], await Filter.Run("require \"vacation\"; vacation \"x\";", message));
        Assert.Equal(["vacation 7d x", "keep"], await Filter.Run("require \"vacation\"; vacation :addresses \"everybody@ACME.example.com\" \"x\";", message));
        Assert.Equal(["vacation 7d x", "keep"], await Filter.Run("require \"vacation\"; vacation \"x\";", Filter.Coyote.Replace("roadrunner@", "roadrunner+list@")));
    }

    [Fact]
    public async Task Without_a_handle_the_same_text_is_the_same_reply()
    {
        async Task<string> Handle(string script)
        {
            var filter = new Filter();
            await filter.RunAsync("require \"vacation\"; " + script);
            return ((Vacation)filter.Result.Actions[0]).Handle;
        }
        Assert.Equal(await Handle("vacation \"x\";"), await Handle("vacation :days 3 \"x\";"));
        Assert.NotEqual(await Handle("vacation \"x\";"), await Handle("vacation \"y\";"));
        Assert.NotEqual(await Handle("vacation \"x\";"), await Handle("vacation :subject \"s\" \"x\";"));
        Assert.Equal(await Handle("vacation :handle \"h\" \"x\";"), await Handle("vacation :handle \"h\" \"y\";"));
    }

    [Fact]
    public async Task Variables_are_bounded()
    {
        string many = "require \"variables\";" + string.Concat(Enumerable.Range(0, 300).Select(i => $"set \"v{i}\" \"x\";"));
        Assert.Equal(["failed: more than 256 variables"], await Filter.Run(many));
        string grows = "require \"variables\"; set \"a\" \"0123456789\";" + string.Concat(Enumerable.Repeat("set \"a\" \"${a}${a}\";", 40));
        Assert.Equal(["keep"], await Filter.Run(grows));
        string huge = grows + $"set \"b\" \"{string.Concat(Enumerable.Repeat("${a}", 20))}\";";
        Assert.Equal(["failed: a text is longer than 65536 characters"], await Filter.Run(huge));
    }
}
