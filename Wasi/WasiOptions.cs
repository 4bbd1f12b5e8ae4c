namespace WasmJit;

/// <summary>What a WASI guest is given. Nothing is given by default but the standard streams of the process.</summary>
public sealed record WasiOptions
{
    /// <summary>The arguments; the first is by custom the program's name.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = ["guest"];

    /// <summary>The environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What the guest reads as standard input; the process's own if null.</summary>
    public Stream? Input { get; init; }

    /// <summary>Where the guest's standard output goes; the process's own if null.</summary>
    public Stream? Output { get; init; }

    /// <summary>Where the guest's standard error goes; the process's own if null.</summary>
    public Stream? Error { get; init; }
}
