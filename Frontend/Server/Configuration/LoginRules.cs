using System.ComponentModel.DataAnnotations;
using MailCluster.Sasl;

namespace MailCluster.Server.Configuration;

/// <summary>Every value is a SASL mechanism that is known here, each once.</summary>
internal sealed class MechanismsAttribute() : ValidationAttribute($"The option '{{0}}' has a value that is not one of {string.Join(", ", SaslOptions.Known)}, or has one twice.")
{
    public override bool IsValid(object? value) => value is string[] names && names.All(SaslOptions.Known.Contains) && names.Distinct().Count() == names.Length;
}
