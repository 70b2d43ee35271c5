namespace MailCluster.Contracts;

/// <summary>
/// A word from whichever silo it happens to run on: whether PostgreSQL can be read there. A silo that cannot read it asks, with keys that nobody used before, so as to
/// learn whether it is alone. Needs no PostgreSQL. Fails with Orleans' exceptions only.
/// </summary>
[Alias("MailCluster.IStoreWitness")]
public interface IStoreWitness : IGrainWithGuidKey
{
    [Alias("Look")]
    ValueTask<StoreSighting> Look();
}

/// <param name="Silo">The silo that answers.</param>
/// <param name="Sees">It has read its row of the membership within the last second.</param>
[GenerateSerializer, Immutable, Alias("StoreSighting")]
public readonly record struct StoreSighting([property: Id(0)] string Silo, [property: Id(1)] bool Sees);
