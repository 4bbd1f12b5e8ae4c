namespace WasmJit.Builtins;

/// <summary>
/// What a guest may do through the built-in module <c>wasm:linking</c>. By default it may only look at itself. <see cref="Namespace"/> grants modules
/// that it can load, <see cref="AllowCompile"/> grants compiling bytes.
/// </summary>
public sealed record LinkingOptions
{
    /// <summary>The modules that the guest can load; none if null.</summary>
    public ModuleNamespace? Namespace { get; init; }

    /// <summary>
    /// Whether the guest may compile bytes: of its memory, and of files and streams that it has descriptors of. The grant is independent of the
    /// engine's options for the <c>compile</c> instruction.
    /// </summary>
    public bool AllowCompile { get; init; }

    /// <summary>
    /// Imports for modules that the guest instantiates, beside those that the guest itself gives them: WASI for instance. None if null.
    /// </summary>
    public Imports? Offered { get; init; }

    /// <summary>The guest's descriptors; it has none if null.</summary>
    public LinkingDescriptors? Descriptors { get; init; }

    /// <summary>The components that the guest may have; none if null.</summary>
    public LinkingComponents? Components { get; init; }

    /// <summary>How many handles the guest may have at once; no more than 1,048,575.</summary>
    public int MaximumHandles { get; init; } = 65536;
}

/// <summary>
/// The files and streams that a guest has by number, seen by <c>wasm:linking</c>: <c>WasiHost.Descriptors</c> is one.
/// </summary>
public abstract class LinkingDescriptors
{
    /// <summary>The rest of a file or stream.</summary>
    /// <param name="descriptor">The number.</param>
    /// <returns>A stream for the time of one call; closing it leaves the guest's descriptor open.</returns>
    /// <exception cref="IOException">There is no such descriptor, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The guest may not read it.</exception>
    public abstract Stream OpenStream(int descriptor);

    /// <summary>A directory, and what lies below it.</summary>
    /// <param name="descriptor">The number.</param>
    /// <exception cref="IOException">There is no such descriptor, or it is not a directory.</exception>
    /// <exception cref="UnauthorizedAccessException">The guest may not open files in it.</exception>
    public abstract ModuleNamespace OpenDirectory(int descriptor);
}

/// <summary>Why a function of <c>wasm:linking</c> has failed: its result is one of these.</summary>
public enum LinkingError
{
    /// <summary>A handle is unknown or of the wrong kind, or another argument has no meaning.</summary>
    InvalidArgument = -1,

    /// <summary>The host does not grant it.</summary>
    NotAllowed = -2,

    /// <summary>A <see cref="LinkingQuota"/> is used up, or there are too many handles.</summary>
    QuotaExceeded = -3,

    /// <summary>The bytes are not in the binary format.</summary>
    Malformed = -4,

    /// <summary>The module is invalid.</summary>
    Invalid = -5,

    /// <summary>An import is missing or does not match.</summary>
    Unlinkable = -6,

    /// <summary>There is no module, directory or export of this name.</summary>
    NotFound = -7,

    /// <summary>An export is of another kind or type than is needed.</summary>
    TypeMismatch = -8,

    /// <summary>Addresses are not inside the memory, or an index not inside the table.</summary>
    OutOfBounds = -9,

    /// <summary>Reading failed.</summary>
    Io = -10,

    /// <summary>A component has trapped.</summary>
    Trapped = -11,
}
