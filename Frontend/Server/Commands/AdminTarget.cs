using System.CommandLine;
using System.CommandLine.Parsing;
using MailCluster.Server.Configuration;
using MailCluster.Server.Demo;

namespace MailCluster.Server.Commands;

/// <summary>The two options that say which cluster an admin command means.</summary>
internal sealed class AdminTarget
{
    private readonly Option<string?> _config = new("--config") { Description = "the configuration file of a node of the cluster" };
    private readonly Option<string?> _data = new("--data") { Description = "the directory of a demo" };

    public void AddTo(Command command)
    {
        command.Options.Add(_config);
        command.Options.Add(_data);
    }

    /// <summary>The database of the cluster that is meant.</summary>
    /// <exception cref="OptionsException">Neither or both are given, or what is named can't be read.</exception>
    public string ConnectionString(ParseResult parsed) => (parsed.GetValue(_config), parsed.GetValue(_data)) switch
    {
        ({ } file, null) => OptionsFile.Load(file).Database.ConnectionString,
        (null, { } directory) => DemoFile.Read(directory).Database,
        _ => throw new OptionsException("Say which cluster: --config FILE for one of its nodes' configuration, or --data DIR for a demo."),
    };
}
