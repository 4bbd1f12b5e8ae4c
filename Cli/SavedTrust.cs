namespace WasmJit.Cli;

/// <summary>
/// Refuses saved code that does not say what it is. Its content decides what a FILE is, so that a file of an unknown origin, taken for a guest, could be code of the host.
/// </summary>
/// <param name="isAllowed">Whether <see cref="ModuleFile.AllowSaved"/> was given.</param>
/// <param name="given">The guest's directories: a guest that could write to the file would write code of the host, which may be running.</param>
internal sealed class SavedTrust(bool isAllowed, WasiDirectory[] given)
{
    /// <param name="path">A FILE, which has saved code.</param>
    /// <exception cref="ToolException">It is refused.</exception>
    internal void Require(string path)
    {
        if (!isAllowed && Path.GetExtension(path) is not (".dll" or ".saved") && Path.GetExtension(path).ToLowerInvariant() is not (".dll" or ".saved"))
            throw new ToolException($"{path} is no module, but code of the host, such as \"compile\" saves", "if you trust it, say --allow-saved, or name it .dll");
        GuestReach.Refuse(given, path, "saved code is code of the host");
    }
}
