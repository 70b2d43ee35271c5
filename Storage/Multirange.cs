using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage;

/// <summary>UID sets as PostgreSQL's int8multirange.</summary>
internal static class Multirange
{
    /// <summary>The set in column <paramref name="ordinal"/>; empty where it is null.</summary>
    public static UidSet Read(NpgsqlDataReader reader, int ordinal)
    {
        if (reader.IsDBNull(ordinal))
            return UidSet.Empty;
        NpgsqlRange<long>[] ranges = reader.GetFieldValue<NpgsqlRange<long>[]>(ordinal);
        // Discrete ranges come back as [a,b).
        return ranges.Length == 0 ? UidSet.Empty : UidSet.FromRanges(ranges.Where(static r => !r.IsEmpty).Select(static r => new UidRange(
            (uint)(r.LowerBoundIsInclusive ? r.LowerBound : r.LowerBound + 1),
            (uint)(r.UpperBoundIsInclusive ? r.UpperBound : r.UpperBound - 1))));
    }
}
