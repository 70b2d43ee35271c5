using System.Text.Json;

namespace MailCluster.Tests.Support;

/// <summary>The configuration of a node under test, on free ports of 127.0.0.1.</summary>
public sealed class NodeSettings(string name, string connectionString)
{
    public string Name { get; } = name;

    public int SiloPort { get; } = FreePorts.Next();

    public int GatewayPort { get; } = FreePorts.Next();

    public int ImapPort { get; } = FreePorts.Next();

    public int ImapsPort { get; } = FreePorts.Next();

    public int Pop3Port { get; } = FreePorts.Next();

    public int Pop3sPort { get; } = FreePorts.Next();

    public int LmtpPort { get; } = FreePorts.Next();

    public int HttpPort { get; } = FreePorts.Next();

    public int SievePort { get; } = FreePorts.Next();

    /// <summary>Further options by their path ("Shutdown:DrainSeconds"), which win over what is here.</summary>
    public Dictionary<string, object> Further { get; } = [];

    /// <summary>Writes the file for <c>node --config</c>.</summary>
    /// <param name="directory">Where; the file is called after the node.</param>
    public string Write(string directory)
    {
        var options = new Dictionary<string, object>
        {
            ["Name"] = Name,
            ["Cluster:SiloPort"] = SiloPort,
            ["Cluster:GatewayPort"] = GatewayPort,
            ["Database:ConnectionString"] = connectionString,
            ["Listen:Imap:0"] = $"127.0.0.1:{ImapPort}",
            ["Listen:Pop3:0"] = $"127.0.0.1:{Pop3Port}",
            ["Listen:Lmtp:0"] = $"127.0.0.1:{LmtpPort}",
            ["Listen:Http:0"] = $"127.0.0.1:{HttpPort}",
            ["Listen:Sieve:0"] = $"127.0.0.1:{SievePort}",
        };
        foreach (var (path, value) in Further)
        {
            options[path] = value;
        }
        var file = Path.Combine(directory, Name + ".json");
        // Flat "A:B" keys mean the same as nested objects.
        File.WriteAllText(file, JsonSerializer.Serialize(options));
        return file;
    }
}
