namespace WasmJit.Wasi;

/// <summary>What a guest is given of files, in the order of its descriptors.</summary>
internal static class Preopens
{
    /// <summary>The directories and file systems of options; each is opened when it is asked for.</summary>
    /// <exception cref="DirectoryNotFoundException">A directory does not exist.</exception>
    internal static IEnumerable<DirectoryDescriptor> Of(WasiOptions options, bool portable, WriteQuota? quota)
    {
        foreach (WasiDirectory directory in options.Directories)
            yield return Make(DirectoryHandle.OpenHost(directory.HostPath, portable), directory.GuestPath, directory.ReadOnly, quota);
        foreach (WasiMount mount in options.FileSystems)
            yield return Make(new VirtualDirectory(mount.FileSystem, mount.FileSystem.Root), mount.GuestPath, mount.ReadOnly || mount.FileSystem.IsReadOnly, quota);
    }

    private static DirectoryDescriptor Make(DirectoryHandle directory, string guestPath, bool isReadOnly, WriteQuota? quota) =>
        new(quota is null ? directory : new MeteredDirectory(directory, quota), Rights.Directory, Rights.All)
        {
            PreopenName = guestPath,
            IsReadOnly = isReadOnly,
        };
}
