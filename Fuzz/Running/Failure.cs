using System.Text.RegularExpressions;

namespace WasmJit.Fuzz;

/// <summary>What is wrong with how a module ran.</summary>
internal enum FailureKind
{
    /// <summary>The generator failed.</summary>
    Unmade,

    /// <summary>An exception that hosts are not told of.</summary>
    Escaped,

    /// <summary>Code did something else than in the first mode.</summary>
    Differs,

    /// <summary>A generator of programs made a module that is none, or the validator is wrong.</summary>
    Refused,

    /// <summary>A call went on after its time was over.</summary>
    Late,

    /// <summary>The process did not answer.</summary>
    Hang,

    /// <summary>The process ended.</summary>
    Crash,
}

/// <summary>A failure of the engine.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Mode">In which mode.</param>
/// <param name="What">In words, in one line.</param>
internal sealed partial record Failure(FailureKind Kind, string Mode, string What)
{
    /// <summary>Whether another module fails for what is likely the same reason.</summary>
    internal bool IsLike(Failure other)
    {
        if (Kind != other.Kind) return false;
        // What a module computes changes when it shrinks; what is thrown does not.
        return Kind is not (FailureKind.Escaped or FailureKind.Refused) || Reason(What) == Reason(other.What);
    }

    /// <summary>The exception and the beginning of its message, without places in the code.</summary>
    private static string Reason(string text)
    {
        string[] parts = Places().Replace(text, "").Split(" at ");
        return new([.. parts[0].Where(c => !char.IsDigit(c)).Take(120)]);
    }

    [GeneratedRegex("[a-z0-9_.]+ at [0-9a-f]+ of function [0-9]+")]
    private static partial Regex Places();
}
