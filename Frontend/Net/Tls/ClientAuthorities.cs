using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MailCluster.Net;

/// <summary>Whose certificates clients may show (RFC 8446 §4.3.2): a listener that has it asks for one, and a client may have none.</summary>
/// <param name="roots">The authorities that are trusted, and intermediates between them and clients.</param>
public sealed class ClientAuthorities(X509Certificate2Collection roots)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string SubjectAlternativeName = "2.5.29.17";

    /// <summary>Authorities from a PEM file. Throws <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/> or <see cref="CryptographicException"/> where it is not usable.</summary>
    public static ClientAuthorities FromFile(string path)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(path);
        return roots.Count > 0 ? new ClientAuthorities(roots) : throw new CryptographicException($"There is no certificate in {path}.");
    }

    /// <summary>
    /// The mail addresses that a client's certificate is for: its subjectAltName's, or where it has none that of its subject. Empty for one that is not valid now, is not for clients,
    /// or is of nobody who is trusted. Revocation is not asked for: authorities for mail users hand out certificates that do not live long.
    /// </summary>
    public IReadOnlyList<string> AddressesOf(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        if (!chain.Build(certificate))
            return [];
        if (certificate.Extensions.FirstOrDefault(static e => e.Oid?.Value == SubjectAlternativeName) is { } names && Mailboxes(names.RawData) is { Count: > 0 } addresses)
            return addresses;
        return certificate.GetNameInfo(X509NameType.EmailName, forIssuer: false) is { Length: > 0 } subject ? [subject] : [];
    }

    // GeneralNames, of which rfc822Name [1] IA5String is meant (RFC 5280 §4.2.1.6).
    private static List<string> Mailboxes(byte[] der)
    {
        var found = new List<string>();
        try
        {
            AsnReader names = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                Asn1Tag tag = names.PeekTag();
                if (tag.HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 1)))
                    found.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                else
                    names.ReadEncodedValue();
            }
        }
        catch (AsnContentException)
        {
            // What its authority has signed is no list of names: then it names nobody.
            found.Clear();
        }
        return found;
    }
}
