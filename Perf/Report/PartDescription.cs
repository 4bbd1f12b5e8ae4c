namespace WasmJit.Perf;

/// <summary>A measurement that the report shows.</summary>
/// <param name="Name">The name in files of figures.</param>
/// <param name="Title">The heading.</param>
/// <param name="Text">What is measured, and the command that does it.</param>
/// <param name="Unit">The unit of its figures; less is better in all.</param>
/// <param name="Reference">The subject that the others are compared with.</param>
/// <param name="Own">The subject that stands for this engine where versions are compared.</param>
internal sealed record PartDescription(string Name, string Title, string Text, string Unit, string Reference, string Own)
{
    internal const string Engine = "WasmJit", Wasmtime = "Wasmtime", V8 = "V8";

    internal const string Kernels = "kernels", Cold = "cold", Programs = "programs", LaterRuns = "later-runs", WholePrograms = "whole-programs", GuestCode = "guest-code",
        GuestMemory = "guest-memory", MethodJit = "method-jit", Options = "options", NoOption = "none";

    /// <summary>All, in the order of the page.</summary>
    internal static readonly IReadOnlyList<PartDescription> All =
    [
        new(Kernels, "Kernels", "C kernels that are warm, processor time of the thread: the best of several compilations with two runs each (Perf compare).", "ms", Wasmtime, Engine),
        new(Programs, "Programs, first run", "Programs in C from their bytes to the exit of the first run, processor time (Perf programs).", "ms", Wasmtime, Engine),
        new(LaterRuns, "Programs, later runs", "The same programs run again, already compiled, processor time (Perf programs).", "ms", Wasmtime, Engine),
        new(WholePrograms, "Whole processes", "Large programs of others in processes of their own, from the bytes to the end (Perf cold programs).", "s", Wasmtime, Engine),
        new(Cold, "Cold starts", "What runs for the first time: an empty program, a tiny module, kernels once from their bytes (Perf cold).", "ms", Wasmtime, Engine),
        new(GuestCode, "Code that guests make", "A function or module that a guest has just made, from its bytes to its first result (Perf guest-jit).", "µs", V8, "func.new"),
        new(GuestMemory, "Code that guests keep", "What each of many live ones takes of the process (Perf guest-jit).", "KB", V8, "func.new"),
        new(MethodJit, "A guest with a method JIT", "Sprig, a language whose guest compiles itself, beside its interpreter and C (Perf method-jit).", "ms", "interpreted", "compiled"),
        new(Options, "What options cost", "The same kernels with an option of the engine, processor time of the thread (Perf options).", "ms", NoOption, "Interruptible"),
    ];
}
