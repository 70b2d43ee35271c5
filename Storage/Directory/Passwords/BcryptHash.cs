using System.Globalization;
using Org.BouncyCastle.Crypto.Generators;

namespace MailCluster.Storage.Directories;

/// <summary>bcrypt, $2a$, $2b$ or $2y$, by Bouncy Castle, which reads messages with us anyway.</summary>
internal sealed class BcryptHash(int cost, string value) : PasswordHash
{
    /// <summary>Some seconds of one processor with a slow one; the usual cost is 10 to 12.</summary>
    private const int MaxCost = 14;

    public override string? TooExpensive => cost > MaxCost ? $"A bcrypt hash of cost {cost} takes too long: at most {MaxCost} is accepted." : null;

    /// <summary>$2y$cost$salt and hash</summary>
    public static new BcryptHash? Parse(string value) =>
        value.Split('$') is ["", "2a" or "2b" or "2y", { Length: 2 } cost, { Length: 53 } rest]
        && int.TryParse(cost, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) && rounds is >= 4 and <= 31 && ModularCrypt.IsEncoded(rest)
            ? new BcryptHash(rounds, value) : null;

    public override bool Verify(string password)
    {
        try
        {
            return OpenBsdBCrypt.CheckPassword(value, password.ToCharArray());
        }
        catch (ArgumentException)
        {
            // Bits at the end that no encoder writes.
            return false;
        }
    }
}
