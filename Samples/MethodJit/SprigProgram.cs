namespace Sprig;

/// <summary>A function in bytecode.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Parameters">How many parameters it has, four at most.</param>
/// <param name="Locals">How many locals, with the parameters.</param>
/// <param name="Begin">Where its bytecode begins, in words.</param>
/// <param name="End">Where it ends.</param>
public sealed record SprigFunction(string Name, int Parameters, int Locals, int Begin, int End);

/// <summary>A program in bytecode: its functions, and the words of all of them. Targets are addresses in the machine's memory.</summary>
public sealed record SprigProgram(IReadOnlyList<SprigFunction> Functions, IReadOnlyList<int> Words)
{
    /// <summary>Where bytecode begins in the machine's memory.</summary>
    internal const int CodeAt = 16384;

    /// <summary>The address of a word.</summary>
    internal static int AddressOf(int word) => CodeAt + (4 * word);
}

/// <summary>A text is not a program.</summary>
public sealed class SprigException(string message) : Exception(message);
