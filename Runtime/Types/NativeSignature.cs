namespace WasmJit.Runtime;

/// <summary>
/// The .NET form of a function type, kept with the type. The layer above makes it; its <c>Signature</c> is the only class of this kind.
/// </summary>
internal abstract class NativeSignature
{
    /// <summary>The instance, then the wasm parameters.</summary>
    internal abstract Type[] Parameters { get; }

    /// <summary>void, the one result, or a ValueTuple of all.</summary>
    internal abstract Type Return { get; }

    /// <summary>The bytes that a call passes: all arguments and results, as if none were in registers.</summary>
    internal abstract int PassedBytes { get; }
}
