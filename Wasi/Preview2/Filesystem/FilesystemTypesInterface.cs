using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:filesystem/types</c>.</summary>
internal static class FilesystemTypesInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("error", types.Error);
        to.Add("input-stream", types.InputStream);
        to.Add("output-stream", types.OutputStream);
        to.Add("descriptor", types.Descriptor);
        to.Add("directory-entry-stream", types.DirectoryEntryStream);
        AddData(to, types);
        AddStatus(to);
        AddPaths(to, types);
        to.Add("[method]descriptor.read-directory", (ComponentResource self) => Try(() => types.DirectoryEntryStream.New(new EntryStream(state, File(self).List))));
        to.Add("[method]directory-entry-stream.read-directory-entry", (ComponentResource self) => Try(() => self.Get<EntryStream>().Next()));
        to.Add("filesystem-error-code", FileError? (ComponentResource error) => SystemErrors.Of(error.Get<IoError>().Reason) is { } number ? FilesystemTypes.Of(number) : null);
    }

    private static FileObject File(ComponentResource self) => self.Get<FileObject>();

    private static ComponentResult<T, FileError> Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (SystemErrors.Of(e) is { } error)
        {
            return ComponentResult<T, FileError>.Fail(FilesystemTypes.Of(error));
        }
    }

    private static ComponentResult<NoValue, FileError> Try(Action action) => Try(() =>
    {
        action();
        return default(NoValue);
    });

    private static void AddData(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("[method]descriptor.read-via-stream", (ComponentResource self, ulong offset) => Try(() => types.InputStream.New(File(self).ReadFrom(offset))));
        to.Add("[method]descriptor.write-via-stream", (ComponentResource self, ulong offset) => Try(() => types.OutputStream.New(File(self).WriteTo(offset))));
        to.Add("[method]descriptor.append-via-stream", (ComponentResource self) => Try(() => types.OutputStream.New(File(self).WriteTo(null))));
        to.Add("[method]descriptor.advise", (ComponentResource self, ulong offset, ulong length, Advice advice) => Try(() => File(self).Advise(offset, length, advice)));
        to.Add("[method]descriptor.sync-data", (ComponentResource self) => Try(() => File(self).Sync()));
        to.Add("[method]descriptor.sync", (ComponentResource self) => Try(() => File(self).Sync()));
        to.Add("[method]descriptor.set-size", (ComponentResource self, ulong size) => Try(() => File(self).SetSize(size)));
        to.Add("[method]descriptor.read", (ComponentResource self, ulong length, ulong offset) => Try(() => File(self).Read(length, offset)));
        to.Add("[method]descriptor.write", (ComponentResource self, byte[] buffer, ulong offset) => Try(() => File(self).Write(buffer, offset)));
    }

    private static void AddStatus(InterfaceWriter to)
    {
        to.Add("[method]descriptor.get-flags", (ComponentResource self) => Try(() => File(self).Flags));
        to.Add("[method]descriptor.get-type", (ComponentResource self) => Try(() => FilesystemTypes.Of(File(self).Descriptor.Type)));
        to.Add("[method]descriptor.stat", (ComponentResource self) => Try(() => DescriptorStat.Of(File(self).Descriptor.Status())));
        to.Add("[method]descriptor.stat-at", (ComponentResource self, PathFlags flags, string path) => Try(() => DescriptorStat.Of(File(self).StatusAt(flags, path))));
        to.Add("[method]descriptor.set-times", (ComponentResource self, NewTimestamp accessed, NewTimestamp modified) =>
            Try(() => File(self).SetTimes(NewTimestamp.Both(accessed, modified))));
        to.Add("[method]descriptor.set-times-at", (ComponentResource self, PathFlags flags, string path, NewTimestamp accessed, NewTimestamp modified) =>
            Try(() => File(self).SetTimesAt(flags, path, NewTimestamp.Both(accessed, modified))));
        to.Add("[method]descriptor.is-same-object", (ComponentResource self, ComponentResource other) =>
            Try(() => File(self).IsSameAs(File(other))) is { IsOk: true, Value: true });
        to.Add("[method]descriptor.metadata-hash", (ComponentResource self) => Try(() => FileObject.Hash(File(self).Descriptor.Status())));
        to.Add("[method]descriptor.metadata-hash-at", (ComponentResource self, PathFlags flags, string path) => Try(() => FileObject.Hash(File(self).StatusAt(flags, path))));
    }

    private static void AddPaths(InterfaceWriter to, ResourceTypes types)
    {
        to.Add("[method]descriptor.create-directory-at", (ComponentResource self, string path) => Try(() => File(self).CreateDirectoryAt(path)));
        to.Add("[method]descriptor.link-at", (ComponentResource self, PathFlags flags, string path, ComponentResource other, string newPath) =>
            Try(() => File(self).LinkAt(flags, path, File(other), newPath)));
        to.Add("[method]descriptor.open-at", (ComponentResource self, PathFlags pathFlags, string path, OpenFlags openFlags, DescriptorFlags flags) =>
            Try(() => types.Descriptor.New(File(self).OpenAt(pathFlags, FileObject.Checked(path), openFlags, flags))));
        to.Add("[method]descriptor.readlink-at", (ComponentResource self, string path) => Try(() => File(self).ReadLinkAt(path)));
        to.Add("[method]descriptor.remove-directory-at", (ComponentResource self, string path) => Try(() => File(self).RemoveDirectoryAt(path)));
        to.Add("[method]descriptor.rename-at", (ComponentResource self, string path, ComponentResource other, string newPath) =>
            Try(() => File(self).RenameAt(path, File(other), newPath)));
        to.Add("[method]descriptor.symlink-at", (ComponentResource self, string content, string path) =>
            Try(() => File(self).SymlinkAt(content, path)));
        to.Add("[method]descriptor.unlink-file-at", (ComponentResource self, string path) => Try(() => File(self).UnlinkAt(path)));
    }
}

/// <summary><c>wasi:filesystem/preopens</c>.</summary>
internal static class FilesystemPreopensInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("descriptor", state.Types.Descriptor);
        to.Add("get-directories", () => state.Directories
            .Select(d => (state.Types.Descriptor.New(new FileObject(d.Share(), state)), d.Descriptor.PreopenName!)).ToArray());
    }
}
