namespace WasmJit.Wasi.Preview2;

/// <summary>All interfaces of WASI 0.2 that a host gives. A test compares the functions that are added here with those of the specification.</summary>
internal static class Interfaces
{
    /// <summary>The version of the interfaces. A guest may import any other of 0.2: later ones have more functions and change none.</summary>
    internal const string Version = "0.2.8";

    internal static IReadOnlyList<(string Name, Action<InterfaceWriter, WasiState> Add)> All { get; } =
    [
        ("wasi:io/error", IoErrorInterface.AddTo),
        ("wasi:io/poll", IoPollInterface.AddTo),
        ("wasi:io/streams", IoStreamsInterface.AddTo),
        ("wasi:clocks/monotonic-clock", ClocksMonotonicInterface.AddTo),
        ("wasi:clocks/wall-clock", ClocksWallInterface.AddTo),
        ("wasi:clocks/timezone", ClocksTimezoneInterface.AddTo),
        ("wasi:random/random", RandomInterface.AddTo),
        ("wasi:random/insecure", RandomInsecureInterface.AddTo),
        ("wasi:random/insecure-seed", RandomInsecureSeedInterface.AddTo),
        ("wasi:cli/environment", CliEnvironmentInterface.AddTo),
        ("wasi:cli/exit", CliExitInterface.AddTo),
        ("wasi:cli/stdin", CliStdinInterface.AddTo),
        ("wasi:cli/stdout", CliStdoutInterface.AddTo),
        ("wasi:cli/stderr", CliStderrInterface.AddTo),
        ("wasi:cli/terminal-input", CliTerminalInputInterface.AddTo),
        ("wasi:cli/terminal-output", CliTerminalOutputInterface.AddTo),
        ("wasi:cli/terminal-stdin", CliTerminalStdinInterface.AddTo),
        ("wasi:cli/terminal-stdout", CliTerminalStdoutInterface.AddTo),
        ("wasi:cli/terminal-stderr", CliTerminalStderrInterface.AddTo),
        ("wasi:filesystem/types", FilesystemTypesInterface.AddTo),
        ("wasi:filesystem/preopens", FilesystemPreopensInterface.AddTo),
        ("wasi:sockets/network", SocketsNetworkInterface.AddTo),
        ("wasi:sockets/instance-network", SocketsInstanceNetworkInterface.AddTo),
        ("wasi:sockets/ip-name-lookup", SocketsLookupInterface.AddTo),
        ("wasi:sockets/tcp", SocketsTcpInterface.AddTo),
        ("wasi:sockets/tcp-create-socket", SocketsTcpCreateInterface.AddTo),
        ("wasi:sockets/udp", SocketsUdpInterface.AddTo),
        ("wasi:sockets/udp-create-socket", SocketsUdpCreateInterface.AddTo),
        ("wasi:http/types", HttpTypesInterface.AddTo),
        ("wasi:http/outgoing-handler", HttpOutgoingInterface.AddTo),
    ];
}
