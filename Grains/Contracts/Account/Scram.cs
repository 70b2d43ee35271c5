namespace MailCluster.Contracts;

/// <summary>The hash of a SCRAM mechanism (RFC 5802, RFC 7677).</summary>
public enum ScramHash
{
    Sha256 = 0,

    Sha1,
}

/// <summary>What a client needs to make its proof of: the same for a user at any time, also for one that has no verifier or does not exist.</summary>
[GenerateSerializer, Immutable, Alias("ScramParameters")]
public sealed record ScramParameters([property: Id(0)] byte[] Salt, [property: Id(1)] int Iterations);

/// <summary>A client's proof that it knows a password (RFC 5802 §3).</summary>
[GenerateSerializer, Immutable, Alias("ScramProof")]
public sealed record ScramProof([property: Id(0)] ScramHash Hash, [property: Id(1)] byte[] AuthMessage, [property: Id(2)] byte[] Proof);
