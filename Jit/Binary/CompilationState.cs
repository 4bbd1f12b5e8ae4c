using WasmJit.Runtime;

namespace WasmJit.Jit.Binary;

/// <summary>
/// The results of validating and compiling a decoded module; one for each <see cref="ModuleInfo"/>, which itself never changes. Layers above keep
/// their data here in types that they derive from those below.
/// </summary>
/// <param name="around">That of the module around a nested one.</param>
internal sealed class CompilationState(CompilationState? around)
{
    private Dictionary<(uint Type, string Name), int>? exportNumbers;

    /// <summary>The names by their numbers.</summary>
    private List<string>? exportNames;

    /// <summary>Where classes are made for struct and array types that the process does not have yet; one for the whole module.</summary>
    internal GcBatch GcBatch => around?.GcBatch ?? gcBatch ?? Interlocked.CompareExchange(ref gcBatch, new GcBatch(), null) ?? gcBatch;

    private GcBatch? gcBatch;

    /// <summary>Whether the code has tail calls; known when the module has been validated.</summary>
    internal bool HasTailCalls { get; set; }

    /// <summary>Whether code uses the runtime-linking extension; known when the module has been validated.</summary>
    internal bool CodeUsesLinking { get; set; }

    /// <summary>Whether code may drop or count code: see <see cref="ModuleInfo.MayManageCode"/>.</summary>
    internal Answer MayManageCode { get; set; }

    /// <summary>Whether threads may run the code: see <see cref="ModuleInfo.IsForThreads"/>.</summary>
    internal Answer IsForThreads { get; set; }

    /// <summary>The code, shared by all instances of the module and, if it is nested, by all closures of it.</summary>
    internal AttachedCode? Code;

    private AttachedInlining?[]? inlining;

    /// <summary>The facts about an own function that inlining needs; null until they are asked for.</summary>
    /// <param name="own">Its number among the functions that the module defines.</param>
    /// <param name="count">How many these are. A function made in a large scope has one.</param>
    internal ref AttachedInlining? InliningOf(int own, int count)
    {
        if (inlining is null) Interlocked.CompareExchange(ref inlining, new AttachedInlining?[count], null);
        return ref inlining[own];
    }

    /// <summary>Results of <c>get_export</c> in code of the module.</summary>
    internal ExportCache ExportCache { get; } = new();

    /// <summary>The number of a name that code asks instances of a type for; a type without index is the highest number.</summary>
    internal int NumberOfExport(uint type, string name)
    {
        lock (this)
        {
            exportNumbers ??= [];
            if (!exportNumbers.TryGetValue((type, name), out int number))
            {
                exportNumbers[(type, name)] = number = exportNumbers.Count;
                (exportNames ??= []).Add(name);
            }
            return number;
        }
    }

    /// <summary>The name of such a number.</summary>
    internal string NameOfExport(int number)
    {
        lock (this) return exportNames![number];
    }
}

/// <summary>The answer to a question about a module, which is found when it is first asked.</summary>
internal enum Answer : byte
{
    /// <summary>Not asked yet.</summary>
    Unknown,
    No,
    Yes,
}

/// <summary>The code of a module, kept with its <see cref="CompilationState"/>; <c>FunctionCode</c> is the only class of this kind.</summary>
internal abstract class AttachedCode;

/// <summary>The facts about a function that inlining needs; <c>InlineInfo</c> is the only class of this kind.</summary>
internal abstract class AttachedInlining;
