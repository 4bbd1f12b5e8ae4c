namespace WasmJit.Runtime;

/// <summary>
/// The limits of RyuJIT. It does not optimise a method (MinOpts) that exceeds one of five: 60,000 bytes of IL, 20,000 instructions, 2,000
/// blocks, 2,000 locals with arguments, and 8,000 uses of them. It looks at the method that it was asked to compile, before it inlines.
/// The numbers here leave some room for what is counted otherwise there.
/// </summary>
internal static class JitLimits
{
    internal const int Bytes = 58_000;
    internal const int Instructions = 19_500;
    internal const int Blocks = 1_950;
    internal const int Locals = 1_950;
    internal const int LocalRefs = 7_900;

    /// <summary>A method with this many bytes of unreachable IL is not optimised.</summary>
    internal const int BytesThatPreventOptimising = 61_000;

    /// <summary>A method with more locals or arguments than these is not inlined.</summary>
    internal const int InlineeLocals = 32, InlineeArguments = 32;
}
