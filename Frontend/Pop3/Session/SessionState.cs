using MailCluster.Cluster;

namespace MailCluster.Pop3.Session;

/// <summary>Where a session stands (RFC 1939 section 3); each state carries what only it has.</summary>
internal abstract record SessionState;

/// <summary>AUTHORIZATION.</summary>
/// <param name="User">What USER named; null where a PASS would be out of turn.</param>
internal sealed record Authorization(string? User = null) : SessionState;

/// <summary>TRANSACTION.</summary>
internal sealed record Transaction(LiveSession Live, Maildrop Maildrop) : SessionState;

/// <summary>UPDATE is over, or never came: the connection closes.</summary>
internal sealed record Ended : SessionState;
