namespace WasmJit;

/// <summary>Why a saved module is not loaded.</summary>
public enum SavedModuleProblem
{
    /// <summary>The file was not saved by this library.</summary>
    NotSaved,

    /// <summary>The file, or the module in it, is not as it was saved.</summary>
    Damaged,

    /// <summary>It was saved by another version or build, or under another version of .NET. The module must be compiled again.</summary>
    OtherVersion,

    /// <summary>It was saved for another kind of machine.</summary>
    OtherPlatform,

    /// <summary>Its code does not do what the engine's options ask for: check memories, look for cancellation, count fuel.</summary>
    OtherOptions,

    /// <summary>It uses a part of WebAssembly, or of the runtime-linking extension, that the engine's options do not allow.</summary>
    NotAllowed,
}

/// <summary>A saved module cannot be loaded.</summary>
public sealed class SavedModuleException : WasmJitException
{
    internal SavedModuleException(SavedModuleProblem problem, string message)
        : base(message) => Problem = problem;

    /// <summary>What is wrong.</summary>
    public SavedModuleProblem Problem { get; }
}
