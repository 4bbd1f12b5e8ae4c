namespace WasmJit.DynamicLinking;

/// <summary>How a <see cref="DynamicLinker"/> finds libraries, and how many.</summary>
public sealed record DynamicLinkerOptions
{
    /// <summary>
    /// The directories of the namespace in which a name without a slash is looked for, after those in the runtime path of the library that asks.
    /// </summary>
    public IReadOnlyList<string> LibraryPath { get; init; } = ["/", "/lib", "/usr/lib"];

    /// <summary>Libraries to load with the program, before those that it needs. Their symbols are global.</summary>
    public IReadOnlyList<string> Preload { get; init; } = [];

    /// <summary>
    /// Whether the program and the libraries that are loaded with it may import functions that are not defined anywhere. Calling one is an error. Libraries
    /// that are opened later say so by <see cref="OpenModes.Lazy"/>.
    /// </summary>
    public bool IsLazy { get; init; }

    /// <summary>How many libraries may be loaded at once.</summary>
    public int MaximumLibraries { get; init; } = 1000;
}

/// <summary>How a library is opened; the numbers are those of C programs for wasm32-wasi.</summary>
[Flags]
public enum OpenModes
{
    /// <summary><c>RTLD_LOCAL</c>: only the library, and libraries loaded because of it, see its symbols.</summary>
    Local = 0,

    /// <summary><c>RTLD_LAZY</c>: functions that are not defined anywhere are an error only when they are called.</summary>
    Lazy = 1,

    /// <summary><c>RTLD_NOW</c>: everything must be defined. This is the default, although C requires one of the two.</summary>
    Now = 2,

    /// <summary><c>RTLD_NOLOAD</c>: only if it is loaded already.</summary>
    NoLoad = 4,

    /// <summary><c>RTLD_GLOBAL</c>: libraries that are loaded later see its symbols.</summary>
    Global = 0x100,

    /// <summary><c>RTLD_NODELETE</c>: it stays when it is closed.</summary>
    NoDelete = 0x1000,
}
