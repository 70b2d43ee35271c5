using System.ComponentModel.DataAnnotations;

namespace MailCluster.Server.Configuration;

/// <summary>
/// All options of a node: the JSON file given with --config, overridden by environment variables that start with MAILCLUSTER_
/// (MAILCLUSTER_Cluster__SiloPort=11112 is Cluster:SiloPort).
/// </summary>
public sealed class NodeOptions
{
    /// <summary>The node's name in membership and logs. Default: the machine's name. Two nodes on one machine need two.</summary>
    [Required]
    public string Name { get; set; } = Environment.MachineName;

    public ClusterSection Cluster { get; set; } = new();

    public DatabaseSection Database { get; set; } = new();

    public ListenSection Listen { get; set; } = new();

    public TlsSection Tls { get; set; } = new();

    public LoginSection Login { get; set; } = new();

    public LimitsSection Limits { get; set; } = new();

    public ShutdownSection Shutdown { get; set; } = new();

    public MaintenanceSection Maintenance { get; set; } = new();

    public LogSection Log { get; set; } = new();

    public SieveSection Sieve { get; set; } = new();
}

/// <summary>How nodes find and speak to each other.</summary>
public sealed class ClusterSection
{
    /// <summary>The cluster's name: nodes with the same one over the same database are one cluster. Default "mailcluster".</summary>
    [Required]
    public string Id { get; set; } = "mailcluster";

    /// <summary>The IP address at which other nodes reach this one (roles silo and all). Default 127.0.0.1: one machine; never a public address.</summary>
    [Address]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>TCP port for silos among each other. Default 11111, Orleans' usual one.</summary>
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11111;

    /// <summary>TCP port at which front ends reach this silo. Default 30000, Orleans' usual one.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30000;

    /// <summary>
    /// Seconds until a call to another node without an answer is made again. Default 2: a call that was under way to a lost silo hears of its death
    /// only in this way, and finds the new owner, which is there after some 3 s. What only takes long is joined by its repetition.
    /// </summary>
    [Range(1, 300)]
    public int ResponseSeconds { get; set; } = 2;

    /// <summary>
    /// Milliseconds that a silo has for answering another's probe. Default 1000, at most 1.5 times that under load: three missed ones and two
    /// votes make a silo dead, so that a killed one is replaced in 2 to 3 s (30 s with Orleans' defaults).
    /// </summary>
    [Range(100, 60_000)]
    public int ProbeMilliseconds { get; set; } = 1000;

    /// <summary>
    /// Percent of the memory that this process may use (of the machine, or of its container) above which a silo lets owners go that nobody has asked for longest, some of them each 5 s; 0 for never.
    /// Default 80: they claim their mailboxes again when they are asked, and nothing that was acknowledged is only in their memory. Without pressure they stay for 5 minutes.
    /// </summary>
    [Range(0, 100)]
    public int ShedAtMemoryPercent { get; set; } = 80;
}

/// <summary>The PostgreSQL that keeps everything.</summary>
public sealed class DatabaseSection
{
    /// <summary>
    /// Npgsql's connection string: Host=…;Port=5432;Database=…;Username=…;Password=… . No default. Host=a:5432,b:5432 names a primary and
    /// its standbys: the node follows the primary. Keep it out of the file with the environment variable
    /// MAILCLUSTER_Database__ConnectionString or a password file (Passfile=…).
    /// </summary>
    [Required]
    public string ConnectionString { get; set; } = "";

    /// <summary>Connections for mail at most, a quarter of them for reading messages; commits have their own. Default 40: the reads of a few hundred busy sessions.</summary>
    [Range(4, 1000)]
    public int MaxConnections { get; set; } = 40;

    /// <summary>Connections for membership, grain documents and reminders at most. Default 10: they are rare and short.</summary>
    [Range(2, 100)]
    public int MaxClusterConnections { get; set; } = 10;
}

/// <summary>
/// Addresses to listen at, each "address:port" ("127.0.0.1:1143", "[::]:143"); an empty list is a closed door. All but HTTP are
/// opened in the roles all and frontend, HTTP in every role.
/// </summary>
public sealed class ListenSection
{
    /// <summary>IMAP with STARTTLS. Default: closed.</summary>
    [EndPoints]
    public string[] Imap { get; set; } = [];

    /// <summary>IMAP over TLS from the first byte; needs Tls:Certificate. Default: closed.</summary>
    [EndPoints]
    public string[] Imaps { get; set; } = [];

    /// <summary>
    /// IMAP with STARTTLS that also speaks what was before IMAP4rev1: IMAP2, IMAP2bis, IMAP4. Default: closed; for old and embedded clients. Without TLS only this machine may log in there,
    /// whatever AllowPlaintextLogin says.
    /// </summary>
    [EndPoints]
    public string[] OldImap { get; set; } = [];

    /// <summary>The same over TLS from the first byte; needs Tls:Certificate. Default: closed.</summary>
    [EndPoints]
    public string[] OldImaps { get; set; } = [];

    /// <summary>POP3 with STLS. Default: closed.</summary>
    [EndPoints]
    public string[] Pop3 { get; set; } = [];

    /// <summary>POP3 over TLS from the first byte; needs Tls:Certificate. Default: closed.</summary>
    [EndPoints]
    public string[] Pop3s { get; set; } = [];

    /// <summary>LMTP, for the mail servers in front. Default: closed. It has no log-in: never reachable from outside.</summary>
    [EndPoints]
    public string[] Lmtp { get; set; } = [];

    /// <summary>ManageSieve (RFC 5804) with STARTTLS, for users' filters; usually port 4190. Default: closed.</summary>
    [EndPoints]
    public string[] Sieve { get; set; } = [];

    /// <summary>
    /// The Dovecot authentication protocol, for the mail servers in front: smtpd_sasl_type = dovecot, smtpd_sasl_path = inet:HOST:PORT (12345 is what others use). Default: closed.
    /// It has no log-in, and passwords cross it in clear: never reachable from outside.
    /// </summary>
    [EndPoints]
    public string[] DovecotAuth { get; set; } = [];

    /// <summary>
    /// Postfix' policy delegation: check_policy_service inet:HOST:PORT refuses at RCPT what the delivery would refuse. Default: closed. It has no log-in: never reachable from outside.
    /// </summary>
    [EndPoints]
    public string[] Policy { get; set; } = [];

    /// <summary>
    /// Look-ups for mail servers: socketmap:inet:HOST:PORT:domains, recipients, aliases, senders. Default: closed. It has no log-in, and tells who exists: never reachable from outside.
    /// </summary>
    [EndPoints]
    public string[] Socketmap { get; set; } = [];

    /// <summary>HTTP for /healthz, /readyz and /metrics. Default: closed. It has no log-in: never reachable from outside.</summary>
    [EndPoints]
    public string[] Http { get; set; } = [];

    /// <summary>
    /// Networks ("10.1.0.0/16") of our own proxies, webmail and mail servers: exempt from limits per address, and believed where they name
    /// a client's address. Default: none.
    /// </summary>
    [Networks]
    public string[] TrustedNetworks { get; set; } = [];

    /// <summary>Connections from the trusted networks to the doors for clients (not LMTP) begin with a PROXY header, version 1 or 2. Default false; true behind HAProxy.</summary>
    public bool ProxyProtocol { get; set; }

    /// <summary>Passwords are taken without TLS also from other machines. Default false (RFC 8314 §4.1); from this machine they always are.</summary>
    public bool AllowPlaintextLogin { get; set; }

    /// <summary>
    /// The language that IMAP's LANGUAGE "default" chooses (RFC 5255): i-default or en (English), de, fr, es, it, nl, pt. Default i-default: nothing is known of who the users are. Until a client
    /// chooses one texts are in English in any case.
    /// </summary>
    [ImapLanguage]
    public string ImapLanguage { get; set; } = "i-default";

    /// <summary>APPEND takes messages with 8-bit headers from every session. Default true: old clients and migrations have them; false takes them only after ENABLE IMAP4rev2.</summary>
    public bool Append8BitHeaders { get; set; } = true;

    /// <summary>
    /// POP3 sends messages with 8-bit headers as they are also to clients that did not say UTF8. Default true: they would stop at the first one at each visit; false refuses
    /// such a message with [UTF8], as RFC 6856 §2.1 asks.
    /// </summary>
    public bool Pop3EightBitHeaders { get; set; } = true;
}

/// <summary>What one client, or all of them, may take of this node.</summary>
public sealed class LimitsSection
{
    /// <summary>Connections of one door. Default 50000: idle TLS ones then take some 2 GB. All doors together have at most what the system's limit of open files leaves beside 512 for the rest.</summary>
    [Range(1, 10_000_000)]
    public int Connections { get; set; } = 50_000;

    /// <summary>Connections of one client address (one /64 of IPv6) that are not logged in. Default 50: an office that starts at once fits, a flood does not.</summary>
    [Range(1, 1_000_000)]
    public int ConnectionsPerAddress { get; set; } = 50;

    /// <summary>Sessions of one account, on all nodes; counted by its owner, so that silos read it. Default 100: some clients open one a folder on each of several devices.</summary>
    [Range(1, 1_000_000)]
    public int AccountConnections { get; set; } = 100;

    /// <summary>Sessions of one account from one address; the trusted networks are exempt. Default 50: one client that has gone mad leaves room for the others.</summary>
    [Range(1, 1_000_000)]
    public int AccountConnectionsPerAddress { get; set; } = 50;

    /// <summary>
    /// Seconds after which the sessions of a front end that died stop counting, and no longer keep a maildrop of POP3; front ends renew them three times as often. All nodes need the same.
    /// Default 90: two renewals may be lost.
    /// </summary>
    [Range(6, 3600)]
    public int SessionLeaseSeconds { get; set; } = 90;

    /// <summary>Megabytes (1,048,576 octets) of the largest message, in APPEND and in deliveries. Default 50: what other servers' attachments need after base64.</summary>
    [Range(1, 1024)]
    public int MessageMegabytes { get; set; } = 50;

    /// <summary>
    /// Megabytes (1,048,576 octets) of messages, and of what is known of them, that a front end keeps in memory because they were read of late; 0 keeps nothing. A message of more than
    /// an eighth of it is never kept. Default 128: what arrives is fetched within minutes by each of its user's devices, and lists of 100,000 messages are shown again and again.
    /// </summary>
    [Range(0, 1_000_000)]
    public int CacheMegabytes { get; set; } = 128;

    /// <summary>Messages that one IMAP command works on at most (MESSAGELIMIT, RFC 9738), which should be 1000 at least; 0 for any number. Default 0: clients that do not know of it think they have seen all.</summary>
    [Range(0, int.MaxValue)]
    public int CommandMessages { get; set; }

    /// <summary>
    /// Messages that a large STORE, EXPUNGE or MOVE changes by one commit; the rest follows in further ones. Default 2000: whoever shares the mailbox, or the usage of its account, waits
    /// for one of them, some 10 to 50 ms, and each costs a flush of PostgreSQL's log.
    /// </summary>
    [Range(1, 1_000_000)]
    public int SliceMessages { get; set; } = 2000;

    /// <summary>Octets of the value of an annotation of a message (ANNOTATE, RFC 5257). Default 16384: more is a file, not a note.</summary>
    [Range(1024, 32768)]
    public int AnnotationOctets { get; set; } = 16_384;

    /// <summary>Annotations that a message may have: shared ones, and as many of each of its readers. Default 100: a client that loops must not fill the account.</summary>
    [Range(10, 1000)]
    public int MessageAnnotations { get; set; } = 100;

    /// <summary>Accounts that IMAP clients may watch at once with NOTIFY; more are answered NO [NOTIFICATIONOVERFLOW]. Default 10000: some KB each, and a call to its owner every 15 s.</summary>
    [Range(0, 10_000_000)]
    public int WatchedAccounts { get; set; } = 10_000;

    /// <summary>IMAP connections that may be compressed at once; more are answered NO [LIMIT]. Default 10000: each keeps some 65 KB for what its client sends.</summary>
    [Range(0, 10_000_000)]
    public int CompressedConnections { get; set; } = 10_000;

    /// <summary>Seconds from an IMAP or POP3 connection to its log-in. Default 60: time for a password to be typed, not for a connection to be parked.</summary>
    [Range(5, 3600)]
    public int LoginSeconds { get; set; } = 60;

    /// <summary>
    /// Seconds that a command or a delivery waits while PostgreSQL or the owner of a mailbox can't be reached; then it is refused with
    /// NO [UNAVAILABLE] or 451, and the session lives on. Default 10: a frozen node is replaced in 6, and mail clients give up after half a minute.
    /// </summary>
    [Range(1, 300)]
    public int CommandSeconds { get; set; } = 10;

    internal TimeSpan CommandTime => TimeSpan.FromSeconds(CommandSeconds);

    /// <summary>
    /// Percent of its time that the task which indexes texts for SEARCH works, the rest are pauses; 0 makes no index, and every search of texts reads the mail. Default 50, which is some
    /// 5,000 messages a second. Only mail that is searched is indexed, behind the first search of it.
    /// </summary>
    [Range(0, 100)]
    public int SearchIndexPercent { get; set; } = 50;

    /// <summary>Minutes without an IMAP command, never in IDLE. Default 30: the least that RFC 9051 §5.4 allows.</summary>
    [Range(1, 1440)]
    public int IdleMinutes { get; set; } = 30;

    /// <summary>Minutes without a POP3 command. Default 10: the least that RFC 1939 §3 allows; a client that has gone without a word keeps the lock of its maildrop that long.</summary>
    [Range(10, 1440)]
    public int Pop3IdleMinutes { get; set; } = 10;

    /// <summary>Seconds between two POP3 log-ins of an account at least, told as LOGIN-DELAY (RFC 2449 §6.5); the same on all nodes. Default 0: none; a poll costs little.</summary>
    [Range(0, 86_400)]
    public int Pop3LoginDelaySeconds { get; set; }
}

/// <summary>The certificate of the IMAP, POP3 and LMTP doors.</summary>
public sealed class TlsSection
{
    /// <summary>PEM file with the certificate and its chain. Default: none, which means no STARTTLS, no IMAPS and no POP3S. Read again when it changes.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file with the private key. Default: the certificate's file.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// PEM file with the authorities of client certificates. Default: none, and clients are asked for no certificate. With it a client may log in by SASL EXTERNAL as the address in its certificate,
    /// where the tenant's policy names EXTERNAL: these authorities can make any user of those tenants.
    /// </summary>
    public string? ClientAuthorities { get; set; }

    /// <summary>
    /// Directory with further certificates, one NAME.pem each (the chain, then the key, or the key in NAME.key), for the names that are in them: clients get the one of the name that
    /// they ask for (SNI), or else Tls:Certificate. Default: none. Looked at every 30 s: files may come, change and go while the node runs.
    /// </summary>
    public string? Directory { get; set; }
}

/// <summary>Ways to log in, on all doors.</summary>
public sealed class LoginSection
{
    /// <summary>
    /// SASL mechanisms in the order in which they are offered: SCRAM-SHA-256 (its -PLUS form comes with it), SCRAM-SHA-1, OAUTHBEARER, XOAUTH2, PLAIN, LOGIN. Default (empty): SCRAM-SHA-256, PLAIN, LOGIN,
    /// which every account can use; add the others where tenants have token issuers or keep SCRAM-SHA-1 verifiers.
    /// </summary>
    [Mechanisms]
    public string[] Mechanisms { get; set; } = [];
}

/// <summary>How the node goes down at SIGTERM or SIGINT.</summary>
public sealed class ShutdownSection
{
    /// <summary>Seconds for running commands to finish before their connections are closed. Default 20: below systemd's 90 with room for the silo's own end.</summary>
    [Range(0, 600)]
    public int DrainSeconds { get; set; } = 20;
}

/// <summary>Logs, on standard output.</summary>
public sealed class LogSection
{
    /// <summary>Trace, Debug, Information, Warning, Error. Default Information: one line a log-in and one a delivery.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>One JSON object a line instead of text, but for the one that begins with "ready". Default false; for log collectors.</summary>
    public bool Json { get; set; }
}

/// <summary>What silos remove when nobody needs it any more. One silo at a time does it.</summary>
public sealed class MaintenanceSection
{
    /// <summary>Minutes between runs. Default 60: each removes what an hour left.</summary>
    [Range(1, 1440)]
    public int EveryMinutes { get; set; } = 60;

    /// <summary>Seconds between runs, in place of EveryMinutes, the first of them after so many as well. Default 0: EveryMinutes counts. For tests.</summary>
    [Range(0, 3600)]
    public int EverySeconds { get; set; }

    /// <summary>
    /// Days that expunged messages are kept, and that the log of changes tells returning clients what is gone. Default 90: whoever was
    /// away longer gets the complement of what exists (RFC 7162 §3.2.6).
    /// </summary>
    [Range(1, 3650)]
    public int ExpungedDays { get; set; } = 90;

    /// <summary>
    /// Seconds that they are kept, in place of ExpungedDays: rows are removed one by one then, not by days. Default 0: ExpungedDays counts. For tests of
    /// clients that were away too long.
    /// </summary>
    [Range(0, 86_400)]
    public int ExpungedSeconds { get; set; }

    /// <summary>Hours until a stored body that no message took is removed. Default 24: longer than any upload or delivery lasts.</summary>
    [Range(1, 240)]
    public int StagedHours { get; set; } = 24;
}
