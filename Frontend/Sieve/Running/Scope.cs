namespace MailCluster.Sieve.Running;

/// <summary>The variables of one script (RFC 5229); an included one has its own, and shares those that both call global (RFC 6609 §3.4).</summary>
internal sealed class Scope(SieveLimits limits, Dictionary<string, string> globals)
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _global = new(StringComparer.Ordinal);

    /// <summary>What the last :matches or :regex that was true has found, the whole first.</summary>
    public List<string> Matched { get; set; } = [];

    public string Match(int index) => index < Matched.Count ? Matched[index] : "";

    public string Get(string name) => Store(ref name).GetValueOrDefault(name, "");

    public void Set(string name, string value)
    {
        Dictionary<string, string> store = Store(ref name);
        if (store.Count >= limits.Variables && !store.ContainsKey(name))
            throw new SieveFailure($"more than {limits.Variables} variables");
        store[name] = Cut(value, limits.VariableLength);
    }

    public void DeclareGlobal(string name) => _global.Add(name);

    private Dictionary<string, string> Store(ref string name)
    {
        if (name.StartsWith("global.", StringComparison.Ordinal))
        {
            name = name["global.".Length..];
            return globals;
        }
        return _global.Contains(name) ? globals : _values;
    }

    /// <summary>Not in the middle of a character.</summary>
    private static string Cut(string value, int length) =>
        value.Length <= length ? value : value[..(char.IsHighSurrogate(value[length - 1]) ? length - 1 : length)];
}

/// <summary>The script can't go on: the message goes to INBOX (RFC 5228 §2.10.6), and the owner may see why.</summary>
internal sealed class SieveFailure(string text) : Exception(text);
