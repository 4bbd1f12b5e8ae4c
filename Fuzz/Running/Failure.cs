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
internal sealed record Failure(FailureKind Kind, string Mode, string What)
{
    /// <summary>Whether another module fails for what is likely the same reason.</summary>
    internal bool IsLike(Failure other)
    {
        if (Kind != other.Kind) return false;
        // What a module computes changes when it shrinks; what is thrown does not.
        return Kind is not (FailureKind.Escaped or FailureKind.Refused) || Reason(What) == Reason(other.What);
    }

    private static string Reason(string text) => new([.. text.TakeWhile(c => c != ':'), .. text.SkipWhile(c => c != ':').Take(40).Where(c => !char.IsDigit(c))]);
}
