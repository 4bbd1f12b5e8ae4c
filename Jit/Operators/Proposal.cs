namespace WasmJit.Jit.Operators;

/// <summary>A proposal (or chapter) to which operators belong.</summary>
/// <param name="Name">Its name in the operator table.</param>
/// <param name="Title">Its title in the reference of operators.</param>
/// <param name="Feature">The feature with which the host switches its operators off; <see cref="Features.None"/> if it cannot.</param>
internal sealed record Proposal(string Name, string Title, Features Feature = Features.None)
{
    internal static readonly Proposal RuntimeLinking = new("runtime-linking", "Runtime linking");
    internal static readonly Proposal RuntimeCompile = new("runtime-compile", "Runtime compilation");

    /// <summary>All of them, in the order of the reference.</summary>
    internal static readonly Proposal[] All =
    [
        new("core", "Core"),
        new("sign-extension", "Sign extension"),
        new("sat-float-to-int", "Saturating truncation"),
        new("bulk-memory", "Bulk memory and tables"),
        new("reference-types", "Reference types", Features.ReferenceTypes),
        new("tail-call", "Tail calls", Features.TailCalls),
        new("function-references", "Typed function references", Features.FunctionReferences),
        new("gc", "Garbage collection", Features.Gc),
        new("exceptions", "Exceptions", Features.Exceptions),
        new("legacy-exceptions", "Legacy exceptions", Features.LegacyExceptions),
        new("simd", "SIMD", Features.Simd),
        new("relaxed-simd", "Relaxed SIMD", Features.RelaxedSimd),
        new("threads", "Threads", Features.Threads),
        new("wide-arithmetic", "Wide arithmetic", Features.WideArithmetic),
        new("custom-descriptors", "Custom descriptors", Features.CustomDescriptors),
        RuntimeLinking,
        RuntimeCompile,
    ];

    /// <summary>Whether it is part of the runtime-linking extension, which a module must be allowed to use.</summary>
    internal bool IsLinking => ReferenceEquals(this, RuntimeLinking) || ReferenceEquals(this, RuntimeCompile);

    /// <exception cref="FormatException">There is no such proposal.</exception>
    internal static Proposal Of(ReadOnlySpan<char> name)
    {
        foreach (Proposal proposal in All)
            if (name.SequenceEqual(proposal.Name)) return proposal;
        throw new FormatException($"Unknown proposal '{name}' in the operator table.");
    }

    public override string ToString() => Name;
}
