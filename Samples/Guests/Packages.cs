namespace WasmJit.Guests;

/// <summary>Where the guests are: programs of others, which the script <c>install</c> puts into a folder.</summary>
public static class Packages
{
    /// <summary>The folder: the environment variable WASMJIT_GUESTS, or artifacts/guests in the repository.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("WASMJIT_GUESTS") is { Length: > 0 } given ? Path.GetFullPath(given) : Default();

    /// <summary>WAForth's source.</summary>
    public static string Forth => Path.Combine(Folder, "waforth", "src", "waforth.wat");

    /// <summary>v86's processor.</summary>
    public static string Processor => Package("v86", "build", "v86.wasm");

    /// <summary>clang and wasm-ld, one program.</summary>
    public static string Llvm => Package("@yowasp", "clang", "gen", "llvm.core.wasm");

    /// <summary>Headers and libraries for it.</summary>
    public static string LlvmResources => Path.Combine(Folder, "usr");

    /// <summary>MicroPython.</summary>
    public static string MicroPython => Package("@micropython", "micropython-webassembly-pyscript", "micropython.wasm");

    /// <summary>QuickJS.</summary>
    public static string JavaScript => Package("quickjs-wasi", "quickjs.wasm");

    /// <summary>Its libraries, a folder each.</summary>
    public static string JavaScriptExtensions => Package("quickjs-wasi", "extensions");

    /// <summary>tree-sitter.</summary>
    public static string TreeSitter => Package("web-tree-sitter", "web-tree-sitter.wasm");

    /// <summary>Its grammars.</summary>
    public static string Grammars => Package("tree-sitter-wasms", "out");

    /// <summary>A grammar of today's tools.</summary>
    public static string CGrammar => Package("tree-sitter-c", "tree-sitter-c.wasm");

    /// <summary>A file or folder of a package of npm.</summary>
    /// <param name="parts">Its path.</param>
    public static string Package(params string[] parts) => Path.Combine([Folder, "node_modules", .. parts]);

    private static string Default()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "WasmJit.sln"))) folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder ?? ".", "artifacts", "guests");
    }
}
