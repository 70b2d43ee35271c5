using System.ComponentModel.DataAnnotations;
using System.Net;

namespace MailCluster.Server.Configuration;

/// <summary>Every value is of the form "address:port".</summary>
internal sealed class EndPointsAttribute() : ValidationAttribute("The option '{0}' has a value that is not of the form address:port.")
{
    // A port of 0 would be a door at a place that nobody knows.
    public override bool IsValid(object? value) => value is string[] texts && texts.All(t => IPEndPoint.TryParse(t, out var endPoint) && endPoint.Port != 0);
}

/// <summary>Every value is of the form "address/bits".</summary>
internal sealed class NetworksAttribute() : ValidationAttribute("The option '{0}' has a value that is not of the form address/bits.")
{
    public override bool IsValid(object? value) => value is string[] texts && texts.All(t => IPNetwork.TryParse(t, out _));
}

/// <summary>The value is an IP address.</summary>
internal sealed class AddressAttribute() : ValidationAttribute("The option '{0}' is not an IP address.")
{
    public override bool IsValid(object? value) => value is string text && IPAddress.TryParse(text, out _);
}

/// <summary>The value is of the form "host:port", a name or an address.</summary>
internal sealed class HostAndPortAttribute() : ValidationAttribute("The option '{0}' is not of the form host:port.")
{
    public override bool IsValid(object? value) => value is null || (value is string text && Parse(text) is not null);

    public static (string Host, int Port)? Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), out int port) && port is > 0 and < 65536 ? (text[..colon].Trim('[', ']'), port) : null;
    }
}
