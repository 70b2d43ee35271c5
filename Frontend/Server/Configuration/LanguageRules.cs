using System.ComponentModel.DataAnnotations;
using MailCluster.Imap.Languages;

namespace MailCluster.Server.Configuration;

/// <summary>The value is the tag of a language that IMAP speaks here.</summary>
internal sealed class ImapLanguageAttribute() : ValidationAttribute($"The option '{{0}}' is not one of {string.Join(", ", Language.All.Select(static l => l.Tag))}.")
{
    public override bool IsValid(object? value) => value is string tag && Language.Find(tag) is not null;
}
