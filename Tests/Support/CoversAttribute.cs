namespace MailCluster.Tests.Support;

/// <summary>Which capabilities a class of tests is about, by their names; one that carries a number by its name with "=". A test collects them and compares them with what the server tells.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CoversAttribute(params string[] capabilities) : Attribute
{
    public IReadOnlyList<string> Capabilities => capabilities;
}
