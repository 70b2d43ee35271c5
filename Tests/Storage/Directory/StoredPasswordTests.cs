using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

/// <summary>Hashes of other systems: published vectors, and what other programs made.</summary>
public sealed class StoredPasswordTests
{
    // SHA-crypt: the specification's own vectors; the others by libxcrypt, doveadm pw and Python's hashlib.
    [Theory]
    [InlineData("Hello world!", "{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", false)]
    [InlineData("Hello world!", "{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5")]
    [InlineData("Hello world!", "{CRYPT}$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA")]
    [InlineData("This is just a test", "{SHA256-CRYPT}$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5")]
    [InlineData("Hello world!", "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")]
    [InlineData("a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "{SHA512-CRYPT}$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1")]
    [InlineData("secret", "{SHA512-CRYPT}$6$xQpNgbipwG8ZQXJo$F/e2YhY3g45Vaauv3wqU9GkS5X81vY0geylAUU1ejHt9HNIg/oBa.MUSfefb7ge0Wpr2xuRemqymbahJO5vfr.")]
    [InlineData("password", "{MD5-CRYPT}$1$12345678$o2n/JiO/h5VviOInWJ4OQ/")]
    [InlineData("Grüße", "{MD5-CRYPT}$1$abc$DzsGUicrm/y453BQ4Ly86/")]
    [InlineData("secret", "{MD5-CRYPT}$1$IoePWnG5$5MUdiFoy6kXf34Tl73JF60")]
    [InlineData("pässwörd", "{BLF-CRYPT}$2b$05$CCCCCCCCCCCCCCCCCCCCC.VbkrrNItU.9NIb/IkEA2mwWrOjK5F3G")]
    [InlineData("U*U", "{CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("secret", "{BLF-CRYPT}$2y$05$Dgnj5O3WVRFP30T5XqyoaeWmSZH35OMVYTByOEi3tpbe1VzyatP/.")]
    [InlineData("secret", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$eMUm5PVKWQkTVSedbbEhhQ$VqktaFd7nRatjxZvniuPJ3f3hWxpyxITGRsv+13pL/k")]
    [InlineData("secret", "{PBKDF2}$1$iD7Ix33Qc5Q5ILUR$5000$1166b5f288e9488f163e5a6a0a619438ab708ee8")]
    [InlineData("secret", "{PBKDF2-SHA256}29000$MDEyMzQ1Njc4OWFiY2RlZg$aQOdhWy9q87h1Y13loIh9irlXgv2WqcdeMcUgrd9rJ4")]
    [InlineData("secret", "{PBKDF2-SHA256}$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZg$aQOdhWy9q87h1Y13loIh9irlXgv2WqcdeMcUgrd9rJ4")]
    [InlineData("secret", "{PBKDF2-SHA512}1000$MDEyMzQ1Njc4OWFiY2RlZg$vgFvU7zWIDgDAUi7d8ayt.cfRiPWVVWfv8iQRsGZaZviWzsSNgWYXEE5PmvI/VELMsOmEbqLz0PKuePNjOk41A")]
    [InlineData("secret", "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0")]
    [InlineData("secret", "{ssha256}+E+iFJ27Yu1ODPH1UNKUmzOmUT06dwfghQJRHHnMsO5zYWx0")]
    [InlineData("secret", "{SSHA512}E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uL3NhbHQ=")]
    [InlineData("secret", "{SSHA512}L9YYpPbOS4WIpzAGjTep7Qe0n6vK/c/IottDNq8rRJ7XFOks/Qk2cmGKXudxIGOJx0NoWUSIyY8mGKRDl94a1dse3Ok=")]
    [InlineData("secret", "{SMD5}mc0uWpXVVe5747A4pKhGJXNhbHQ=")]
    [InlineData("secret", "{SHA.HEX}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4")]
    public void Hashes(string password, string hash, bool right = true)
    {
        NewPassword stored = StoredPassword.Of(hash);
        Assert.Equal((hash, null), (stored.Stored, stored.Error));
        Assert.True(StoredPassword.IsForeign(hash));
        Assert.Equal(right, StoredPassword.Verify(password, hash));
        Assert.False(StoredPassword.Verify(password + "x", hash));
        Assert.False(StoredPassword.Verify("", hash));
    }

    [Fact]
    public void A_verifier_as_Dovecot_writes_it_is_one_of_ours()
    {
        NewPassword stored = StoredPassword.Of("{SCRAM-SHA-256}4096,ceDT5fcYTBrF/n55rt7Bbw==,Ro9Pa3vDprVruauQyxy2eoUnnJ32C5Ix+9jijjnPyOk=,l/NwwftElfFULwUqIe9e89a0kT4jee6a3Zr3zIzri8A=");
        Assert.False(StoredPassword.IsForeign(stored.Stored!));
        Assert.True(StoredPassword.Verify("secret", stored.Stored!));
    }

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("{PLAIN}{SSHA}x", "{SSHA}x")]
    [InlineData("{not a scheme}", "{not a scheme}")]
    [InlineData("{", "{")]
    public void A_password_in_clear_becomes_verifiers(string given, string password)
    {
        NewPassword stored = StoredPassword.Of(given);
        Assert.True(ScramVerifier.IsVerifier(stored.Stored!) && ScramVerifier.Verify(password, stored.Stored!));
        Assert.Equal(ScramHash.Sha1, ScramVerifier.Parse(stored.Sha1)!.Hash);
        Assert.True(ScramVerifier.Verify(password, stored.Sha1!));
    }

    [Theory]
    [InlineData("{DES-CRYPT}abJnggxhB/yWI", "not known")]
    [InlineData("{SSHA}!!!", "not well formed")]
    [InlineData("{SSHA}c2hvcnQ=", "not well formed")]
    [InlineData("{SHA512-CRYPT}$6$salt$short", "not well formed")]
    [InlineData("{ARGON2ID}$argon2id$v=19$m=65536,t=3$eMUm5PVKWQkTVSedbbEhhQ$VqktaFd7nRatjxZvniuPJ3f3hWxpyxITGRsv+13pL/k", "not well formed")]
    [InlineData("{SHA512-CRYPT}$6$rounds=900000$salt$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "takes too long")]
    [InlineData("{BLF-CRYPT}$2y$31$Dgnj5O3WVRFP30T5XqyoaeWmSZH35OMVYTByOEi3tpbe1VzyatP/.", "takes too long")]
    [InlineData("{ARGON2ID}$argon2id$v=19$m=4194304,t=3,p=1$eMUm5PVKWQkTVSedbbEhhQ$VqktaFd7nRatjxZvniuPJ3f3hWxpyxITGRsv+13pL/k", "takes too much")]
    [InlineData("{ARGON2ID}$argon2id$v=19$m=65536,t=300,p=1$eMUm5PVKWQkTVSedbbEhhQ$VqktaFd7nRatjxZvniuPJ3f3hWxpyxITGRsv+13pL/k", "takes too much")]
    [InlineData("{PBKDF2-SHA256}99000000$MDEyMzQ1Njc4OWFiY2RlZg$aQOdhWy9q87h1Y13loIh9irlXgv2WqcdeMcUgrd9rJ4", "takes too long")]
    public void What_is_not_accepted_says_why_and_lets_nobody_in(string hash, string reason)
    {
        NewPassword stored = StoredPassword.Of(hash);
        Assert.Null(stored.Stored);
        Assert.Contains(reason, stored.Error);
        // Also where it came into the directory in another way.
        Assert.False(StoredPassword.Verify("secret", hash));
    }

    [Fact]
    public void Application_passwords_are_typed_with_hyphens_or_without()
    {
        string password = AppPassword.Generate();
        Assert.Matches("^[a-z2-9]{5}(-[a-z2-9]{5}){4}$", password);
        Assert.Equal(AppPassword.HashOf(password), AppPassword.HashOf(password.Replace('-', ' ')));
        Assert.NotEqual(AppPassword.HashOf(password), AppPassword.HashOf(AppPassword.Generate()));
    }
}
