using System.Text.RegularExpressions;

namespace WasmJit.Fuzz;

/// <summary>Kinds of failures.</summary>
internal enum FailureKind
{
    /// <summary>The generator failed.</summary>
    Unmade,

    /// <summary>An undocumented exception.</summary>
    Escaped,

    /// <summary>The behaviour differs from that in the first mode.</summary>
    Differs,

    /// <summary>The module of a generator of programs is invalid: the generator or the validator is wrong.</summary>
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
/// <param name="Mode">The mode.</param>
/// <param name="What">A description in one line.</param>
internal sealed partial record Failure(FailureKind Kind, string Mode, string What)
{
    /// <summary>Whether another failure probably has the same cause.</summary>
    internal bool IsLike(Failure other)
    {
        if (Kind != other.Kind) return false;
        // Results change when a module shrinks. Exceptions do not.
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
