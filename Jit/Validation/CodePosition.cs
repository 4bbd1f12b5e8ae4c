namespace WasmJit.Jit.Validation;

/// <summary>Where the operator is that is being validated: what is wrong is said of it.</summary>
internal sealed class CodePosition
{
    /// <summary>The operator's offset in the module.</summary>
    internal int Offset { get; set; }

    internal InvalidModuleException Error(string reason) => new(reason, Offset);
}
