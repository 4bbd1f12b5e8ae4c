using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>How a function was given to RyuJIT.</summary>
/// <param name="Parts">How many methods the function has become, the one in front of them not counted.</param>
/// <param name="IsOutlined">Whether it is a method that is inlined into another.</param>
/// <param name="SlowParts">How many of the parts are not optimised.</param>
/// <param name="Slow">Why those, or the function, are not optimised; null if all is.</param>
internal readonly record struct CodeForm(int Parts = 1, bool IsOutlined = false, int SlowParts = 0, SlowCode? Slow = null)
{
    /// <summary>What to say of it behind the size of the code; empty for a function that is one method, and optimised.</summary>
    internal string Describe()
    {
        string shape = Parts > 1 ? $", in {Parts} parts" : IsOutlined ? ", inlined as a whole" : "";
        return Slow is not { } slow ? shape
            : $"{shape}, {(Parts > 1 ? $"{SlowParts} of them " : "")}not optimised: {WasmJitMetrics.Describe(slow)}";
    }
}
