namespace WasmJit.Runtime;

/// <summary>
/// A decoded module, as types and instances of this layer refer to it. The layer above knows its contents; its <c>ModuleInfo</c> is the only class of
/// this kind.
/// </summary>
internal abstract class ModuleDefinition;
