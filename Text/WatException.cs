namespace WasmJit;

/// <summary>The text is not in the text format (spec chapter 6).</summary>
public sealed class WatException : WasmJitException
{
    internal WatException(string reason, int line, int column)
        : base($"{reason} (line {line}, column {column})")
    {
        Reason = reason;
        Line = line;
        Column = column;
    }

    /// <summary>The reason, in the words of the official test suite where it has some.</summary>
    public string Reason { get; }

    /// <summary>The line, from 1.</summary>
    public int Line { get; }

    /// <summary>The column, from 1.</summary>
    public int Column { get; }
}
