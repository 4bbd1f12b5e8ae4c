namespace WasmJit.Runtime;

#pragma warning disable CS0649 // Written by generated code.

/// <summary>
/// The place of a loop's variables while code in the loop asks for more fuel. It lies in the frame of that code. So no variable is needed behind the call: RyuJIT would give
/// it no register in the whole loop otherwise.
/// </summary>
internal struct DrawArea
{
    /// <summary>How many variables of a type there is room for.</summary>
    internal const int OfType = 4;

    internal int I0, I1, I2, I3;
    internal long L0, L1, L2, L3;
    internal nint N0, N1, N2, N3;
    internal float F0, F1, F2, F3;
    internal double D0, D1, D2, D3;
}
