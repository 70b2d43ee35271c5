using System.ComponentModel.DataAnnotations;
using MailCluster.Outgoing;

namespace MailCluster.Server.Configuration;

/// <summary>Filters of mail (Sieve), and the mail that they send.</summary>
public sealed class SieveSection
{
    /// <summary>
    /// The mail server that takes what filters send, "host:port". Default: none; then nothing leaves, and scripts that redirect, reply or notify are refused, and fail where
    /// they were kept before. All front ends need the same.
    /// </summary>
    [HostAndPort]
    public string? Relay { get; set; }

    /// <summary>Off, WhenOffered (whatever the certificate), Required or Implicit (with a certificate that is valid for the relay's name). Default WhenOffered.</summary>
    public RelayTls RelayTls { get; set; } = RelayTls.WhenOffered;

    /// <summary>A user to log in with at the relay. Default: none.</summary>
    public string? RelayUser { get; set; }

    /// <summary>Its password; keep it out of the file with the environment variable MAILCLUSTER_Sieve__RelayPassword.</summary>
    public string? RelayPassword { get; set; }

    /// <summary>Seconds between the first two attempts at the relay, then twice as long each time up to an hour. Default 30.</summary>
    [Range(1, 3600)]
    public int RetrySeconds { get; set; } = 30;

    /// <summary>Hours until mail that can't be sent is given up; a message that would be lost goes to its owner's INBOX. Default 96: four days (RFC 5321 §4.5.4.1).</summary>
    [Range(1, 720)]
    public int GiveUpHours { get; set; } = 96;

    /// <summary>Messages that filters of one account may send in a day. Default 200: what people get, not what a loop makes.</summary>
    [Range(0, 1_000_000)]
    public int OutgoingADay { get; set; } = 200;

    /// <summary>Redirections of one message. Default 4.</summary>
    [Range(1, 100)]
    public int Redirects { get; set; } = 4;

    /// <summary>Scripts of one account. Default 32.</summary>
    [Range(1, 1000)]
    public int Scripts { get; set; } = 32;

    /// <summary>Kilobytes (1,024 octets) of one script. Default 64: some thousand rules.</summary>
    [Range(1, 1024)]
    public int ScriptKilobytes { get; set; } = 64;

    /// <summary>Kilobytes (1,024 octets) of all scripts of an account. Default 512.</summary>
    [Range(1, 65_536)]
    public int AllScriptsKilobytes { get; set; } = 512;

    /// <summary>
    /// Seconds between two looks at what users have moved into and out of Junk, for tenants whose spam filter is told of it (admin junk set); 0: this node does not look. Default 20:
    /// a filter that learns is in no hurry, and each look reads an index of all Junk mailboxes.
    /// </summary>
    [Range(0, 3600)]
    public int JunkSeconds { get; set; } = 20;

    /// <summary>
    /// The header field in which the spam filter in front leaves its score, for the test spamtest: rspamd's "X-Spamd-Result" (the default), "X-Spam-Status", or one with a number.
    /// The server in front must take it away from mail that comes with it.
    /// </summary>
    [Required]
    public string SpamField { get; set; } = "X-Spamd-Result";

    /// <summary>The score that is certainly spam where the field has a number only. Default 15, rspamd's.</summary>
    [Range(0.1, 10_000)]
    public double SpamMaximum { get; set; } = 15;

    /// <summary>The header field of the virus scanner in front, for the test virustest: Clean, Infected… Default "X-Virus-Status".</summary>
    [Required]
    public string VirusField { get; set; } = "X-Virus-Status";
}
