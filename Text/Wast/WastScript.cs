namespace WasmJit.Text;

/// <summary>A script in the format of the official test suite: its commands with their lines.</summary>
internal sealed record WastScript(string Path, IReadOnlyList<WastCommand> Commands);

internal abstract record WastCommand(int Line);

/// <summary>How a module is written in a script.</summary>
internal enum WastModuleKind : byte { Text, Binary, Quote }

/// <summary>A module or component of a script. Some commands expect that encoding it fails.</summary>
internal sealed record WastModule(string? Name, WastModuleKind Kind, Func<byte[]> Encode, bool IsComponent = false);

internal sealed record ModuleCommand(int Line, WastModule Module, bool IsDefinition) : WastCommand(Line);

internal sealed record InstanceCommand(int Line, string? Name, string? Definition, bool IsComponent = false) : WastCommand(Line);

internal sealed record RegisterCommand(int Line, string As, string? Name) : WastCommand(Line);

internal enum WastActionKind : byte { Invoke, Get }

internal sealed record WastAction(WastActionKind Kind, string? Module, string Export, IReadOnlyList<WastValue> Args);

internal sealed record ActionCommand(int Line, WastAction Action) : WastCommand(Line);

internal sealed record AssertReturn(int Line, WastAction Action, IReadOnlyList<WastValue> Results) : WastCommand(Line);

/// <summary>A command that expects a failure: a trap, exhaustion, an exception, or a module that is malformed, invalid or unlinkable.</summary>
internal sealed record AssertFailure(int Line, string Kind, WastAction? Action, WastModule? Module, string Message) : WastCommand(Line);

internal sealed record ThreadCommand(int Line, string Name, string? Shared, IReadOnlyList<WastCommand> Commands) : WastCommand(Line);

internal sealed record WaitCommand(int Line, string Name) : WastCommand(Line);

/// <summary>An argument, or a pattern of an expected result.</summary>
internal abstract record WastValue;

internal enum NanKind : byte { None, Canonical, Arithmetic }

internal sealed record WastNumber(ValKind Kind, ulong Bits, NanKind Nan = NanKind.None) : WastValue
{
    public override string ToString() => Nan != NanKind.None ? $"nan:{Nan.ToString().ToLowerInvariant()}" : Kind switch
    {
        ValKind.I32 => $"{(int)Bits}",
        ValKind.I64 => $"{(long)Bits}",
        ValKind.F32 => FloatText.Of32((uint)Bits),
        _ => FloatText.Of64(Bits),
    };
}

internal sealed record WastVector(ValKind LaneKind, int LaneBits, IReadOnlyList<WastNumber> Lanes) : WastValue
{
    public override string ToString() =>
        $"{(LaneKind is ValKind.F32 or ValKind.F64 ? 'f' : 'i')}{LaneBits}x{Lanes.Count} {string.Join(' ', Lanes)}";
}

/// <summary>A reference: its keyword (null, extern, host, func, any, eq, i31, struct, array, exn), and a host's number.</summary>
internal sealed record WastReference(string Kind, int? Number) : WastValue
{
    public override string ToString() => $"ref.{Kind}{(Number is { } number ? $" {number}" : "")}";
}

internal sealed record WastEither(IReadOnlyList<WastValue> Choices) : WastValue
{
    public override string ToString() => $"one of {string.Join(", ", Choices)}";
}

/// <summary>The host's value for <c>(ref.extern n)</c>.</summary>
internal sealed record HostReference(int Number);
