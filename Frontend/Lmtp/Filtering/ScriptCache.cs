using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sieve;

namespace MailCluster.Lmtp.Filtering;

/// <summary>Compiled scripts by the hash of their source, those that were used last: what a hash means never changes, so that nothing here can be out of date.</summary>
internal sealed class ScriptCache(FilterOptions options)
{
    /// <summary>What an octet of source takes when it is compiled, at most.</summary>
    private const int Growth = 40;

    private readonly RecentlyUsed<Guid, Compiled> _compiled = new(options.CacheOctets);

    public bool TryGet(Guid hash, out Compiled compiled)
    {
        bool found = _compiled.TryGet(hash, out Compiled? known);
        compiled = known!;
        return found;
    }

    public Compiled Compile(StoredScript stored)
    {
        if (TryGet(stored.Hash, out Compiled known))
            return known;
        Compiled compiled;
        try
        {
            compiled = new Compiled(SieveScript.Compile(stored.Source, options.Outgoing, options.Limits), null);
        }
        catch (SieveSyntaxException e)
        {
            compiled = new Compiled(null, e.Problem.ToString());
        }
        _compiled.Add(stored.Hash, compiled, 1024L + (stored.Source.Length * Growth));
        return compiled;
    }
}

/// <summary>A script, or what is wrong with it.</summary>
internal sealed record Compiled(SieveScript? Script, string? Problem);
