using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:cli/environment</c>.</summary>
internal static class CliEnvironmentInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state) => AddTo(to, state, "initial-cwd");

    /// <param name="to">The interface.</param>
    /// <param name="state">The host.</param>
    /// <param name="directory">The version's name for the function that gives the first directory.</param>
    internal static void AddTo(InterfaceWriter to, WasiState state, string directory)
    {
        (string, string)[] variables = [.. state.Options.Environment.Select(v => (v.Key, v.Value))];
        string[] arguments = [.. state.Options.Arguments];
        to.Add("get-environment", () => variables);
        to.Add("get-arguments", () => arguments);
        // Guests have the directories that they are given; there is no initial directory for relative paths.
        to.Add(directory, string? () => null);
    }
}

/// <summary><c>wasi:cli/exit</c>.</summary>
internal static class CliExitInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        _ = state;
        to.Add("exit", void (ComponentResult<NoValue, NoValue> status) => throw new WasiExitException(status.IsOk ? 0 : 1));
        to.Add("exit-with-code", void (byte code) => throw new WasiExitException(code));
    }
}

/// <summary><c>wasi:cli/stdin</c>.</summary>
internal static class CliStdinInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("input-stream", state.Types.InputStream);
        to.Add("get-stdin", () => state.Types.InputStream.New(new DescriptorInput(state.Input, state.Waiter, null)));
    }
}

/// <summary><c>wasi:cli/stdout</c>.</summary>
internal static class CliStdoutInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("output-stream", state.Types.OutputStream);
        to.Add("get-stdout", () => state.Types.OutputStream.New(new DescriptorOutput(state.Output, null)));
    }
}

/// <summary><c>wasi:cli/stderr</c>.</summary>
internal static class CliStderrInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("output-stream", state.Types.OutputStream);
        to.Add("get-stderr", () => state.Types.OutputStream.New(new DescriptorOutput(state.Error, null)));
    }
}

/// <summary>What a guest has of a terminal: nothing, for now, but that there is one.</summary>
internal sealed class TerminalHandle : GuestObject
{
    /// <summary>A handle if a standard stream is a terminal.</summary>
    internal static ComponentResource? Of(HostResourceType type, Descriptor stream) =>
        stream is DeviceDescriptor { IsTerminal: true } ? type.New(new TerminalHandle()) : null;
}

/// <summary><c>wasi:cli/terminal-input</c>.</summary>
internal static class CliTerminalInputInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state) => to.Add("terminal-input", state.Types.TerminalInput);
}

/// <summary><c>wasi:cli/terminal-output</c>.</summary>
internal static class CliTerminalOutputInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state) => to.Add("terminal-output", state.Types.TerminalOutput);
}

/// <summary><c>wasi:cli/terminal-stdin</c>.</summary>
internal static class CliTerminalStdinInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("terminal-input", state.Types.TerminalInput);
        to.Add("get-terminal-stdin", ComponentResource? () => TerminalHandle.Of(state.Types.TerminalInput, state.Input));
    }
}

/// <summary><c>wasi:cli/terminal-stdout</c>.</summary>
internal static class CliTerminalStdoutInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("terminal-output", state.Types.TerminalOutput);
        to.Add("get-terminal-stdout", ComponentResource? () => TerminalHandle.Of(state.Types.TerminalOutput, state.Output.Descriptor));
    }
}

/// <summary><c>wasi:cli/terminal-stderr</c>.</summary>
internal static class CliTerminalStderrInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("terminal-output", state.Types.TerminalOutput);
        to.Add("get-terminal-stderr", ComponentResource? () => TerminalHandle.Of(state.Types.TerminalOutput, state.Error.Descriptor));
    }
}
