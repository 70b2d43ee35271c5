using System.Text.Json;
using System.Text.Json.Serialization;
using MailCluster.Server.Configuration;

namespace MailCluster.Server.Demo;

/// <summary>DIR/demo.json: how to reach a demo. Doors are "host:port"; a door that does not exist is absent.</summary>
public sealed class DemoFile
{
    private const string Name = "demo.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public string? Imap { get; set; }

    public string? Imaps { get; set; }

    public string? Pop3 { get; set; }

    public string? Pop3s { get; set; }

    public string? Lmtp { get; set; }

    public string? Http { get; set; }

    public string? Sieve { get; set; }

    public List<DemoAccount> Accounts { get; set; } = [];

    /// <summary>A connection string of the private PostgreSQL.</summary>
    public string Database { get; set; } = "";

    /// <exception cref="OptionsException">There is no demo in the directory.</exception>
    public static DemoFile Read(string directory) =>
        TryRead(directory) ?? throw new OptionsException($"There is no demo in {directory}: {Name} is missing or can't be read.");

    public static DemoFile? TryRead(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize<DemoFile>(File.ReadAllText(Path.Combine(directory, Name)), Json);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes the file whole or not at all, readable for its owner only: it has passwords.</summary>
    public void Write(string directory)
    {
        var fresh = Path.Combine(directory, Name + ".new");
        File.Delete(fresh);
        using (var file = new FileStream(fresh, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            JsonSerializer.Serialize(file, this, Json);
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, Path.Combine(directory, Name), overwrite: true);
    }
}

/// <summary>An account of a demo.</summary>
/// <param name="User">The log-in name, an address.</param>
/// <param name="Password">In clear.</param>
public sealed record DemoAccount(string User, string Password);
