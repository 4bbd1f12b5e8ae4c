namespace WasmJit.Runtime;

/// <summary>
/// A module as it was decoded, to which types and instances of this layer refer. What is in it is known to the layer above, whose
/// <c>ModuleInfo</c> is the only class of this kind.
/// </summary>
internal abstract class ModuleDefinition;
