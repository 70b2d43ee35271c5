using System.Text;
using MailCluster.Sieve;
using MailCluster.Sieve.Replies;
using MailCluster.Sieve.Running;
using MailCluster.Tests.Unit.Sieve;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// The Sieve compiler and interpreter: a script is valid or refused with its place, runs within its bounds, fails into keeping the message, and what it makes can be written.
/// </summary>
public sealed class SieveTarget : Target
{
    private const string Requires = """
        require ["fileinto", "reject", "ereject", "envelope", "body", "variables", "vacation", "vacation-seconds", "imap4flags", "copy", "date", "index", "relational", "subaddress", "regex",
            "editheader", "mailbox", "mboxmetadata", "special-use", "mailboxid", "duplicate", "include", "environment", "enotify", "spamtest", "spamtestplus", "virustest", "encoded-character",
            "comparator-i;ascii-numeric"];

        """;

    private static readonly string[] Scripts =
    [
        "if header :contains [\"from\", \"cc\"] \"coyote\" { discard; } elsif address :domain :matches \"from\" \"*.example.*\" { fileinto :create \"x/${1}\"; } else { keep; stop; }",
        "if anyof (not exists \"x\", size :over 1K, envelope :detail \"to\" \"a\") { redirect :copy \"a@b.example\"; }",
        "if header :regex \"subject\" \"^(.*)([[:alpha:]]+|b{2,3})$\" { set :upperfirst :lower \"a\" \"${2}\"; fileinto \"${a}\"; }",
        "vacation :days 3 :subject \"s\" :addresses [\"a@b.example\"] :handle \"h\" text:\r\naway\r\n..\r\n.\r\n;",
        "addheader :last \"X-A\" \"b\"; deleteheader :index 1 :last :contains \"subject\" \"x\"; setflag [\"\\\\Seen\", \"$x\"]; keep :flags \"${a}\";",
        "if date :value \"ge\" :originalzone \"date\" \"hour\" \"09\" { notify :importance \"1\" :message \"m\" \"mailto:a@b.example?subject=x%20y\"; }",
        "if allof (body :content \"text\" :contains \"a\", duplicate :handle \"x\" :seconds 60, spamtest :value \"gt\" :comparator \"i;ascii-numeric\" \"3\") { ereject \"no ${hex:41}\"; }",
        "global [\"a\"]; include :optional :personal \"other\"; if string :count \"eq\" :comparator \"i;ascii-numeric\" \"${global.a}\" \"1\" { return; } # end",
    ];

    public override string Name => "sieve";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. Scripts.Select(static s => Encoding.UTF8.GetBytes(Requires + s))];

    public override IReadOnlyList<string> Words { get; } =
    [
        "if ", "elsif ", "else ", "not ", "anyof (", "allof (", "true", "header ", "address ", "exists ", "string ", "hasflag ", "body ", "date ", "keep;", "discard;", "stop;", "fileinto ", "redirect ",
        "reject ", "set ", "addflag ", "addheader ", "deleteheader ", "vacation ", "notify ", "include ", "return;", ":is ", ":contains ", ":matches ", ":regex ", ":count \"ge\" ", ":value \"lt\" ",
        ":comparator ", ":copy ", ":flags ", ":index 1 ", ":last ", ":over ", "\"", "\\", "${", "}", "${1}", "*", "?", "(", ")", "[", "]", "{", "}", ",", ";", "1K", "4294967295G", "text:\r\n", "\r\n.\r\n",
        "#", "/*", "*/", "\0", "\u00e4", "\uFEFF", "a@b.example", "mailto:", "\"Content-Type\" ", "\"Message-ID\" ", "\"To\" ", "\"Received\" ", "[[:alpha:]]", "(a+)+", "{1,9}", "${hex:", "${unicode:",
    ];

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        var limits = SieveLimits.Default with { Steps = 20_000 };
        SieveScript script;
        try
        {
            script = SieveScript.Compile(input, outgoing: true, limits);
        }
        catch (SieveSyntaxException)
        {
            // That is NO.
            return;
        }
        byte[] message = variant.Next(4) == 0 ? input : Encoding.UTF8.GetBytes(Filter.Coyote);
        var about = new SieveMessage(MessageHeader.Parse(message), message.Length, "s@x.test", "roadrunner@acme.example.com", DateTimeOffset.UnixEpoch);
        var setting = new SieveSetting("roadrunner@acme.example.com", ["roadrunner@acme.example.com"], "mx.test", ("client", null));
        SieveResult result = await SieveInterpreter.RunAsync([script], about, setting, new Filter(), limits, default);
        if (result.Failure is not null && result.Actions is not [FileInto { Mailbox: null }])
            throw new InvalidOperationException($"A script that failed ({result.Failure}) does not keep the message");
        foreach (SieveAction action in result.Actions)
        {
            _ = action.Header.AllBytes;
            byte[] made = action switch
            {
                Vacation v => SieveReplies.Vacation(v, about, setting, "n"),
                Reject r => SieveReplies.Reject(r, about, setting, "n"),
                Notify n => SieveReplies.Notify(n, about, setting, "n"),
                _ => [],
            };
            // One header: nothing that a script or a message says begins another field of it.
            if (made.Length > 0 && Encoding.Latin1.GetString(made).Split("\r\n\r\n")[0].Split("\r\n").Any(static l => l.StartsWith("Bcc:", StringComparison.OrdinalIgnoreCase)))
                throw new InvalidOperationException("A reply has a field that nobody asked for");
        }
    }
}
