using MailCluster.Contracts;

namespace MailCluster.Lmtp;

/// <summary>One account that a recipient's address leads to.</summary>
/// <param name="Detail">What followed the '+'.</param>
/// <param name="Claim">Its claim of its tenant's staged body.</param>
internal sealed record Target(AccountSettings Settings, string? Detail, int Claim);

/// <summary>An accepted RCPT; it gets one reply after the message.</summary>
internal sealed record AcceptedRecipient(string Address, IReadOnlyList<Target> Targets);

/// <summary>From MAIL to the replies of the recipients, or RSET.</summary>
internal sealed class Transaction(string sender, long? size, bool utf8)
{
    private readonly Dictionary<TenantId, int> _claims = [];
    private readonly List<AcceptedRecipient> _recipients = [];

    /// <summary>Empty for bounces.</summary>
    public string Sender => sender;

    /// <summary>As announced by SIZE.</summary>
    public long? Size => size;

    public bool Utf8 => utf8;

    public IReadOnlyList<AcceptedRecipient> Recipients => _recipients;

    public int Targets { get; private set; }

    /// <summary>How many messages of each tenant will refer to its copy of the body.</summary>
    public IReadOnlyDictionary<TenantId, int> Claims => _claims;

    /// <summary>The message while BDAT chunks come in.</summary>
    public BodyTransfer? Chunks { get; set; }

    public bool WouldExceedTenants(IEnumerable<AccountSettings> accounts, int max) =>
        accounts.Select(static a => a.Tenant).Union(_claims.Keys).Count() > max;

    public void Add(string address, IReadOnlyList<(AccountSettings Settings, string? Detail)> accounts)
    {
        var targets = new Target[accounts.Count];
        for (int i = 0; i < targets.Length; i++)
        {
            (AccountSettings settings, string? detail) = accounts[i];
            int claim = _claims.GetValueOrDefault(settings.Tenant);
            _claims[settings.Tenant] = claim + 1;
            targets[i] = new Target(settings, detail, claim);
        }
        Targets += targets.Length;
        _recipients.Add(new AcceptedRecipient(address, targets));
    }
}
