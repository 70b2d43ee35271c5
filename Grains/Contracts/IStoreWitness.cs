using Orleans.Runtime;

namespace MailCluster.Contracts;

/// <summary>
/// A word from whichever silo it happens to run on: whether PostgreSQL can be read there. A silo that cannot read it asks, with keys that nobody used before, so as to
/// learn whether it is alone. Needs no PostgreSQL, but for <see cref="Bury"/>. Fails with Orleans' exceptions only.
/// </summary>
[Alias("MailCluster.IStoreWitness")]
public interface IStoreWitness : IGrainWithGuidKey
{
    [Alias("Look")]
    ValueTask<StoreSighting> Look();

    /// <summary>
    /// Declares a silo dead that asks for it itself, being about to end and unable to write so into the membership: nobody need find out by probing it.
    /// False where it could not be done; then the others find out.
    /// </summary>
    [Alias("Bury")]
    ValueTask<bool> Bury(SiloAddress silo);
}

/// <param name="Silo">The silo that answers.</param>
/// <param name="Sees">It has read its row of the membership within the last second.</param>
[GenerateSerializer, Immutable, Alias("StoreSighting")]
public readonly record struct StoreSighting([property: Id(0)] string Silo, [property: Id(1)] bool Sees);
