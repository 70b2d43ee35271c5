using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace MailCluster.Server.Configuration;

/// <summary>Reads <see cref="NodeOptions"/> strictly: what is unknown, malformed or out of range stops the start.</summary>
public static class OptionsFile
{
    private const string EnvironmentPrefix = "MAILCLUSTER_";

    /// <param name="environment">What wins over the file, by path ("Cluster:SiloPort"); by default the process's variables.</param>
    /// <exception cref="OptionsException">The file can't be read, or an option is unknown or bad.</exception>
    public static NodeOptions Load(string file, Dictionary<string, string?>? environment = null)
    {
        if (file.Length == 0)
        {
            throw new OptionsException("The option '--config' is empty: it names a node's configuration file.");
        }
        var configuration = new ConfigurationManager();
        try
        {
            configuration.AddJsonFile(Path.GetFullPath(file), optional: false, reloadOnChange: false);
        }
        catch (FileNotFoundException) when (!Directory.Exists(file))
        {
            throw new OptionsException($"The configuration file {file} does not exist.");
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            // The innermost one knows the line.
            throw new OptionsException($"The configuration file {file} can't be read: {(Directory.Exists(file) ? "it is a directory." : e.GetBaseException().Message)}");
        }
        configuration.AddInMemoryCollection(environment ?? FromEnvironment());
        var options = new NodeOptions();
        Bind(configuration, options, "");
        Check(options, "");
        foreach (var (option, needs) in new[]
        {
            ("Listen:Imaps", options.Listen.Imaps.Length > 0), ("Listen:OldImaps", options.Listen.OldImaps.Length > 0), ("Listen:Pop3s", options.Listen.Pop3s.Length > 0), ("Tls:Directory", options.Tls.Directory is not null),
        })
        {
            if (needs && options.Tls.Certificate is null)
            {
                throw new OptionsException($"The option '{option}' needs a certificate: 'Tls:Certificate' is missing.");
            }
        }
        return options;
    }

    // Only names with a section count: MAILCLUSTER_ALONE may mean something to a script or a test.
    private static Dictionary<string, string?> FromEnvironment()
    {
        var found = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase) && name.Contains("__", StringComparison.Ordinal))
            {
                found[name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal)] = (string?)variable.Value;
            }
        }
        return found;
    }

    private static void Bind(IConfiguration from, object to, string path)
    {
        var properties = to.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var section in from.GetChildren())
        {
            if (!properties.TryGetValue(section.Key, out var property))
            {
                throw new OptionsException($"The option '{path}{section.Key}' is unknown; known here: {string.Join(", ", properties.Keys.Order())}.");
            }
            var name = path + property.Name;
            if (property.PropertyType == typeof(string[]))
            {
                property.SetValue(to, Strings(section));
            }
            else if (IsGroup(property))
            {
                if (!string.IsNullOrEmpty(section.Value))
                {
                    throw new OptionsException($"The option '{name}' is a group of options, not a single value.");
                }
                Bind(section, property.GetValue(to)!, name + ":");
            }
            else
            {
                property.SetValue(to, Scalar(section, property.PropertyType, name));
            }
        }
    }

    // All of them: also what the file says nothing of may be missing.
    private static void Check(object options, string path)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (IsGroup(property))
            {
                Check(property.GetValue(options)!, path + property.Name + ":");
            }
            foreach (var rule in property.GetCustomAttributes<ValidationAttribute>())
            {
                if (!rule.IsValid(property.GetValue(options)))
                {
                    var name = path + property.Name;
                    throw new OptionsException(rule switch
                    {
                        RangeAttribute range => $"The option '{name}' is {property.GetValue(options)}; it must be from {range.Minimum} to {range.Maximum}.",
                        RequiredAttribute => $"The option '{name}' is missing.",
                        _ => rule.FormatErrorMessage(name),
                    });
                }
            }
        }
    }

    private static bool IsGroup(PropertyInfo property) => property.PropertyType is { IsClass: true } type && type.Namespace == typeof(NodeOptions).Namespace;

    // One value in an environment variable needs no index.
    private static string[] Strings(IConfigurationSection section) => string.IsNullOrEmpty(section.Value)
        ? [.. section.GetChildren().Select(c => c.Value ?? "")]
        : section.Value.Split(',', StringSplitOptions.TrimEntries);

    private static object? Scalar(IConfigurationSection section, Type type, string name)
    {
        if (section.GetChildren().Any())
        {
            throw new OptionsException($"The option '{name}' is a single value, not a group or list.");
        }
        try
        {
            // A number would pass for a name of an enumeration, also one that stands for nothing.
            return section.Get(type) is { } value && (!type.IsEnum || Enum.IsDefined(type, value)) ? value : section.Value is { Length: > 0 } ? throw new InvalidOperationException() : null;
        }
        catch (InvalidOperationException)
        {
            var known = type.IsEnum ? $": one of {string.Join(", ", Enum.GetNames(type))}" : type == typeof(bool) ? ": true or false" : ", a number";
            throw new OptionsException($"The option '{name}' is '{section.Value}', but must be{known.TrimStart(',')}.");
        }
    }
}
