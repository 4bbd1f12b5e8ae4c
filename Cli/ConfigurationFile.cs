using WasmJit.Runtime;

namespace WasmJit.Cli;

/// <summary>Where the <see cref="Configuration"/> is. Most users have none, so nothing here needs what reads JSON.</summary>
internal static class ConfigurationFile
{
    /// <summary>Where the file of this user is: what WASMJIT_CONFIG says, or the system's place for such files. Empty for none.</summary>
    internal static string DefaultPath
    {
        get
        {
            if (Environment.GetEnvironmentVariable("WASMJIT_CONFIG") is { } given) return given;
            string folder = Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            string path = folder.Length == 0 ? "" : Path.Combine(folder, "wasmjit", "config.json");
            return path.Length > 0 && PlainFile.LengthOf(path) is not null ? path : "";
        }
    }
}
