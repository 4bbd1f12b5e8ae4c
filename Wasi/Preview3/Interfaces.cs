using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary>All interfaces of WASI 0.3 that a host gives, beside those of 0.2. A test compares the functions that are added here with those of the specification.</summary>
internal static class Interfaces
{
    /// <summary>The version of the interfaces.</summary>
    internal const string Version = "0.3.0";

    internal static IReadOnlyList<(string Name, Action<InterfaceWriter, WasiState> Add)> All { get; } =
    [
        ("wasi:clocks/monotonic-clock", ClocksMonotonicInterface.AddTo),
        ("wasi:clocks/system-clock", ClocksSystemInterface.AddTo),
        ("wasi:clocks/timezone", ClocksTimezoneInterface.AddTo),
        ("wasi:clocks/types", Nothing),
        ("wasi:random/random", RandomInterfaces.Add),
        ("wasi:random/insecure", RandomInterfaces.AddInsecure),
        ("wasi:random/insecure-seed", RandomInterfaces.AddSeed),
        ("wasi:cli/types", Nothing),
        ("wasi:cli/environment", CliEnvironmentInterface.AddTo),
        ("wasi:cli/exit", CliExitInterface.AddTo),
        ("wasi:cli/stdin", CliStreams.AddInput),
        ("wasi:cli/stdout", CliStreams.AddOutput),
        ("wasi:cli/stderr", CliStreams.AddError),
        ("wasi:cli/terminal-input", CliTerminalInputInterface.AddTo),
        ("wasi:cli/terminal-output", CliTerminalOutputInterface.AddTo),
        ("wasi:cli/terminal-stdin", CliTerminalStdinInterface.AddTo),
        ("wasi:cli/terminal-stdout", CliTerminalStdoutInterface.AddTo),
        ("wasi:cli/terminal-stderr", CliTerminalStderrInterface.AddTo),
        ("wasi:filesystem/types", FilesystemTypesInterface.AddTo),
        ("wasi:filesystem/preopens", FilesystemPreopensInterface.AddTo),
        ("wasi:sockets/types", SocketsTypesInterface.AddTo),
        ("wasi:sockets/ip-name-lookup", SocketsLookupInterface.AddTo),
        ("wasi:http/types", HttpTypesInterface.AddTo),
        ("wasi:http/client", HttpClientInterface.AddTo),
    ];

    /// <summary>Types alone.</summary>
    private static void Nothing(InterfaceWriter to, WasiState state)
    {
        _ = to;
        _ = state;
    }
}
