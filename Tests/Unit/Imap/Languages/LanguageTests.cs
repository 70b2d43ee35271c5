using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Languages;

/// <summary>LANGUAGE (RFC 5255 §3): which language texts for people are in is a session's choice.</summary>
[Covers("LANGUAGE")]
public sealed class LanguageTests
{
    private const string All = "* LANGUAGE (i-default en de fr es it nl pt)";

    /// <summary>The example of §3.2, with the languages and namespaces that there are.</summary>
    [Fact]
    public async Task Is_told_and_chosen()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { Language = "de" });
        mail.Owner.Account = mail.Owner.Account with { Shares = true };
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("A002 LANGUAGE MUL", "A003 LANGUAGE", "C001 LANGUAGE DE", "D001 LANGUAGE JA", "D002 LANGUAGE DE-IT", "E000 LANGUAGE en", "D003 LANGUAGE \"default\"", "E001 LANGUAGE JA-JP EN-CA", "F001 NAMESPACE", "G001 LANGUAGE i-default");
        await c.Expect(
            "A002 NO None of these languages is known",
            All, "A003 OK The languages that there are",
            "* LANGUAGE (de)",
            "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\" \"TRANSLATION\" (\"Andere Benutzer/\"))) ((\"Shared Folders/\" \"/\" \"TRANSLATION\" (\"Gemeinsame Ordner/\")))",
            "C001 OK Texte sind jetzt deutsch",
            // It fails in the language that was chosen before.
            "D001 NO Keine dieser Sprachen ist bekannt",
            "* LANGUAGE (de)", "* NAMESPACE …", "D002 OK Texte sind jetzt deutsch",
            "* LANGUAGE (en)", "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared Folders/\" \"/\"))", "E000 OK Texts are in English now",
            "* LANGUAGE (de)", "* NAMESPACE …", "D003 OK Texte sind jetzt deutsch",
            "* LANGUAGE (en)", "* NAMESPACE …", "E001 OK Texts are in English now",
            "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared Folders/\" \"/\"))", "F001 OK NAMESPACE completed",
            "* LANGUAGE (i-default)", "* NAMESPACE …", "G001 OK Texts are in English now");
    }

    [Theory]
    [InlineData("de", "de")]
    [InlineData("DE-AT", "de")]
    [InlineData("\"de-*-AT\"", "de")]
    [InlineData("ja en-GB-oed", "en")]
    [InlineData("fr-x-y", "fr")]
    [InlineData("\"*\" es", "es")]
    [InlineData("ja \"*-CH\"", "pt")]
    [InlineData("default de", "pt")]
    [InlineData("DEFAULT", "pt")]
    [InlineData("I-Default", "i-default")]
    [InlineData("i-klingon nl", "nl")]
    [InlineData("\"it\" de", "it")]
    [InlineData("{2+}\r\nfr", "fr")]
    [InlineData("i", null)]
    [InlineData("dex x-de", null)]
    public async Task The_first_range_that_has_a_language_chooses(string ranges, string? chosen)
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { Language = "pt" });
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a LANGUAGE " + ranges);
        if (chosen is null)
            await c.No("a");
        else
            await c.Expect($"* LANGUAGE ({chosen})", "a OK …");
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("de-")]
    [InlineData("-de")]
    [InlineData("d3")]
    [InlineData("abcdefghi")]
    [InlineData("de_DE")]
    [InlineData("(de)")]
    [InlineData("de  fr")]
    [InlineData("\"d\u00e9\"")]
    [InlineData("*")]
    [InlineData("\"**\"")]
    public async Task Bad(string arguments)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a LANGUAGE " + arguments, "b LANGUAGE " + string.Join(' ', Enumerable.Repeat("ja", 51)), "c NOOP", "d LANGUAGE de", "e LANGUAGE " + arguments);
        await c.Expect("a BAD LANGUAGE: …", "b BAD LANGUAGE: Too many language ranges", "c OK NOOP completed", "* LANGUAGE (de)", "* NAMESPACE …", "d OK …", "e BAD LANGUAGE: …");
    }

    /// <summary>§3.1: in all states, and from before a log-in on; also what comes unasked and what the mail store says. Codes and names stay.</summary>
    [Fact]
    public async Task All_that_people_read_is_in_it()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a LANGUAGE fr", "b SELECT INBOX", "c LOGIN alice wrong", "d LOGIN alice secret", "e NOOP", "f SELECT nothing", "g FETCH", "h SELECT INBOX", "h FETCH", "i UID FETCH 0 FLAGS", "j XYZZY", "k CREATE INBOX", "l IDLE");
        await c.Expect(Wire("* LANGUAGE (fr)", "a OK Les textes sont désormais en français", "b BAD SELECT: Connectez-vous d'abord", "c NO [AUTHENTICATIONFAILED] Échec de l'authentification.", "d OK [CAPABILITY …] Connecté", "e OK NOOP terminé",
            "f NO [NONEXISTENT] …", "g BAD FETCH: Non autorisé dans cet état", "* FLAGS …", "* OK [PERMANENTFLAGS …] Drapeaux qui peuvent être enregistrés", "* 0 EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY …] Les UID sont valides",
            "* OK [UIDNEXT …] Le prochain UID", "* OK [HIGHESTMODSEQ …] La plus haute", "* OK [MAILBOXID …] L'identifiant de la boîte", "h OK [READ-WRITE] SELECT terminé", "h BAD FETCH: Attendu : une espace", "i BAD UID FETCH: …", "j BAD XYZZY: Commande inconnue",
            "k NO [ALREADYEXISTS] …", "+ en attente"));
        await c.Send("DONE", "m LOGOUT");
        await c.Expect(Wire("l OK IDLE terminé", "* BYE Déconnexion", "m OK LOGOUT terminé"));
    }

    /// <summary>What is chosen is kept by ENABLE, COMPRESS and a log-in, and forgotten where all that was learnt is: when TLS begins (RFC 9051 §6.2.1), and with UNAUTHENTICATE (RFC 8437 §3).</summary>
    [Fact]
    public async Task Is_kept_and_forgotten()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true);
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a LANGUAGE es");
        await c.Send("b STARTTLS");
        await c.Expect("b OK Comience TLS ahora");
        await c.StartTls();
        await c.Send("a NOOP", "b LANGUAGE es", "c AUTHENTICATE PLAIN " + UnauthenticateTests.AsOperator("alice"));
        await c.Expect("a OK NOOP completed", "* LANGUAGE (es)", "b OK …", "c OK [CAPABILITY …] …");
        await c.Send("d ENABLE UTF8=ACCEPT", "e COMPRESS DEFLATE");
        await c.Expect("* ENABLED UTF8=ACCEPT", "d OK ENABLE completado", "e OK DEFLATE activo");
        c.StartDeflate();
        await c.Send("f COMPRESS DEFLATE", "g UNAUTHENTICATE");
        await c.Expect(Wire("f NO [COMPRESSIONACTIVE] La compresión ya está activa", "g OK [CAPABILITY …] Who are you now?"));
        await c.EndDeflate();
        await c.Send("h NOOP", "i LANGUAGE es", "j NOOP");
        await c.Expect("h OK NOOP completed", "* LANGUAGE (es)", "i OK …", "j OK NOOP completado");
    }

    /// <summary>§3.4: the name that people read is encoded as names of mailboxes are in the session; one that a tenant has chosen is its own.</summary>
    [Fact]
    public async Task Namespaces_have_names_in_it()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Account = mail.Owner.Account with { Shares = true, SharedFolders = "Regale" };
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a LANGUAGE pt", "b LANGUAGE fr", "c NAMESPACE");
        await c.Expect("* LANGUAGE (pt)", "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\" \"TRANSLATION\" (\"Outros utilizadores/\"))) ((\"Regale/\" \"/\"))", "a OK …", "* LANGUAGE (fr)",
            "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\" \"TRANSLATION\" (\"Autres utilisateurs/\"))) ((\"Regale/\" \"/\"))", "b OK …", "* NAMESPACE …", "c OK …");
    }

    /// <summary>Two sessions of a user have each its own.</summary>
    [Fact]
    public async Task Is_one_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient a = await mail.LogInAsync(), b = await mail.LogInAsync(), gone = await mail.LogInAsync();
        await a.Run("a LANGUAGE nl");
        await b.Run("b LANGUAGE it");
        await a.Run("a CREATE Work");
        await a.Run("a SELECT Work");
        await b.Run("b SELECT Work");
        await gone.Run("c DELETE Work");
        await a.Send("a NOOP");
        await a.Expect("* BYE Het geselecteerde postvak is verwijderd", "a NO [NONEXISTENT] Het postvak is weg");
        await b.Send("b NOOP");
        await b.Expect(Wire("* BYE La casella selezionata è stata eliminata", "b NO [NONEXISTENT] La casella non c'è più"));
    }

    /// <summary>Lines as they are read from the wire, where each octet is a character.</summary>
    private static string[] Wire(params string[] lines) =>
        [.. lines.Select(static l => string.Join('…', l.Split('…').Select(static part => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(part)))))];
}
