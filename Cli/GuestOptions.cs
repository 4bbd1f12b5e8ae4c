using System.CommandLine;

namespace WasmJit.Cli;

/// <summary><c>--dir</c>, <c>--env</c> and <c>--inherit-env</c>: what programs and servers give their guests.</summary>
internal static class GuestOptions
{
    internal static Option<string[]> Environment { get; } = new("--env")
    {
        Description = "Set an environment variable; may be repeated. NAME alone passes the tool's own value.",
        HelpName = "NAME=VALUE",
    };

    internal static Option<bool> InheritEnvironment { get; } = new("--inherit-env") { Description = "Pass all of the tool's own environment variables. --env goes before." };

    internal static Option<string[]> Directories { get; } = new("--dir")
    {
        Description = "Give the program a directory; may be repeated. The program sees it as GUEST, or as HOST if there is no "
            + "other name, and cannot leave it. With ::ro behind both names the program cannot change anything in it.",
        HelpName = "HOST::GUEST",
    };

    /// <summary>The variables.</summary>
    /// <exception cref="ToolException">One has no name.</exception>
    internal static Dictionary<string, string> EnvironmentOf(ParseResult parsed)
    {
        var variables = new Dictionary<string, string>();
        if (parsed.GetValue(InheritEnvironment))
        {
            foreach (System.Collections.DictionaryEntry own in System.Environment.GetEnvironmentVariables())
                variables[(string)own.Key] = (string?)own.Value ?? "";
        }
        foreach (string item in parsed.GetValue(Environment) ?? [])
        {
            int equals = item.IndexOf('=');
            if (equals == 0) throw new ToolException($"--env {item}: a variable needs a name");
            if (equals > 0) variables[item[..equals]] = item[(equals + 1)..];
            else if (System.Environment.GetEnvironmentVariable(item) is { } own) variables[item] = own;
        }
        return variables;
    }

    /// <summary>The directories.</summary>
    /// <param name="values">The values of <c>--dir</c>.</param>
    /// <exception cref="ToolException">One does not exist, or is not a directory.</exception>
    internal static WasiDirectory[] DirectoriesOf(string[] values) => Array.ConvertAll(values, Parse);

    private static WasiDirectory Parse(string item)
    {
        string[] parts = item.Split("::");
        bool readOnly = parts.Length == 3 && parts[2] == "ro";
        string host = parts[0], guest = parts.Length == 1 ? host : parts[1];
        if (parts.Length > 2 && !readOnly || host.Length == 0 || guest.Length == 0)
            throw new ToolException($"--dir {item}: the value must be HOST::GUEST, two paths, or HOST::GUEST::ro");
        if (File.Exists(host)) throw new ToolException($"--dir {item}: {host} is a file; give its directory");
        if (!Directory.Exists(host)) throw new ToolException($"--dir {item}: the directory {host} does not exist");
        return new WasiDirectory(host, guest, readOnly);
    }
}
