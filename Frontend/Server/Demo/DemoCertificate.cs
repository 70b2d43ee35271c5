using System.Security.Cryptography.X509Certificates;
using MailCluster.Net;

namespace MailCluster.Server.Demo;

/// <summary>The demo's own certificate, kept in DIR/certificate.pem with its key, so that a client that was told to trust it goes on doing so.</summary>
internal static class DemoCertificate
{
    private const string Name = "certificate.pem";

    /// <returns>The file's path.</returns>
    public static string Ensure(string directory)
    {
        var path = Path.Combine(directory, Name);
        if (File.Exists(path) && X509Certificate2.CreateFromPem(File.ReadAllText(path)).NotAfter > DateTime.Now.AddDays(7))
        {
            return path;
        }
        var certificate = new SelfSignedCertificate("localhost", "127.0.0.1", "::1").Certificate;
        using var key = certificate.GetECDsaPrivateKey()!;
        var fresh = path + ".new";
        File.Delete(fresh);
        using (var file = new StreamWriter(fresh, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        }
        File.Move(fresh, path, overwrite: true);
        return path;
    }
}
