using System.CommandLine;
using System.CommandLine.Parsing;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Server.Demo;
using MailCluster.Storage;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Filters;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Schema;
using Npgsql;

namespace MailCluster.Server.Commands.Admin;

/// <summary>The two options that say which cluster an admin command means, and the stores of that cluster.</summary>
internal sealed class AdminTarget
{
    private readonly Option<string?> _config = new("--config") { Description = "the configuration file of a node of the cluster" };
    private readonly Option<string?> _data = new("--data") { Description = "the directory of a demo" };

    /// <summary>A command that works on the stores and ends with an exit code.</summary>
    /// <param name="anySchema">The command also works where the schema is missing, old or new.</param>
    public static Command Command(string name, string description, IEnumerable<Symbol> arguments, Func<Stores, ParseResult, Task<int>> run, bool anySchema = false)
    {
        var command = new Command(name, description);
        foreach (var argument in arguments)
        {
            if (argument is Option option)
            {
                command.Options.Add(option);
            }
            else
            {
                command.Arguments.Add((Argument)argument);
            }
        }
        var target = new AdminTarget();
        command.Options.Add(target._config);
        command.Options.Add(target._data);
        command.SetAction(async (parsed, _) =>
        {
            await using var stores = Open(target.ConnectionString(parsed));
            try
            {
                if (!anySchema)
                {
                    await SchemaMigrator.CheckAsync(stores.Database);
                }
                return await run(stores, parsed);
            }
            catch (Exception e) when (e is StoreUnavailableException or NpgsqlException)
            {
                throw new OptionsException($"PostgreSQL at {PostgresPool.Where(stores.Database.ConnectionString)} can't be used: {(e.InnerException ?? e).Message}");
            }
        });
        return command;
    }

    /// <summary>The argument FILE.</summary>
    public static Argument<string> File(string description)
    {
        var file = new Argument<string>("FILE") { Description = description };
        file.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: "" }])
            {
                result.AddError("FILE is empty: it names a file.");
            }
        });
        return file;
    }

    /// <summary>Prints an expected failure; 1 then, otherwise 0 after saying what was done.</summary>
    public static int Report<T>(MailResult<T> result, string done)
    {
        if (result.IsOk)
        {
            Console.WriteLine(done);
            return 0;
        }
        return Refuse(result.Error.Text);
    }

    /// <summary>Prints a reason and is 1.</summary>
    public static int Refuse(string reason)
    {
        Console.Error.WriteLine(reason);
        return 1;
    }

    private static Stores Open(string connectionString)
    {
        try
        {
            return new(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new OptionsException($"The option 'Database:ConnectionString' can't be understood: {e.Message}");
        }
    }

    private string ConnectionString(ParseResult parsed) => (parsed.GetValue(_config), parsed.GetValue(_data)) switch
    {
        ({ } file, null) => OptionsFile.Load(file).Database.ConnectionString,
        (null, { } directory) => DemoFile.Read(directory).Database,
        _ => throw new OptionsException("Say which cluster: --config FILE for one of its nodes' configuration, or --data DIR for a demo."),
    };
}

/// <summary>What an admin command works with.</summary>
internal sealed class Stores : IAsyncDisposable
{
    public Stores(string connectionString)
    {
        Database = PostgresPool.Open(connectionString, "admin", "mailcluster admin", 8);
        Ids = new(Database);
        Tenants = new(Database, Ids);
        Accounts = new(Database, Ids);
        Operators = new(Database);
        Events = new(Database);
        Scripts = new(Database);
        Filters = new(Database);
        Junk = new(Database);
    }

    public NpgsqlDataSource Database { get; }

    public IdBlocks Ids { get; }

    public TenantStore Tenants { get; }

    public AccountStore Accounts { get; }

    public OperatorStore Operators { get; }

    public DirectoryEvents Events { get; }

    public ScriptStore Scripts { get; }

    public MailFilters Filters { get; }

    public JunkReports Junk { get; }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
