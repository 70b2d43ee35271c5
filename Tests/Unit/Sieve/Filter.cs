using System.Net;
using System.Text;
using MailCluster.Sieve;
using MailCluster.Sieve.Running;
using Xunit;

namespace MailCluster.Tests.Unit.Sieve;

/// <summary>A script, a message, and what has to be done, in words: "keep", "fileinto Junk [\Seen]", "redirect a@b.example".</summary>
internal sealed class Filter : ISieveHost
{
    /// <summary>RFC 5228 §1.1 and §5: what most examples are about.</summary>
    public const string Coyote = """
        From: coyote@desert.example.org
        To: roadrunner@acme.example.com
        Subject: I have a present for you
        Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)
        Message-ID: <present@desert.example.org>

        Look, I'm sorry about the whole anvil thing, and I really
        didn't mean to try and drop it on you from the top of the
        cliff.  I want to try to make it up to you.  I've got some
        great birdseed over here at my place--top of the line
        stuff--and if you come by, I'll have it all wrapped up
        for you.  I'm really sorry for all the problems I've caused
        for you over the years, but I know we can work this out.
        --
        "Super Genius" Coyote   coyote@desert.example.org

        """;

    private byte[] _message = [];

    public string Message { get; init; } = Coyote;

    public string Sender { get; init; } = "coyote@desert.example.org";

    public string Recipient { get; init; } = "roadrunner@acme.example.com";

    public DateTimeOffset Received { get; init; } = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    public Dictionary<string, string[]> Mailboxes { get; } = new() { ["INBOX"] = [], ["Archive"] = [@"\Archive"], ["Junk"] = [@"\Junk"] };

    public HashSet<string> Marks { get; } = [];

    public Dictionary<(bool Global, string Name), string> Scripts { get; } = [];

    public SieveLimits Limits { get; init; } = SieveLimits.Default;

    public bool Outgoing { get; init; } = true;

    public SieveResult Result { get; private set; } = null!;

    /// <summary>What a script does, in words.</summary>
    public static Task<string[]> Run(string script, string message = Coyote) => new Filter { Message = message }.RunAsync(script);

    /// <summary>True where the test is.</summary>
    public static async Task<bool> Test(string test, string message = Coyote, string require = "")
    {
        string[] done = await Run($"require [\"fileinto\"{(require.Length > 0 ? ", " + require : "")}]; if {test} {{ fileinto \"yes\"; }}", message);
        return done.Single() switch
        {
            "fileinto yes" => true,
            "keep" => false,
            var other => throw new InvalidOperationException(other),
        };
    }

    /// <summary>What is wrong with a script.</summary>
    public static string Error(string script, bool outgoing = true)
    {
        SieveSyntaxException e = Assert.Throws<SieveSyntaxException>(() => SieveScript.Compile(Encoding.UTF8.GetBytes(script), outgoing));
        return e.Problem.ToString();
    }

    public async Task<string[]> RunAsync(params string[] scripts)
    {
        _message = Encoding.UTF8.GetBytes(Message.ReplaceLineEndings("\r\n"));
        SieveScript[] compiled = [.. scripts.Select(s => SieveScript.Compile(Encoding.UTF8.GetBytes(s), Outgoing, Limits))];
        var setting = new SieveSetting("roadrunner@acme.example.com", ["roadrunner@acme.example.com"], "mx.acme.example.com", ("client.test", IPAddress.Loopback));
        Result = await SieveInterpreter.RunAsync(
            compiled, new SieveMessage(MessageHeader.Parse(_message), _message.Length, Sender, Recipient, Received), setting, this, Limits, CancellationToken.None);
        return Result.Failure is { } failure ? [$"failed: {failure}"] : [.. Result.Actions.Select(Words)];
    }

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(int octets, CancellationToken cancellationToken) => new(_message.AsMemory(0, Math.Min(octets, _message.Length)));

    public ValueTask<bool> MailboxExistsAsync(string name, CancellationToken cancellationToken) => new(Mailboxes.ContainsKey(name));

    public ValueTask<string?> MetadataAsync(string? mailbox, string entry, CancellationToken cancellationToken) =>
        new((mailbox, entry) switch { ("INBOX", "/private/vendor/x/notify") => "true", (null, "/shared/comment") => "hello", _ => null });

    public ValueTask<bool> MailboxIdExistsAsync(string id, CancellationToken cancellationToken) => new(id == "F1");

    public ValueTask<bool> SpecialUseExistsAsync(string? name, string use, CancellationToken cancellationToken) =>
        new(name is null ? Mailboxes.Values.Any(u => u.Contains(use)) : Mailboxes.TryGetValue(name, out string[]? uses) && uses.Contains(use));

    public ValueTask<bool> IsMarkedAsync(string mark, CancellationToken cancellationToken) => new(Marks.Contains(mark));

    public ValueTask<SieveScript?> IncludeAsync(IncludedScript script, CancellationToken cancellationToken) =>
        new(Scripts.TryGetValue((script.Global, script.Name), out string? source) ? SieveScript.Compile(Encoding.UTF8.GetBytes(source), Outgoing) : null);

    private static string Words(SieveAction action) => action switch
    {
        FileInto f => (f.Mailbox is null ? "keep" : "fileinto " + f.Mailbox) + (f.Create ? " :create" : "") + (f.MailboxId is { } id ? " id " + id : "")
            + (f.SpecialUse is { } use ? " use " + use : "") + (f.Flags.Count > 0 ? $" [{string.Join(' ', f.Flags)}]" : ""),
        Redirect r => "redirect " + r.Address,
        Reject r => (r.Extended ? "ereject " : "reject ") + r.Reason,
        Vacation v => $"vacation {v.Interval.TotalSeconds / 86400:0.###}d{(v.Subject is { } s ? $" subject={s}" : "")}{(v.From is { } f ? $" from={f}" : "")} {v.Reason}",
        Notify n => $"notify {string.Join(',', n.Method.To)} {n.Importance} {n.Message}",
        _ => action.ToString(),
    };
}
