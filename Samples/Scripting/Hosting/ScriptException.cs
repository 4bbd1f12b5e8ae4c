using WasmJit;

namespace Twig;

/// <summary>A script has thrown a value, or done something that cannot be done, and has not caught it.</summary>
public class ScriptException : Exception
{
    internal ScriptException(string message, object? value, object? rawValue, Exception inner)
        : base(message, inner)
    {
        Value = value;
        RawValue = rawValue;
    }

    /// <summary>What was thrown; of mistakes a text with the line in front.</summary>
    public object? Value { get; }

    /// <summary>The same as the guest knows it.</summary>
    internal object? RawValue { get; }

    /// <summary>The functions that were running and are compiled, among those of the interpreter.</summary>
    public IReadOnlyList<WasmFrame> WasmStack => ((WasmException)InnerException!).WasmStack;
}

/// <summary>A script cannot be read.</summary>
public sealed class ScriptSyntaxException : ScriptException
{
    internal ScriptSyntaxException(string message, bool isIncomplete, Exception inner)
        : base(message, message, null, inner) => IsIncomplete = isIncomplete;

    /// <summary>Whether more text could make it right.</summary>
    public bool IsIncomplete { get; }
}
