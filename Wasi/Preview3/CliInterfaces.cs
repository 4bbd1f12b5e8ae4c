using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>error-code</c> of <c>wasi:cli</c>.</summary>
internal enum CliError
{
    Io,
    IllegalByteSequence,
    Pipe,
}

/// <summary><c>wasi:cli/environment</c>.</summary>
internal static class CliEnvironmentInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state) => Preview2.CliEnvironmentInterface.AddTo(to, state, "get-initial-cwd");
}

/// <summary><c>wasi:cli/stdin</c>, <c>stdout</c> and <c>stderr</c>.</summary>
internal static class CliStreams
{
    private static bool Code(Exception exception, out CliError code)
    {
        Errno? error = SystemErrors.Of(exception);
        code = error switch { Errno.Pipe => CliError.Pipe, Errno.Ilseq => CliError.IllegalByteSequence, _ => CliError.Io };
        return error is not null;
    }

    internal static void AddInput(InterfaceWriter to, WasiState state) =>
        to.Add("read-via-stream", () => SourceStream<CliError>.Open(() => new DescriptorInput(state.Input, state.Waiter, null), Code));

    internal static void AddOutput(InterfaceWriter to, WasiState state) => Add(to, state, state.Output);

    internal static void AddError(InterfaceWriter to, WasiState state) => Add(to, state, state.Error);

    private static void Add(InterfaceWriter to, WasiState state, OutputSink sink) =>
        to.Add("write-via-stream", (Stream data) => state.AddWriter(Sink.WriteAsync<CliError>(data, () => new DescriptorOutput(sink, null), Code)));
}
