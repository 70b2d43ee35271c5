using System.Text;
using CsCheck;
using MailCluster.Sieve;
using MailCluster.Sieve.Running;
using Xunit;

namespace MailCluster.Tests.Unit.Sieve;

/// <summary>Whatever a script or a message has in it: it compiles or is refused with a place, and runs within its bounds.</summary>
public sealed class AnyScriptTests
{
    private static readonly string[] Words =
    [
        "if ", "elsif ", "else ", "not ", "anyof ", "allof ", "true", "false", "header ", "address ", "envelope ", "exists ", "size ", "string ", "hasflag ", "body ", "date ", "currentdate ",
        "mailboxexists ", "duplicate", "environment ", "spamtest ", "keep", "discard", "stop", "fileinto ", "redirect ", "reject ", "ereject ", "set ", "setflag ", "addflag ", "addheader ",
        "deleteheader ", "vacation ", "notify ", "include ", "return", "global ", ":is ", ":contains ", ":matches ", ":regex ", ":count ", ":value ", ":comparator ", ":copy ", ":flags ",
        ":create ", ":all ", ":localpart ", ":domain ", ":detail ", ":index ", ":last ", ":over ", ":zone ", ":raw ", ":content ", ":text ", ":mime ", ":days ", ":lower ", ":length ",
        "\"subject\" ", "\"from\" ", "\"*a*?\" ", "\"(a+)+[[:alpha:]]*\" ", "\"${1}${a}\" ", "\"a@b.example\" ", "\"mailto:a@b.example\" ", "\"i;octet\" ", "\"i;ascii-numeric\" ", "\"ge\" ",
        "\"\\\\Seen\" ", "\"year\" ", "\"${hex:41}\" ", "[\"a\", \"b\"] ", "1 ", "5K ", "{", "}", "(", ")", ",", ";", "; ", "[", "]", "\"", "#x\n", "/* */", "text:\nx\n.\n",
    ];

    private const string Requires = """
        require ["fileinto", "reject", "ereject", "envelope", "body", "variables", "vacation", "vacation-seconds", "imap4flags", "copy", "date", "index", "relational", "subaddress", "regex",
            "editheader", "mailbox", "special-use", "mailboxid", "duplicate", "include", "environment", "enotify", "spamtest", "spamtestplus", "virustest", "encoded-character",
            "comparator-i;ascii-numeric"];
        """;

    private static readonly Gen<string> AnyWords = Gen.Int[0, Words.Length - 1].Select(static i => Words[i]).Array[0, 40].Select(static words => string.Concat(words));

    private static readonly string[] Commands =
    [
        "keep;", "discard;", "stop;", "return;", "fileinto \"a\";", "fileinto :copy :create :flags [\"\\\\Seen\"] \"b${1}\";", "redirect \"a@b.example\";", "redirect :copy \"c@d.example\";",
        "set \"a\" \"${1}x\";", "set :upper :length \"a\" \"${a}\";", "addflag \"x\";", "addheader \"X-A\" \"${a}\";", "addheader \"Content-Type\" \"${1}\";", "addheader :last \"To\" \"(${a}\";", "addheader \"Date\" \"x\";", "deleteheader :contains \"x-a\" \"x\";", "vacation \"a\";",
        "reject \"no\";", "notify \"mailto:a@b.example\";", "include :optional \"x\";", "if header :matches \"subject\" \"*a*\" { keep; }", "if header :regex \"subject\" \"(.*)b(.*)\" { set \"a\" \"${2}\"; }",
        "if body :contains \"a\" { discard; } else { keep; }", "if duplicate { stop; }", "if size :over 1 { }", "if date :originalzone \"date\" \"year\" \"2026\" { }",
        "if anyof(address :detail \"to\" \"x\", not exists \"y\", string :count \"ge\" \"${a}\" \"1\") { fileinto \"c\"; }",
    ];

    /// <summary>Mostly right: commands with their arguments, in blocks.</summary>
    private static readonly Gen<string> Likely = Gen.Int[0, Commands.Length - 1].Select(static i => Commands[i]).Array[0, 30].Select(static lines => Requires + string.Concat(lines));

    [Fact]
    public void Any_words() => Gen.Select(Gen.OneOf(AnyWords.Select(static w => Requires + w), AnyWords, Likely), Gen.Byte.Array[0, 300]).Sample(
        static (script, message) => Try(Encoding.UTF8.GetBytes(script), message), iter: 3000);

    [Fact]
    public void Any_octets() => Gen.Byte.Array[0, 200].Sample(static octets => Try(octets, octets), iter: 3000);

    [Fact]
    public void A_valid_script_with_any_octet_changed() => Gen.Select(Likely, Gen.Int[0, 10_000], Gen.Byte).Sample(static (script, at, octet) =>
    {
        byte[] octets = Encoding.UTF8.GetBytes(script);
        octets[at % octets.Length] = octet;
        Try(octets, Encoding.UTF8.GetBytes(Filter.Coyote));
    }, iter: 3000);

    private static void Try(byte[] script, byte[] message)
    {
        var limits = SieveLimits.Default with { Steps = 20_000 };
        SieveScript compiled;
        try
        {
            compiled = SieveScript.Compile(script, outgoing: true, limits);
        }
        catch (SieveSyntaxException e)
        {
            Assert.NotEmpty(e.Problem.Text);
            return;
        }
        var host = new Filter();
        var setting = new SieveSetting("a@b.example", ["a@b.example"], "mx.test", ("client", null));
        SieveResult result = SieveInterpreter.RunAsync(
            [compiled], new SieveMessage(MessageHeader.Parse(message), message.Length, "s@x.test", "a@b.example", DateTimeOffset.UnixEpoch), setting, host, limits, default)
            .AsTask().GetAwaiter().GetResult();
        Assert.True(result.Failure is null || result.Actions is [FileInto { Mailbox: null }]);
        Assert.True(result.Actions.Count <= limits.Actions);
        foreach (SieveAction action in result.Actions)
        {
            // Whatever comes of it can be written.
            _ = action.Header.AllBytes;
            var about = new SieveMessage(action.Header, 0, "s@x.test", "a@b.example", DateTimeOffset.UnixEpoch);
            _ = action switch
            {
                Vacation v => MailCluster.Sieve.Replies.SieveReplies.Vacation(v, about, setting, "n"),
                Reject r => MailCluster.Sieve.Replies.SieveReplies.Reject(r, about, setting, "n"),
                Notify n => MailCluster.Sieve.Replies.SieveReplies.Notify(n, about, setting, "n"),
                _ => [],
            };
        }
    }
}
