using System.Text;
using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>How batches become parameters of the commit functions.</summary>
internal static class CommitParameters
{
    /// <summary>A single value; null is NULL.</summary>
    public static void Add<T>(this NpgsqlParameterCollection parameters, NpgsqlDbType type, T value) =>
        parameters.Add(new NpgsqlParameter<T> { NpgsqlDbType = type, TypedValue = value });

    /// <summary>An array with a value of each item.</summary>
    public static void Add<TItem, TValue>(this NpgsqlParameterCollection parameters, NpgsqlDbType type, IReadOnlyList<TItem> items, Func<TItem, TValue> value)
    {
        var array = new TValue[items.Count];
        for (int i = 0; i < array.Length; i++)
            array[i] = value(items[i]);
        parameters.Add(new NpgsqlParameter<TValue[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = array });
    }

    /// <summary>Two arrays that tell, for each item, where its part of a flattened array begins (from 1) and how long it is.</summary>
    public static void AddSlices<TItem>(this NpgsqlParameterCollection parameters, IReadOnlyList<TItem> items, Func<TItem, int> count)
    {
        int next = 1;
        var first = new int[items.Count];
        for (int i = 0; i < first.Length; i++)
        {
            first[i] = next;
            next += count(items[i]);
        }
        Add(parameters, NpgsqlDbType.Integer, first, static f => f);
        Add(parameters, NpgsqlDbType.Integer, items, count);
    }

    /// <summary>Half a surrogate pair can't be sent, and would break the connection under the whole batch: it becomes U+FFFD.</summary>
    public static string? Clean(string? text) =>
        text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text!));

    /// <summary>The first UID that no session was told to be \Recent, of each of the mailboxes, as the last of the operations has it.</summary>
    public static long?[] FirstRecents(IReadOnlyList<CommitOperation> operations, IReadOnlyDictionary<MailboxKey, int> places)
    {
        var recents = new long?[places.Count];
        foreach (CommitOperation o in operations)
            recents[places[o.Mailbox] - 1] = o.FirstRecent ?? recents[places[o.Mailbox] - 1];
        return recents;
    }

    /// <summary>Counted from 1, as PostgreSQL does.</summary>
    public static Dictionary<T, int> Places<T>(T[] items) where T : notnull
    {
        var places = new Dictionary<T, int>(items.Length);
        for (int i = 0; i < items.Length; i++)
            places.Add(items[i], i + 1);
        return places;
    }
}
