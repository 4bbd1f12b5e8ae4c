using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>wasi:filesystem/types</c>: the functions of version 0.2 over the same descriptors. Files are not waited for, so that what may wait here does not.</summary>
internal static class FilesystemTypesInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("descriptor", types.Descriptor);
        AddData(to, state);
        AddStatus(to);
        AddPaths(to, types);
    }

    private static FileObject File(ComponentResource self) => self.Get<FileObject>();

    private static ComponentResult<T, FileError> Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (FileError.Code(e, out FileError? error))
        {
            return ComponentResult<T, FileError>.Fail(error);
        }
    }

    private static ComponentResult<NoValue, FileError> Try(Action action) => Try(() =>
    {
        action();
        return default(NoValue);
    });

    private static void Add(InterfaceWriter to, string name, Delegate function) => to.Add($"[method]descriptor.{name}", function);

    private static void AddData(InterfaceWriter to, WasiState state)
    {
        Add(to, "read-via-stream", (ComponentResource self, ulong offset) => SourceStream<FileError>.Open(() => ReadFrom(File(self), offset), FileError.Code));
        Add(to, "write-via-stream", (ComponentResource self, Stream data, ulong offset) => Written(self, data, offset));
        Add(to, "append-via-stream", (ComponentResource self, Stream data) => Written(self, data, null));
        Add(to, "advise", (ComponentResource self, ulong offset, ulong length, Advice advice) => Try(() => Advise(File(self), offset, length, advice)));
        Add(to, "sync-data", (ComponentResource self) => Try(() => File(self).Sync()));
        Add(to, "sync", (ComponentResource self) => Try(() => File(self).Sync()));
        Add(to, "set-size", (ComponentResource self, ulong size) => Try(() => File(self).SetSize(size)));
        Add(to, "read-directory", (ComponentResource self) =>
        {
            var listing = new Listing(state, File(self));
            return ((IAsyncEnumerable<ListedEntry>)listing, listing.Outcome);
        });
    }

    private static InputStream ReadFrom(FileObject file, ulong offset) => offset > long.MaxValue ? throw new WasiError(Errno.Inval) : file.ReadFrom(offset);

    private static void Advise(FileObject file, ulong offset, ulong length, Advice advice)
    {
        if (file.Descriptor is DirectoryDescriptor) throw new WasiError(Errno.Badf);
        file.Advise(offset, length, advice);
    }

    /// <summary>Writes a stream. The descriptor is borrowed for the call that begins it: it is opened at once.</summary>
    private static Task<ComponentResult<NoValue, FileError>> Written(ComponentResource self, Stream data, ulong? offset)
    {
        ComponentResult<OutputStream, FileError> output = Try(() => File(self).WriteTo(offset));
        if (output.IsOk) return Sink.WriteAsync<FileError>(data, () => output.Value, FileError.Code);
        data.Dispose();
        return Task.FromResult(ComponentResult<NoValue, FileError>.Fail(output.Error));
    }

    private static void AddStatus(InterfaceWriter to)
    {
        Add(to, "get-flags", (ComponentResource self) => Try(() => Flags(File(self))));
        Add(to, "get-type", (ComponentResource self) => Try(() => DescriptorType.Of(File(self).Descriptor.Type)));
        Add(to, "stat", (ComponentResource self) => Try(() => DescriptorStat.Of(File(self).Descriptor.Status())));
        Add(to, "stat-at", (ComponentResource self, PathFlags flags, string path) => Try(() => DescriptorStat.Of(File(self).StatusAt(flags, path))));
        Add(to, "set-times", (ComponentResource self, NewTimestamp accessed, NewTimestamp modified) => Try(() => File(self).SetTimes(NewTimestamp.Both(accessed, modified))));
        Add(to, "set-times-at", (ComponentResource self, PathFlags flags, string path, NewTimestamp accessed, NewTimestamp modified) =>
            Try(() => File(self).SetTimesAt(flags, path, NewTimestamp.Both(accessed, modified))));
        Add(to, "is-same-object", (ComponentResource self, ComponentResource other) => Try(() => File(self).IsSameAs(File(other))) is { IsOk: true, Value: true });
        Add(to, "metadata-hash", (ComponentResource self) => Try(() => FileObject.Hash(File(self).Descriptor.Status())));
        Add(to, "metadata-hash-at", (ComponentResource self, PathFlags flags, string path) => Try(() => FileObject.Hash(File(self).StatusAt(flags, path))));
    }

    /// <summary>A directory that is opened from another can be changed if that can; that it was opened for it is said only if it was.</summary>
    private static DescriptorFlags Flags(FileObject file) => file.Flags & (file.Asked | ~DescriptorFlags.MutateDirectory);

    /// <summary>What flags mean besides: what is made is written, and what is opened for nothing is read.</summary>
    private static DescriptorFlags Implied(FileObject from, OpenFlags openFlags, DescriptorFlags flags)
    {
        if (openFlags.HasFlag(OpenFlags.Create) && !flags.HasFlag(DescriptorFlags.Write) && !from.Directory.IsReadOnly) return flags | DescriptorFlags.Read | DescriptorFlags.Write;
        return flags.HasFlag(DescriptorFlags.Write) ? flags : flags | DescriptorFlags.Read;
    }

    private static void AddPaths(InterfaceWriter to, ResourceTypes types)
    {
        Add(to, "create-directory-at", (ComponentResource self, string path) => Try(() => File(self).CreateDirectoryAt(path)));
        Add(to, "link-at", (ComponentResource self, PathFlags flags, string path, ComponentResource other, string newPath) => Try(() => File(self).LinkAt(flags, path, File(other), newPath)));
        Add(to, "open-at", (ComponentResource self, PathFlags pathFlags, string path, OpenFlags openFlags, DescriptorFlags flags) =>
            Try(() => types.Descriptor.New(File(self).OpenAt(pathFlags, FileObject.Checked(path), openFlags, Implied(File(self), openFlags, flags)))));
        Add(to, "readlink-at", (ComponentResource self, string path) => Try(() => File(self).ReadLinkAt(path)));
        Add(to, "remove-directory-at", (ComponentResource self, string path) => Try(() => RemoveDirectoryAt(File(self), path)));
        Add(to, "rename-at", (ComponentResource self, string path, ComponentResource other, string newPath) => Try(() => File(self).RenameAt(path, File(other), newPath)));
        Add(to, "symlink-at", (ComponentResource self, string content, string path) => Try(() => File(self).SymlinkAt(content, path)));
        Add(to, "unlink-file-at", (ComponentResource self, string path) => Try(() => File(self).UnlinkAt(path)));
    }

    /// <summary>A link with a slash behind it is what it leads to, which may be outside.</summary>
    private static void RemoveDirectoryAt(FileObject from, string path)
    {
        try
        {
            from.RemoveDirectoryAt(path);
        }
        catch (WasiError e) when (e.Errno == Errno.Notdir && path.EndsWith('/'))
        {
            from.StatusAt(PathFlags.SymlinkFollow, path);
            throw;
        }
    }

    /// <summary>What is in a directory, and how the listing has ended. It counts as opened until it is not wanted any more.</summary>
    private sealed class Listing : IAsyncEnumerable<ListedEntry>, IAsyncEnumerator<ListedEntry>, IDisposable
    {
        private readonly WasiState state;
        private readonly List<DirectoryEntry> entries = [];
        private readonly TaskCompletionSource<ComponentResult<NoValue, FileError>> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int next, isOpen;

        internal Listing(WasiState state, FileObject directory)
        {
            this.state = state;
            ComponentResult<List<DirectoryEntry>, FileError> all = Try(() => Open(directory));
            if (all.IsOk) entries = all.Value;
            else outcome.TrySetResult(ComponentResult<NoValue, FileError>.Fail(all.Error));
        }

        private List<DirectoryEntry> Open(FileObject directory)
        {
            state.CountOpened();
            isOpen = 1;
            try
            {
                return directory.List();
            }
            catch
            {
                EndCount();
                throw;
            }
        }

        internal Task<ComponentResult<NoValue, FileError>> Outcome => outcome.Task;

        public ListedEntry Current { get; private set; } = null!;

        public IAsyncEnumerator<ListedEntry> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

        public ValueTask<bool> MoveNextAsync()
        {
            if (next == entries.Count || outcome.Task.IsCompleted) return new(false);
            DirectoryEntry entry = entries[next++];
            // Names are strings here, and some files have names that are not UTF-8.
            if (FileNames.HasEscapes(entry.Name))
            {
                outcome.TrySetResult(ComponentResult<NoValue, FileError>.Fail(new FileError.IllegalByteSequence()));
                return new(false);
            }
            Current = new ListedEntry(DescriptorType.Of(entry.Type), entry.Name);
            return new(true);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        public void Dispose()
        {
            EndCount();
            outcome.TrySetResult(default(NoValue));
        }

        private void EndCount()
        {
            if (Interlocked.Exchange(ref isOpen, 0) != 0) state.CountClosed();
        }
    }
}
