namespace WasmJit;

/// <summary>
/// Files that a guest can be given in place of a directory of the host: <see cref="MemoryFileSystem"/>, <see cref="ArchiveFileSystem"/>, <see
/// cref="OverlayFileSystem"/>, <see cref="HostFileSystem"/>, or a class of your own. <see cref="WasiOptions.FileSystems"/> gives one to a guest. Rights, paths,
/// links and the end of the tree are the business of the WASI functions, as for real directories: implementations see single names, and follow no
/// links.
/// </summary>
/// <remarks>
/// Failures are exceptions of System.IO, or <see cref="WasiFileException"/>, which can say each of the guest's error numbers that matter. Threads of a
/// guest, and guests that share the object, call it at once.
/// </remarks>
public interface IWasiFileSystem
{
    /// <summary>The directory that the guest gets.</summary>
    IWasiDirectory Root { get; }

    /// <summary>Whether nothing in it can be changed. Then no member that changes something is called.</summary>
    bool IsReadOnly { get; }
}

/// <summary>A file, a directory or a link.</summary>
public interface IWasiNode
{
    /// <summary>A number that no other node of the file system has.</summary>
    ulong Id { get; }

    /// <summary>When it was last read.</summary>
    DateTimeOffset Accessed { get; }

    /// <summary>When its content was last changed.</summary>
    DateTimeOffset Modified { get; }

    /// <summary>How many names it has.</summary>
    int Links { get; }

    /// <summary>Sets times; null leaves one as it is.</summary>
    /// <param name="accessed">When it was last read.</param>
    /// <param name="modified">When its content was last changed.</param>
    void SetTimes(DateTimeOffset? accessed, DateTimeOffset? modified);
}

/// <summary>A regular file.</summary>
public interface IWasiFile : IWasiNode
{
    /// <summary>Its length in bytes.</summary>
    long Length { get; }

    /// <summary>Reads.</summary>
    /// <param name="offset">Where it begins; not negative, perhaps behind the end.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <returns>How many were read; fewer than the buffer has only at the end.</returns>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Writes all of the bytes. What lies between the end and the offset becomes zero.</summary>
    /// <param name="offset">Where it begins; not negative.</param>
    /// <param name="bytes">The bytes.</param>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Makes it shorter, or longer with zeros.</summary>
    /// <param name="length">The new length; not negative.</param>
    void SetLength(long length);
}

/// <summary>A symbolic link.</summary>
public interface IWasiLink : IWasiNode
{
    /// <summary>The path that it stands for, seen from its directory.</summary>
    string Target { get; }
}

/// <summary>A directory.</summary>
public interface IWasiDirectory : IWasiNode
{
    /// <summary>An entry; null if there is none of this name.</summary>
    /// <param name="name">A single name, never <c>.</c> or <c>..</c>.</param>
    IWasiNode? Find(string name);

    /// <summary>The entries, in an order that stays the same as long as nothing changes.</summary>
    IReadOnlyList<KeyValuePair<string, IWasiNode>> List();

    /// <summary>Makes an empty file.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="WasiFileException">There is such an entry (<see cref="WasiFileError.Exists"/>), or no room.</exception>
    IWasiFile CreateFile(string name);

    /// <summary>Makes an empty directory.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="WasiFileException">There is such an entry (<see cref="WasiFileError.Exists"/>), or no room.</exception>
    IWasiDirectory CreateDirectory(string name);

    /// <summary>Makes a symbolic link.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="target">The path that it stands for.</param>
    /// <exception cref="WasiFileException">There is such an entry (<see cref="WasiFileError.Exists"/>), or no room.</exception>
    void CreateLink(string name, string target);

    /// <summary>Gives a file or link of the file system another name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="node">The file or link.</param>
    /// <exception cref="WasiFileException">There is such an entry (<see cref="WasiFileError.Exists"/>), or it cannot be done.</exception>
    void Add(string name, IWasiNode node);

    /// <summary>Removes an entry: a file, a link, or an empty directory. A file that is open can be used further.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="WasiFileException">The entry does not exist (<see cref="WasiFileError.NotFound"/>), or it is a directory with entries (<see cref="WasiFileError.NotEmpty"/>).</exception>
    void Remove(string name);

    /// <summary>
    /// Moves an entry. One that has the new name is replaced: a file or link by one (else <see cref="WasiFileError.NotDirectory"/>), an empty directory by a
    /// directory (else <see cref="WasiFileError.NotEmpty"/> or <see cref="WasiFileError.IsDirectory"/>). A directory cannot be moved into itself
    /// (<see cref="WasiFileError.Invalid"/>). If both names are the same file, nothing happens.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="target">The directory that gets it, of the same file system.</param>
    /// <param name="newName">Its name there.</param>
    /// <exception cref="WasiFileException">It cannot be done.</exception>
    void Move(string name, IWasiDirectory target, string newName);
}
