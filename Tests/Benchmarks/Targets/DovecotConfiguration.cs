using System.Security.Cryptography;
using System.Text;
using MailCluster.Storage.Directories;

namespace MailCluster.Benchmarks.Targets;

/// <summary>
/// A configuration of Dovecot 2.3 that is complete in itself: nothing of /etc/dovecot is read. Everything lies under one directory and listens on 127.0.0.1.
/// </summary>
/// <param name="Directory">Where its mail, sockets and log are.</param>
/// <param name="Certificate">PEM file with certificate and key.</param>
internal sealed record DovecotConfiguration(DovecotVariant Variant, string Directory, string Certificate, int Imap, int Imaps, int Lmtp, int Pop3)
{
    /// <summary>The user of all mail: numeric, so that none must be made.</summary>
    public const int MailUser = 64_143;

    public const string Domain = "test.example";

    /// <summary>Accounts whose password is checked at its full price: those that are named so.</summary>
    public const string FirstLogin = "first-login";

    /// <summary>The file's text.</summary>
    public string Text(string password) =>
        $$"""
        base_dir = {{Directory}}/run
        state_dir = {{Directory}}/state
        log_path = {{Directory}}/dovecot.log
        instance_name = {{Path.GetFileName(Directory)}}
        listen = 127.0.0.1
        protocols = imap lmtp pop3
        hostname = mx.{{Domain}}
        postmaster_address = postmaster@{{Domain}}
        ssl = yes
        ssl_cert = <{{Certificate}}
        ssl_key = <{{Certificate}}
        disable_plaintext_auth = no
        mail_uid = {{MailUser}}
        mail_gid = {{MailUser}}
        first_valid_uid = {{MailUser}}
        last_valid_uid = {{MailUser}}
        mail_home = {{Directory}}/mail/%u
        mail_location = {{(Variant.Format == "mdbox" ? "mdbox:~/mdbox" : "maildir:~/Maildir")}}
        mail_fsync = {{Variant.Fsync}}
        mail_max_userip_connections = 15000
        namespace inbox {
          inbox = yes
          separator = /
        }
        # No lookup costs more than this: the password of the many is what a cached check costs (one salted hash); that of the few has a hash of the
        # strength that the other side has.
        passdb {
          driver = static
          username_filter = {{FirstLogin}}*
          args = password={{Scram(password)}}
          result_failure = return-fail
        }
        passdb {
          driver = static
          args = password={{SaltedSha(password)}}
        }
        userdb {
          driver = static
          args = uid={{MailUser}} gid={{MailUser}} home={{Directory}}/mail/%u allow_all_users=yes
        }
        service imap-login {
          inet_listener imap {
            address = 127.0.0.1
            port = {{Imap}}
          }
          inet_listener imaps {
            address = 127.0.0.1
            port = {{Imaps}}
            ssl = yes
          }
        {{(Variant.Tuned ? LoginTuned : "")}}
        }
        service pop3-login {
          inet_listener pop3 {
            address = 127.0.0.1
            port = {{Pop3}}
          }
          inet_listener pop3s {
            port = 0
          }
        {{(Variant.Tuned ? LoginTuned : "")}}
        }
        service lmtp {
          inet_listener lmtp {
            address = 127.0.0.1
            port = {{Lmtp}}
          }
        {{(Variant.Tuned ? LmtpTuned : "")}}
        }
        {{(Variant.Tuned ? Tuned : "")}}
        {{(Variant.Hibernates ? Hibernating : "")}}
        """;

    // "High-performance mode" of Dovecot's manual: login processes serve any number of connections, one for each processor.
    private static string LoginTuned =>
        $"""
          service_count = 0
          client_limit = 15000
          process_min_avail = {Environment.ProcessorCount}
          process_limit = {Environment.ProcessorCount}
          vsz_limit = 2G
        """;

    // As many as deliver at once; they serve any number of connections already.
    private const string LmtpTuned =
        """
          process_min_avail = 8
          vsz_limit = 2G
        """;

    private const string Tuned =
        """
        service imap {
          service_count = 10000
          process_min_avail = 8
          process_limit = 12000
          vsz_limit = 2G
        }
        service pop3 {
          service_count = 10000
          process_min_avail = 1
          vsz_limit = 2G
        }
        service auth {
          client_limit = 15000
          vsz_limit = 2G
        }
        service anvil {
          client_limit = 15000
        }
        service stats {
          client_limit = 15000
        }
        default_client_limit = 15000
        auth_cache_size = 64M
        auth_cache_ttl = 1 hour
        # Nobody else writes to the maildirs: what new/ and cur/ hold is known without looking again.
        maildir_very_dirty_syncs = yes
        mdbox_rotate_size = 64M
        """;

    private const string Hibernating =
        """
        imap_hibernate_timeout = 1s
        # The process of a connection that hibernates must end, or its memory would stay.
        service imap {
          unix_listener imap-master {
            user = dovecot
          }
          service_count = 1
          process_min_avail = 0
        }
        service imap-hibernate {
          unix_listener imap-hibernate {
            mode = 0666
          }
          client_limit = 15000
        }
        """;

    // Dovecot's form of the verifier that the other side keeps: {SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey.
    private static string Scram(string password)
    {
        string[] parts = ScramVerifier.Create(password).Split('$', ':');
        return $"{{SCRAM-SHA-256}}{parts[1]},{parts[2]},{parts[3]},{parts[4]}";
    }

    private static string SaltedSha(string password)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(8);
        byte[] hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(password), .. salt]);
        return "{SSHA256}" + Convert.ToBase64String([.. hash, .. salt]);
    }
}
