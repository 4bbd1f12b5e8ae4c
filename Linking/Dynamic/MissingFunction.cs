using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// Stands in the table for a function whose address a library has and that nobody defines. What type it is called with is not known
/// there, so that the call does not get further than the comparison of types, which tells this from other mismatches.
/// </summary>
internal sealed class MissingFunction(string library, string symbol) : ISlotTrap
{
    private static readonly DefType NoType = DefType.Of(new FuncType([], []));

    /// <inheritdoc/>
    public TrapException Trap => Runtime.Trap.Make(TrapKind.UnknownImport, $"{library}: undefined symbol: {symbol}");

    /// <summary>The function, of the one type that can be called without being told apart.</summary>
    internal FuncRef Make() => Jit.HostAdapter.MakeFunc((Action)Call, NoType);

    private void Call() => throw Trap;
}
