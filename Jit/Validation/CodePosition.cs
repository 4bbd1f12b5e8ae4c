namespace WasmJit.Jit.Validation;

/// <summary>The place of the operator that is being validated, for errors.</summary>
internal sealed class CodePosition
{
    /// <summary>The operator's offset in the module.</summary>
    internal int Offset { get; set; }

    internal InvalidModuleException Error(string reason) => new(reason, Offset);
}
