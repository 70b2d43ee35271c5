namespace MailCluster.Contracts;

/// <summary>
/// One operator: who logs in as users of some tenants. Key: its name in lower case, or "?" and a number for names that do not exist, which fail after the same time.
/// </summary>
[Alias("MailCluster.IOperatorGrain")]
public interface IOperatorGrain : IGrainWithStringKey
{
    /// <summary>What a SCRAM proof is made of. <paramref name="name"/>: as the client wrote it.</summary>
    [Alias("BeginScram")]
    ValueTask<MailResult<ScramParameters>> BeginScram(string name, ScramHash hash);

    /// <summary>Checks a password or proof as an account does; opens no session. Failures: <see cref="MailErrorCode.AuthenticationFailed"/>, <see cref="MailErrorCode.Limit"/> (too many failures).</summary>
    [Alias("Authenticate")]
    ValueTask<MailResult<OperatorPass>> Authenticate(LoginRequest request);
}

/// <summary>An operator who is who he says he is.</summary>
/// <param name="Tenants">Whose users he may act for; null: all tenants'.</param>
/// <param name="ServerSignature">For a SCRAM proof.</param>
[GenerateSerializer, Immutable, Alias("OperatorPass")]
public sealed record OperatorPass([property: Id(0)] string Name, [property: Id(1)] IReadOnlyList<TenantId>? Tenants, [property: Id(2)] byte[]? ServerSignature);
