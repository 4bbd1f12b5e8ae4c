using WasmJit.Runtime;

namespace WasmJit.Jit.Binary;

/// <summary>
/// What comes about when a decoded module is validated and compiled; one for each <see cref="ModuleInfo"/>, which itself never
/// changes. What the layers above keep here has types that they derive from those below.
/// </summary>
internal sealed class CompilationState(GcBatch gcBatch)
{
    private readonly Dictionary<(uint Type, string Name), int> exportNumbers = [];

    /// <summary>Where classes for struct and array types are made that the process does not have yet; one for the whole.</summary>
    internal GcBatch GcBatch { get; } = gcBatch;

    /// <summary>Whether the code has tail calls; known when the module has been validated.</summary>
    internal bool HasTailCalls { get; set; }

    /// <summary>Whether code uses the runtime-linking extension; known when the module has been validated.</summary>
    internal bool CodeUsesLinking { get; set; }

    /// <summary>The code, shared by all instances of the module and, if it is nested, by all closures of it.</summary>
    internal AttachedCode? Code;

    private AttachedInlining?[]? inlining;

    /// <summary>What is known of a function for putting it into its callers; null until somebody asks.</summary>
    internal ref AttachedInlining? InliningOf(int func, int funcs)
    {
        if (inlining is null) Interlocked.CompareExchange(ref inlining, new AttachedInlining?[funcs], null);
        return ref inlining[func];
    }

    /// <summary>What code of the module has found with <c>get_export</c>.</summary>
    internal ExportCache ExportCache { get; } = new();

    /// <summary>The number of a name that code asks instances of a type for; a type without index is the highest number.</summary>
    internal int NumberOfExport(uint type, string name)
    {
        lock (exportNumbers)
        {
            if (!exportNumbers.TryGetValue((type, name), out int number)) exportNumbers[(type, name)] = number = exportNumbers.Count;
            return number;
        }
    }
}

/// <summary>The code of a module, kept with its <see cref="CompilationState"/>; <c>FunctionCode</c> is the only class of this kind.</summary>
internal abstract class AttachedCode;

/// <summary>What is known of a function for putting it into its callers; <c>InlineInfo</c> is the only class of this kind.</summary>
internal abstract class AttachedInlining;
