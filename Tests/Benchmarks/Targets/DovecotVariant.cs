namespace MailCluster.Benchmarks.Targets;

/// <summary>One of the ways in which Dovecot is run.</summary>
/// <param name="Format">mdbox or maildir.</param>
/// <param name="Fsync">mail_fsync: optimized (Dovecot's default) or always (also what it can make again, such as its indexes and flags).</param>
/// <param name="Tuned">Processes serve more than one connection and wait for the next, the authentication cache is on; false is Dovecot as it comes.</param>
/// <param name="Hibernates">Connections in IDLE are handed to one process that keeps them all.</param>
internal sealed record DovecotVariant(string Name, string Format, string Fsync, bool Tuned, bool Hibernates = false)
{
    public static readonly DovecotVariant MdBox = new("dovecot mdbox", "mdbox", "optimized", true);
    public static readonly DovecotVariant Maildir = new("dovecot maildir", "maildir", "optimized", true);
    public static readonly DovecotVariant MdBoxAlways = new("dovecot mdbox fsync=always", "mdbox", "always", true);
    public static readonly DovecotVariant MaildirAlways = new("dovecot maildir fsync=always", "maildir", "always", true);
    public static readonly DovecotVariant Default = new("dovecot default", "maildir", "optimized", false);
    public static readonly DovecotVariant Hibernating = new("dovecot mdbox hibernating", "mdbox", "optimized", true, true);

    public static readonly IReadOnlyList<DovecotVariant> All = [MdBox, Maildir, MdBoxAlways, MaildirAlways, Default, Hibernating];

    /// <summary>What a work is compared with where nothing else is said.</summary>
    public bool IsUsual => Tuned && !Hibernates && Fsync == "optimized";

    /// <summary>For works that write: fsync makes a difference.</summary>
    public bool IsUsualForWrites => Tuned && !Hibernates;
}
