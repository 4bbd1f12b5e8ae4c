namespace WasmJit.Runtime;

/// <summary>
/// What a function type is for .NET, kept with the type. The layer above makes it; its <c>Signature</c> is the only class of this kind.
/// </summary>
internal abstract class NativeSignature;
