using Npgsql;

namespace MailCluster.Storage.Directories;

/// <summary>Short forms for statements that run rarely, with positional parameters of the types that occur here, or as they are where the type can't be seen from the value.</summary>
internal static class Sql
{
    public static async Task<int> ExecuteAsync(this NpgsqlDataSource database, string sql, params object?[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        return await command.With(parameters).ExecuteNonQueryAsync();
    }

    public static async Task<object?> ScalarAsync(this NpgsqlDataSource database, string sql, params object?[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        return await command.With(parameters).ExecuteScalarAsync();
    }

    public static async Task<int> ExecuteAsync(this NpgsqlConnection connection, string sql, params object?[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.With(parameters).ExecuteNonQueryAsync();
    }

    public static async Task<object?> ScalarAsync(this NpgsqlConnection connection, string sql, params object?[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.With(parameters).ExecuteScalarAsync();
    }

    public static async Task<List<T>> ListAsync<T>(this NpgsqlDataSource database, string sql, Func<NpgsqlDataReader, T> read, params object?[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.With(parameters).ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(read(reader));
        return rows;
    }

    public static long? NullableInt64(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    private static NpgsqlCommand With(this NpgsqlCommand command, object?[] parameters)
    {
        foreach (var value in parameters)
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }
}
