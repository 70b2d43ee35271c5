using System.Security.Cryptography;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Demo;

/// <summary>The demo's tenant, domain and accounts. A password that demo.json no longer has is replaced.</summary>
internal sealed class DemoAccounts(TenantStore tenants, AccountStore accounts)
{
    private const string Tenant = "demo";
    private const string Domain = "demo.test";
    private static readonly string[] Users = ["alice@demo.test", "bob@demo.test"];

    /// <param name="known">The accounts of the demo's last run.</param>
    /// <returns>All accounts, and those of them that are new.</returns>
    public async Task<(List<DemoAccount> All, List<DemoAccount> New)> EnsureAsync(IReadOnlyList<DemoAccount> known)
    {
        Expect(await tenants.AddAsync(Tenant));
        Expect(await tenants.AddDomainAsync(Domain, Tenant));
        var all = new List<DemoAccount>();
        var fresh = new List<DemoAccount>();
        foreach (var user in Users)
        {
            var account = known.FirstOrDefault(a => a.User == user) ?? new(user, RandomNumberGenerator.GetHexString(20, lowercase: true));
            all.Add(account);
            if (await accounts.FindAsync(user) is null)
            {
                Expect(await accounts.AddAsync(user, ScramVerifier.Create(account.Password)));
                fresh.Add(account);
            }
            else if (!known.Contains(account))
            {
                Expect(await accounts.SetVerifierAsync(user, ScramVerifier.Create(account.Password)));
            }
        }
        return (all, fresh);
    }

    // From the second start on they are there.
    private static void Expect<T>(MailResult<T> result)
    {
        if (result.Error is { Code: not MailErrorCode.AlreadyExists } error)
        {
            throw new InvalidOperationException(error.Text);
        }
    }
}
