namespace WasmJit;

/// <summary>The bytes are not a module that can run: malformed, or invalid.</summary>
public abstract class ModuleException : WasmJitException
{
    private protected ModuleException(string reason, long offset, int? function, string? name, Exception? inner = null)
        : base(Describe(reason, offset, function, name), inner)
    {
        Reason = reason;
        Offset = offset;
        FunctionIndex = function;
        FunctionName = name;
    }

    /// <summary>The reason, in the specification's words where it has some.</summary>
    public string Reason { get; }

    /// <summary>Where in the module, in bytes from its start; -1 if it is not a single place.</summary>
    public long Offset { get; }

    /// <summary>The function, if it is one's body.</summary>
    public int? FunctionIndex { get; }

    /// <summary>The function's name from the names section.</summary>
    public string? FunctionName { get; }

    private static string Describe(string reason, long offset, int? function, string? name)
    {
        string text = reason;
        if (offset >= 0) text += $" (at byte 0x{offset:x}";
        if (function is { } f) text += $"{(offset >= 0 ? ", " : " (")}in function {f}{(name is null ? "" : $" ${name}")}";
        return offset >= 0 || function is not null ? text + ")" : text;
    }
}

/// <summary>The bytes do not follow the binary format (spec chapter 5).</summary>
public sealed class MalformedModuleException : ModuleException
{
    internal MalformedModuleException(string reason, long offset, int? function = null, string? name = null)
        : base(reason, offset, function, name)
    {
    }
}

/// <summary>The module is well-formed and breaks a rule of validation (spec chapter 3), or needs a feature that is off.</summary>
public sealed class InvalidModuleException : ModuleException
{
    internal InvalidModuleException(string reason, long offset, int? function = null, string? name = null)
        : base(reason, offset, function, name)
    {
    }
}

/// <summary>The module is valid and uses a proposal that this version does not compile, or is beyond a limit of it.</summary>
public sealed class UnsupportedModuleException : ModuleException
{
    internal UnsupportedModuleException(string what, long offset = -1, Exception? inner = null)
        : base($"not supported by this version: {what}", offset, null, null, inner)
    {
    }
}
