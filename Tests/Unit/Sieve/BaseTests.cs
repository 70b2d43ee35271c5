using MailCluster.Sieve;
using MailCluster.Sieve.Running;
using Xunit;

namespace MailCluster.Tests.Unit.Sieve;

/// <summary>RFC 5228: its examples, and what is not valid.</summary>
public sealed class BaseTests
{
    [Theory]
    [InlineData("", "keep")]
    [InlineData("# only a comment\r\n/* and\n another */ keep;", "keep")]
    [InlineData("discard;", "")]
    [InlineData("discard; keep;", "keep")]
    [InlineData("keep; keep;", "keep")]
    [InlineData("stop; discard;", "keep")]
    // §3.1
    [InlineData("""require "fileinto"; if header :contains "from" "coyote" { discard; } elsif header :contains ["subject"] ["$$$"] { discard; } else { fileinto "INBOX"; }""", "")]
    [InlineData("""require "fileinto"; if header :contains ["From"] ["me", "you"] { fileinto "a"; } elsif address :is "to" "roadrunner@acme.example.com" { fileinto "b"; } else { fileinto "c"; }""", "fileinto b")]
    // §4.1, §4.2
    [InlineData("""require "fileinto"; if header :contains ["from"] "coyote" { fileinto "INBOX.harassment"; }""", "fileinto INBOX.harassment")]
    [InlineData("""redirect "bart@example.com";""", "redirect bart@example.com")]
    // §4.4
    [InlineData("""if header :contains ["from"] ["idiot@example.com"] { discard; }""", "keep")]
    // §2.10.3: the same is done once; §2.10.2
    [InlineData("""require "fileinto"; fileinto "a"; fileinto "a"; keep;""", "fileinto a|keep")]
    [InlineData("""require ["fileinto"]; if not anyof (header :is "x" "y", false) { fileinto "n"; }""", "fileinto n")]
    [InlineData("""if size :over 500 { discard; }""", "")]
    [InlineData("""if size :over 1M { discard; }""", "keep")]
    [InlineData("IF Size :UNDER 1K { KEEP; } else { DISCARD; }", "keep")]
    public async Task Scripts_do(string script, string expected) => Assert.Equal(expected, string.Join('|', await Filter.Run(script)));

    [Theory]
    // §5.1
    [InlineData("""address :is :all "from" "coyote@desert.example.org" """, true)]
    [InlineData("""address :all :is ["to", "cc"] "ROADRUNNER@acme.example.com" """, true)]
    [InlineData("""address :localpart "from" "coyote" """, true)]
    [InlineData("""address :domain "from" "desert.example.org" """, true)]
    [InlineData("""address :domain :contains "from" "acme" """, false)]
    // §5.5, §5.7
    [InlineData("""exists ["From", "date"]""", true)]
    [InlineData("""exists ["From", "X-Nothing"]""", false)]
    [InlineData("""header :is "Subject" "i have a PRESENT for you" """, true)]
    [InlineData("""header :is :comparator "i;octet" "Subject" "i have a present for you" """, false)]
    [InlineData("""header :contains "x-caffeine" "" """, false)]
    [InlineData("""header :contains "subject" "" """, true)]
    [InlineData("""header :is "subject" "" """, false)]
    // §2.7.1
    [InlineData("""header :matches "subject" "*present*" """, true)]
    [InlineData("""header :matches "subject" "I have ? present*u" """, true)]
    [InlineData("""header :matches "subject" "I have ? present" """, false)]
    [InlineData("""header :matches "from" "*@*.example.org" """, true)]
    [InlineData("""allof (true, not false, anyof (false, true))""", true)]
    [InlineData("""allof (true, false)""", false)]
    public async Task Tests_are(string test, bool expected) => Assert.Equal(expected, await Filter.Test(test));

    [Fact]
    public async Task Encoded_words_and_folds_are_read_as_they_are_meant()
    {
        const string Message = "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n =?utf-8?b?IGFuIGFsbGU=?=\nTo: \"A \\\"B\\\" C\" <a+list@b.example>,\n group: c@d.example, e@f.example;\n\nx";
        Assert.True(await Filter.Test("""header :is "subject" "grüße an alle" """, Message));
        Assert.True(await Filter.Test("""header :is :comparator "i;octet" "subject" "grüße an alle" """, Message));
        Assert.True(await Filter.Test("""address :is "to" "e@f.example" """, Message));
        Assert.True(await Filter.Test("""address :user "to" "a" """, Message, "\"subaddress\""));
        Assert.True(await Filter.Test("""address :detail "to" "list" """, Message, "\"subaddress\""));
        // No detail is no empty detail (RFC 5233 §4).
        Assert.False(await Filter.Test("""address :detail "to" "" """, Message, "\"subaddress\""));
    }

    [Fact]
    public async Task The_envelope_has_sender_and_recipient()
    {
        Assert.True(await Filter.Test("""envelope :all :is "from" "coyote@desert.example.org" """, require: "\"envelope\""));
        var bounce = new Filter { Sender = "" };
        Assert.Equal(["discarded"], [(await bounce.RunAsync("""require "envelope"; if envelope :is "from" "" { discard; }""")).Length == 0 ? "discarded" : "kept"]);
        Assert.True(await Filter.Test("""envelope :domain "to" "acme.example.com" """, require: "\"envelope\""));
    }

    [Theory]
    [InlineData("\"a\\\"b\\\\c\\d\"", "a\"b\\cd")]
    [InlineData("text:\r\nline\r\n..dot\r\n.one\r\n.\r\n", "line\r\n.dot\r\n.one\r\n")]
    [InlineData("text: # comment\nline\n.\n", "line\r\n")]
    public async Task Strings_mean(string written, string meant) =>
        Assert.Equal(["reject " + meant], await Filter.Run($"require \"reject\"; reject {written};"));

    [Theory]
    // RFC 5228 §2.4.2.4
    [InlineData("$${hex:40}", "$@")]
    [InlineData("${hex: 40 }", "@")]
    [InlineData("${HEX: 40}", "@")]
    [InlineData("${hex:40", "${hex:40")]
    [InlineData("${hex:400}", "${hex:400}")]
    [InlineData("${hex:4${hex:30}}", "${hex:40}")]
    [InlineData("${unicode:40}", "@")]
    [InlineData("${ unicode:40}", "${ unicode:40}")]
    [InlineData("${UNICODE:40}", "@")]
    [InlineData("${UnICoDE:0000040}", "@")]
    [InlineData("${Unicode:Cool}", "${Unicode:Cool}")]
    [InlineData("${unicode:1F600 41}", "😀A")]
    public async Task Encoded_characters(string written, string meant) =>
        Assert.Equal(["reject " + meant], await Filter.Run($"require [\"reject\", \"encoded-character\"]; reject \"{written}\";"));

    [Fact]
    public void An_encoded_character_that_is_none_is_an_error() =>
        Assert.Contains("'200000' is no character", Filter.Error("require [\"encoded-character\", \"fileinto\"]; fileinto \"${unicode:200000}\";"));

    [Theory]
    [InlineData("keep", "line 1, column 5: ';' or '{' is expected here, not the end of the script")]
    [InlineData("keep;\n  if true;", "line 2, column 3: 'if' has one test and a block")]
    [InlineData("frobnicate;", "line 1, column 1: there is no command 'frobnicate'")]
    [InlineData("if frob { keep; }", "there is no test 'frob'")]
    [InlineData("fileinto \"a\";", "'fileinto' needs: require \"fileinto\"")]
    [InlineData("require \"frob\";", "the extension 'frob' is not known")]
    [InlineData("keep; require \"fileinto\";", "'require' must come before all else")]
    [InlineData("else { keep; }", "'else' without an 'if' before it")]
    [InlineData("if true { keep; } keep; elsif true { }", "'elsif' without an 'if'")]
    [InlineData("redirect \"nobody\";", "'nobody' is no address")]
    [InlineData("redirect \"a@b.example\", \"c@d.example\";", "';' or '{' is expected")]
    [InlineData("redirect [\"a@b.example\", \"c@d.example\"];", "one string is expected here")]
    [InlineData("keep :copy;", "'keep' does not know ':copy'")]
    [InlineData("keep \"a\";", "'keep' takes 0 arguments")]
    [InlineData("if header :is :contains \"a\" \"b\" { }", "two match types")]
    [InlineData("if header :is :is \"a\" \"b\" { }", "':is' twice")]
    [InlineData("if header \"a\" :is \"b\" { }", "tags come before all other arguments")]
    [InlineData("if header :comparator \"i;frob\" \"a\" \"b\" { }", "the comparator 'i;frob' is not known")]
    [InlineData("if header :value \"gt\" \"a\" \"b\" { }", "':value' needs: require \"relational\"")]
    [InlineData("require \"comparator-i;ascii-numeric\"; if header :contains :comparator \"i;ascii-numeric\" \"a\" \"1\" { }", "can't be used with ':contains'")]
    [InlineData("if address \"subject\" \"b\" { }", "'subject' is no header field of addresses")]
    [InlineData("if size :over \"1\" { }", "a number is expected here")]
    [InlineData("if size 1 { }", "'size' takes one of")]
    [InlineData("if size :over 9999999999999 { }", "the number is too large")]
    [InlineData("if not { }", "'not' takes one test")]
    [InlineData("if true { keep; ", "a command or '}' is expected here")]
    [InlineData("keep \"abc", "the string does not end")]
    [InlineData("/* abc", "the comment does not end")]
    [InlineData("keep text:\nabc", "the text does not end")]
    [InlineData("keep { stop; }", "'keep' has no block")]
    [InlineData("keep true;", "'keep' takes no test")]
    [InlineData("keep §;", "'§' is nothing that Sieve knows")]
    [InlineData("require \"reject\"; reject \"a\0b\";", "a control character")]
    public void What_is_wrong_is_told_with_its_place(string script, string problem) => Assert.Contains(problem, Filter.Error(script));

    [Fact]
    public void Bounds_of_the_source()
    {
        Assert.Contains("more than 32 levels", Filter.Error(string.Concat(Enumerable.Repeat("if true {", 40)) + string.Concat(Enumerable.Repeat("}", 40))));
        Assert.Contains("more than 32 levels", Filter.Error("if " + string.Concat(Enumerable.Repeat("not ", 100)) + "true {}"));
        Assert.Contains("larger than 65536 octets", Filter.Error(new string(' ', 70_000)));
        Assert.Equal("The script is not UTF-8.", Assert.Throws<SieveSyntaxException>(() => SieveScript.Compile([(byte)'#', 0xFF], true)).Problem.Text);
    }

    [Fact]
    public void Mail_that_leaves_is_refused_without_a_relay()
    {
        Assert.Contains("this server sends no mail", Filter.Error("redirect \"a@b.example\";", outgoing: false));
        Assert.Contains("this server sends no mail", Filter.Error("require \"vacation\"; vacation \"x\";", outgoing: false));
        Assert.Contains("this server sends no mail", Filter.Error("require \"enotify\";", outgoing: false));
    }

    [Fact]
    public void What_is_never_reached_is_a_warning()
    {
        SieveScript script = SieveScript.Compile("if true { stop; keep; }"u8, true);
        Assert.Equal("line 1, column 17: 'keep' and what follows it here is never reached", script.Warnings.Single().ToString());
    }

    [Fact]
    public async Task A_run_is_bounded()
    {
        var filter = new Filter { Limits = SieveLimits.Default with { Steps = 1000 } };
        Assert.Equal(["failed: the script takes too long"], await filter.RunAsync(string.Concat(Enumerable.Repeat("if not true { discard; }", 400))));
        Assert.Null(Assert.IsType<FileInto>(Assert.Single(filter.Result.Actions)).Mailbox);
        string many = "require \"fileinto\";" + string.Concat(Enumerable.Range(0, 40).Select(i => $"fileinto \"{i}\";"));
        Assert.Equal(["failed: more than 32 actions"], await Filter.Run(many));
        Assert.Equal(["failed: more than 4 redirections"], await Filter.Run(string.Concat(Enumerable.Range(0, 5).Select(i => $"redirect \"u{i}@b.example\";"))));
        Assert.Equal(["redirect u@b.example"], await Filter.Run("redirect \"u@b.example\"; redirect \"U@b.example\";"));
    }

    /// <summary>What takes long for each step is more than one.</summary>
    [Theory]
    [InlineData("require \"vacation\";", "vacation \"x\";", 200)]
    [InlineData("", "if address \"to\" \"x\" { discard; }", 10)]
    [InlineData("require \"date\";", "if date \"date\" \"year\" \"x\" { discard; }", 100)]
    [InlineData("", "if header :contains \"x-long\" \"KEY\" { discard; }", 2)]
    public async Task What_looks_at_much_is_many_steps(string require, string command, int times)
    {
        var filter = new Filter
        {
            Sender = "someone@else.example", Limits = SieveLimits.Default with { Steps = 1000 },
            Message = $"To: {new string('(', 2000)}\nDate: {new string('x', 2000)}\nX-Long: {new string('a', 8000)}\nPrecedence: bulk\n\n",
        };
        command = command.Replace("KEY", new string('a', 6400) + "b");
        Assert.Equal(["failed: the script takes too long"], await filter.RunAsync(require + string.Concat(Enumerable.Repeat(command, times))));
    }

    [Fact]
    public async Task Scripts_in_a_row_go_on_while_the_message_is_kept()
    {
        const string Before = "require [\"fileinto\", \"imap4flags\"]; addflag \"seen-by-tenant\"; if header :is \"x-spam\" \"yes\" { fileinto \"Junk\"; }";
        const string Own = "require \"fileinto\"; if header :contains \"subject\" \"present\" { fileinto \"Gifts\"; }";
        Assert.Equal(["fileinto Gifts [seen-by-tenant]"], await new Filter().RunAsync(Before, Own));
        Assert.Equal(["fileinto Junk [seen-by-tenant]"], await new Filter { Message = "X-Spam: yes\n" + Filter.Coyote }.RunAsync(Before, Own));
        Assert.Equal(["keep [seen-by-tenant]"], await new Filter { Message = "Subject: x\n\n" }.RunAsync(Before, Own));
        // stop ends its own script only.
        Assert.Equal(["fileinto Gifts"], await new Filter().RunAsync("stop;", Own));
    }

    [Fact]
    public async Task A_message_without_anything_is_filtered()
    {
        Assert.Equal(["keep"], await Filter.Run("if header :contains \"a\" \"b\" { discard; }", ""));
        Assert.Equal(["keep"], await Filter.Run("if header :contains \"a\" \"b\" { discard; }", "no header at all"));
        Assert.True(await Filter.Test("header :is \"Subject\" \"x\"", "garbage\nSubject: x\n\nbody"));
    }
}
