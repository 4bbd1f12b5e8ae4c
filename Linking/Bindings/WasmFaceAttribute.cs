namespace WasmJit;

/// <summary>
/// The package WasmJit.Generators writes the class that implements this interface over a module, so that <see cref="Instance.As{T}"/> and <see
/// cref="Module.Instantiate{T}"/> need not make one at run time. Without the package nothing changes: the class is made then.
/// </summary>
/// <param name="module">
/// A <c>WasmModule</c> of the project (<c>plugin.wasm</c>) that the interface is compared with when the program is compiled; null to compare it at run time alone.
/// </param>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class WasmFaceAttribute(string? module = null) : Attribute
{
    /// <summary>The module.</summary>
    public string? Module { get; } = module;
}

/// <summary>
/// The package WasmJit.Generators writes the functions that the class gives to guests, for <see cref="Imports.AddObject{T}"/>. The class has to be
/// <c>partial</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class WasmImportsAttribute : Attribute;
