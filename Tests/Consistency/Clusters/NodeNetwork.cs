using System.Diagnostics;
using System.Net;

namespace MailCluster.Consistency.Clusters;

/// <summary>
/// A bridge with the checker and PostgreSQL at one address of it, and a network namespace for each node. Ways are cut by neighbour entries with a link
/// address that nobody has: what is sent there is dropped without a word, as where a cable is pulled; no packet filter is needed.
/// </summary>
internal sealed class NodeNetwork : IAsyncDisposable
{
    private const string _nobody = "02:00:00:00:00:01";

    private const string _lossy = "netem delay 30ms 20ms loss 2%";

    private const string _narrow = "tbf rate 2mbit burst 8kb latency 40ms";

    private readonly string _id;
    private readonly List<NodeSpace> _spaces = [];
    private readonly int _third;

    private NodeNetwork(int third) => (_third, _id) = (third, $"mcc{Environment.ProcessId}");

    /// <summary>The checker's and PostgreSQL's address.</summary>
    public IPAddress Gateway => IPAddress.Parse($"10.77.{_third}.1");

    public string Range => $"10.77.{_third}.0/24";

    private string Bridge => _id;

    /// <summary>The end of a node's line at the bridge.</summary>
    private string Link(NodeSpace node) => $"{_id}v{_spaces.IndexOf(node)}";

    /// <exception cref="CheckException">Not root, or the kernel has no bridges.</exception>
    public static async Task<NodeNetwork> CreateAsync()
    {
        if (Environment.UserName != "root")
            throw new CheckException("Faults of the network need network namespaces, which only root can make: run the checker as root, or leave these faults out.");
        var network = new NodeNetwork(Random.Shared.Next(1, 255));
        try
        {
            await IpAsync($"link add {network.Bridge} type bridge");
            await IpAsync($"addr add {network.Gateway}/24 dev {network.Bridge}");
            await IpAsync($"link set {network.Bridge} up");
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public async Task<NodeSpace> AddAsync(string node)
    {
        // A node may be added, forgotten and added again: neither name nor address is used twice.
        var space = new NodeSpace($"{_id}-{_spaces.Count}-{node}", IPAddress.Parse($"10.77.{_third}.{_spaces.Count + 11}"));
        _spaces.Add(space);
        string link = Link(space);
        await IpAsync($"netns add {space.Name}");
        await IpAsync($"link add {link} type veth peer name eth0 netns {space.Name}");
        await IpAsync($"link set {link} master {Bridge} up");
        await IpAsync($"-n {space.Name} addr add {space.Address}/24 dev eth0");
        await IpAsync($"-n {space.Name} link set lo up");
        await IpAsync($"-n {space.Name} link set eth0 up");
        return space;
    }

    /// <summary>Cuts two nodes off from each other, both ways.</summary>
    public async Task CutAsync(NodeSpace one, NodeSpace other)
    {
        await IpAsync($"-n {one.Name} neigh replace {other.Address} lladdr {_nobody} dev eth0 nud permanent");
        await IpAsync($"-n {other.Name} neigh replace {one.Address} lladdr {_nobody} dev eth0 nud permanent");
    }

    public async Task MendAsync(NodeSpace one, NodeSpace other)
    {
        await IpAsync($"-n {one.Name} neigh del {other.Address} dev eth0");
        await IpAsync($"-n {other.Name} neigh del {one.Address} dev eth0");
    }

    /// <summary>
    /// Makes a node's line bad, both ways: late and with losses where the kernel has netem, otherwise so narrow that its queue makes what it carries late and drops what it
    /// can't hold. Returns which.
    /// </summary>
    public async Task<string> SpoilAsync(NodeSpace node)
    {
        (int exitCode, _) = await RunAsync("tc", $"-n {node.Name} qdisc add dev eth0 root {_lossy}");
        string how = exitCode == 0 ? _lossy : _narrow;
        if (exitCode != 0)
            await ToolAsync("tc", $"-n {node.Name} qdisc add dev eth0 root {_narrow}");
        await ToolAsync("tc", $"qdisc add dev {Link(node)} root {how}");
        return how;
    }

    public async Task RepairAsync(NodeSpace node)
    {
        await ToolAsync("tc", $"-n {node.Name} qdisc del dev eth0 root");
        await ToolAsync("tc", $"qdisc del dev {Link(node)} root");
    }

    /// <summary>Cuts a node off from PostgreSQL (and from the checker).</summary>
    public async Task CutFromPostgresAsync(NodeSpace node)
    {
        await IpAsync($"-n {node.Name} neigh replace {Gateway} lladdr {_nobody} dev eth0 nud permanent");
        await IpAsync($"neigh replace {node.Address} lladdr {_nobody} dev {Bridge} nud permanent");
    }

    public async Task MendToPostgresAsync(NodeSpace node)
    {
        await IpAsync($"-n {node.Name} neigh del {Gateway} dev eth0");
        await IpAsync($"neigh del {node.Address} dev {Bridge}");
    }

    public async ValueTask DisposeAsync()
    {
        // What was never made can't be removed: that is no failure.
        foreach (NodeSpace space in _spaces)
            await RunAsync("ip", $"netns del {space.Name}");
        await RunAsync("ip", $"link del {Bridge}");
    }

    private static Task IpAsync(string arguments) => ToolAsync("ip", arguments);

    private static async Task ToolAsync(string program, string arguments)
    {
        (int exitCode, string output) = await RunAsync(program, arguments);
        if (exitCode != 0)
            throw new CheckException($"'{program} {arguments}' failed: {output.Trim()}");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, output + await error);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, $"{program}: {e.Message}");
        }
    }
}
