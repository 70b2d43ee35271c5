using System.CommandLine;
using System.Globalization;
using MailCluster.Contracts;
using MailCluster.Sieve;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Filters;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin sieve …</c>: the filters of an account, or with --tenant those of a tenant.</summary>
internal static class SieveCommands
{
    public static Command Create() => new("sieve", "Filters of accounts (Sieve), and those of a tenant: 'before' and 'after' are run around its accounts' own, others can be included.")
    {
        List(), Get(), Put(), Activate(), Delete(), Waiting(),
    };

    private static Argument<string> Owner() => new("USER") { Description = "the account; with --tenant the tenant's name" };

    private static Option<bool> Tenant() => new("--tenant") { Description = "USER is a tenant" };

    private static Command List()
    {
        var owner = Owner();
        var tenant = Tenant();
        var json = new Option<bool>("--json") { Description = "as JSON" };
        return AdminTarget.Command("list", "Lists scripts, and why the active one failed last.", [owner, tenant, json], (stores, parsed) => OfAsync(
            stores, parsed.GetRequiredValue(owner), parsed.GetValue(tenant), async (account, t) =>
            {
                ScriptList list = account is { } a ? await stores.Scripts.ListAsync(a, default) : await stores.Scripts.ListAsync(t!.Value, default);
                if (parsed.GetValue(json))
                {
                    Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(list, new System.Text.Json.JsonSerializerOptions(System.Text.Json.JsonSerializerDefaults.Web)));
                    return 0;
                }
                foreach (ScriptInfo script in list.Scripts)
                    Console.WriteLine($"{(script.Active ? "*" : " ")} {script.Name}  {script.Octets} octets");
                if (list.Failure is { } failure)
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"failed last at {list.FailedAt:yyyy-MM-dd HH:mm:ss} UTC: {failure}"));
                return 0;
            }));
    }

    private static Command Get()
    {
        var owner = Owner();
        var tenant = Tenant();
        var name = new Argument<string>("NAME");
        return AdminTarget.Command("get", "Prints a script.", [owner, name, tenant], (stores, parsed) => OfAsync(
            stores, parsed.GetRequiredValue(owner), parsed.GetValue(tenant), async (account, t) =>
            {
                ScriptOwner of = account is { } a ? ScriptOwner.Of(a) : ScriptOwner.Of(t!.Value);
                if (await stores.Filters.SourceAsync(of, parsed.GetRequiredValue(name), default) is not { } script)
                    return AdminTarget.Refuse($"There is no script '{parsed.GetRequiredValue(name)}'.");
                await using Stream output = Console.OpenStandardOutput();
                await output.WriteAsync(script.Source);
                return 0;
            }));
    }

    private static Command Put()
    {
        var owner = Owner();
        var tenant = Tenant();
        var name = new Argument<string>("NAME");
        var file = AdminTarget.File("the script; - is the standard input");
        var active = new Option<bool>("--activate") { Description = "makes it the active one" };
        return AdminTarget.Command("put", "Makes or replaces a script after checking it.", [owner, name, file, tenant, active], async (stores, parsed) =>
        {
            byte[] source;
            try
            {
                source = parsed.GetRequiredValue(file) is "-" ? await StandardInputAsync() : await File.ReadAllBytesAsync(parsed.GetRequiredValue(file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return AdminTarget.Refuse(e.Message);
            }
            string script = parsed.GetRequiredValue(name);
            if (!ScriptNames.IsOne(script))
                return AdminTarget.Refuse("A script's name has 1 to 128 characters, none of them a control character.");
            try
            {
                // Whether mail can leave is known to the nodes: a script that they can't run fails there, and its owner sees why.
                foreach (SieveProblem warning in SieveScript.Compile(source, outgoing: true, SieveLimits.Default with { ScriptOctets = 1024 * 1024 }).Warnings)
                    Console.Error.WriteLine($"warning: {warning}");
            }
            catch (SieveSyntaxException e)
            {
                return AdminTarget.Refuse(e.Problem.ToString());
            }
            return await OfAsync(stores, parsed.GetRequiredValue(owner), parsed.GetValue(tenant), async (account, t) =>
            {
                if (account is not { } a)
                {
                    await stores.Scripts.PutAsync(t!.Value, script, source, default);
                    return Report(null, script, "put");
                }
                ScriptError? error = await stores.Scripts.PutAsync(a, script, source, new ScriptQuota(int.MaxValue, long.MaxValue), default);
                if (error is null && parsed.GetValue(active))
                    error = await stores.Scripts.SetActiveAsync(a, script, default);
                return Report(error, script, parsed.GetValue(active) ? "put and active" : "put");
            });
        });
    }

    private static Command Activate()
    {
        var owner = Owner();
        var name = new Argument<string?>("NAME") { Arity = ArgumentArity.ZeroOrOne, Description = "none: no script is active" };
        return AdminTarget.Command("activate", "Makes a script the active one.", [owner, name], (stores, parsed) => OfAsync(
            stores, parsed.GetRequiredValue(owner), false, async (account, _) =>
                Report(await stores.Scripts.SetActiveAsync(account!.Value, parsed.GetValue(name), default), parsed.GetValue(name) ?? "", parsed.GetValue(name) is null ? "none is active" : "active")));
    }

    private static Command Delete()
    {
        var owner = Owner();
        var tenant = Tenant();
        var name = new Argument<string>("NAME");
        return AdminTarget.Command("delete", "Deletes a script that is not active.", [owner, name, tenant], (stores, parsed) => OfAsync(
            stores, parsed.GetRequiredValue(owner), parsed.GetValue(tenant), async (account, t) => Report(
                account is { } a ? await stores.Scripts.DeleteAsync(a, parsed.GetRequiredValue(name), default) : await stores.Scripts.DeleteAsync(t!.Value, parsed.GetRequiredValue(name), default),
                parsed.GetRequiredValue(name), "deleted")));
    }

    private static Command Waiting()
    {
        var json = new Option<bool>("--json") { Description = "as JSON" };
        var limit = NumberOption.Create("--limit", "how many at most", usually: 100, least: 1);
        return AdminTarget.Command("waiting", "Lists mail of filters that waits to leave, the oldest first, and why it did not leave yet.", [json, limit], async (stores, parsed) =>
        {
            IReadOnlyList<OutboxRow> rows = await new Outbox(stores.Database).ListAsync(parsed.GetValue(limit));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(rows, new System.Text.Json.JsonSerializerOptions(System.Text.Json.JsonSerializerDefaults.Web)));
                return 0;
            }
            foreach (OutboxRow row in rows)
            {
                string state = row.TakenBy is { } by ? $"is being sent by {by}" : string.Create(CultureInfo.InvariantCulture, $"attempt {row.Attempt + 1} at {row.Due:yyyy-MM-dd HH:mm:ss} UTC");
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{row.Created:yyyy-MM-dd HH:mm:ss}  {row.Kind}  {row.Account}  from <{row.Sender}> to {string.Join(", ", row.Recipients)}: {state}{(row.Error is { } error ? ": " + error : "")}"));
            }
            return 0;
        });
    }

    private static async Task<int> OfAsync(Stores stores, string owner, bool isTenant, Func<AccountId?, TenantId?, Task<int>> run)
    {
        if (isTenant)
            return await stores.Tenants.FindAsync(owner) is { } tenant ? await run(null, tenant.Id) : AdminTarget.Refuse($"There is no tenant '{owner}'.");
        return await new DirectoryStore(stores.Database).FindUserAsync(owner) is { } account ? await run(account.Account, null) : AdminTarget.Refuse($"There is no account '{owner}'.");
    }

    private static int Report(ScriptError? error, string name, string done)
    {
        switch (error)
        {
            case null:
                Console.WriteLine($"script {name}: {done}".Replace("script : ", "scripts: "));
                return 0;
            case ScriptError.NonExistent:
                return AdminTarget.Refuse($"There is no script '{name}'.");
            case ScriptError.Active:
                return AdminTarget.Refuse($"The script '{name}' is active: 'admin sieve activate USER' without a name ends that.");
            default:
                return AdminTarget.Refuse($"The script '{name}' was refused: {error}.");
        }
    }

    private static async Task<byte[]> StandardInputAsync()
    {
        using var bytes = new MemoryStream();
        await using Stream input = Console.OpenStandardInput();
        await input.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
