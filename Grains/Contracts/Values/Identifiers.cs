namespace MailCluster.Contracts;

/// <summary>A tenant: opaque 64-bit number, unique across clusters, never reused.</summary>
[GenerateSerializer, Immutable, Alias("TenantId")]
public readonly record struct TenantId([property: Id(0)] long Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>An account: opaque 64-bit number, unique across clusters, never reused. An account that is renamed keeps it.</summary>
[GenerateSerializer, Immutable, Alias("AccountId")]
public readonly record struct AccountId([property: Id(0)] long Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>A mailbox: opaque 64-bit number. A mailbox that is renamed keeps it; one that is deleted and made again does not (RFC 8474 §4: MAILBOXID).</summary>
[GenerateSerializer, Immutable, Alias("MailboxId")]
public readonly record struct MailboxId([property: Id(0)] long Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>The content of one message in one account (RFC 8474 §5.1: EMAILID): kept by COPY and MOVE inside the account.</summary>
[GenerateSerializer, Immutable, Alias("EmailId")]
public readonly record struct EmailId([property: Id(0)] long Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>Stored raw bytes; shared by all recipients of one delivery inside a tenant.</summary>
[GenerateSerializer, Immutable, Alias("BodyId")]
public readonly record struct BodyId([property: Id(0)] long Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>The address of a mailbox grain: every mail table's primary key starts with the account.</summary>
[GenerateSerializer, Immutable, Alias("MailboxKey")]
public readonly record struct MailboxKey([property: Id(0)] AccountId Account, [property: Id(1)] MailboxId Mailbox) : IComparable<MailboxKey>
{
    /// <summary>The grain's string key: "account/mailbox", both decimal.</summary>
    public override string ToString() => $"{Account.Value}/{Mailbox.Value}";

    /// <summary>The inverse of <see cref="ToString"/>.</summary>
    /// <exception cref="FormatException">The text is no mailbox key.</exception>
    public static MailboxKey Parse(string text)
    {
        int slash = text.IndexOf('/');
        return slash > 0
            && long.TryParse(text.AsSpan(0, slash), out long account)
            && long.TryParse(text.AsSpan(slash + 1), out long mailbox)
            ? new MailboxKey(new AccountId(account), new MailboxId(mailbox))
            : throw new FormatException($"'{text}' is no mailbox key.");
    }

    /// <summary>The order in which rows are locked.</summary>
    public int CompareTo(MailboxKey other) =>
        Account.Value != other.Account.Value ? Account.Value.CompareTo(other.Account.Value) : Mailbox.Value.CompareTo(other.Mailbox.Value);
}

/// <summary>
/// Names one change for as long as its outcome may be asked for: the front-end process that has the command, and a counter there.
/// A retry carries the same id, and the change happens once (or not at all).
/// </summary>
[GenerateSerializer, Immutable, Alias("OperationId")]
public readonly record struct OperationId([property: Id(0)] long Incarnation, [property: Id(1)] long Counter)
{
    public override string ToString() => $"{Incarnation:x}.{Counter}";
}
