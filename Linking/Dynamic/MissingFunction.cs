using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// Stands in the table for a function whose address a library has and that is not defined anywhere. Its real type is unknown, so it has the type
/// <c>func ()</c>: calls with any other type fail the comparison of types, which asks <see cref="ISlotTrap"/> for this message; calls with that type
/// throw the same.
/// </summary>
internal sealed class MissingFunction(string library, string symbol) : ISlotTrap
{
    private static readonly DefType NoType = DefType.Of(new FuncType([], []));

    /// <inheritdoc/>
    public TrapException Trap => Runtime.Trap.Make(TrapKind.UnknownImport, $"{library}: undefined symbol: {symbol}");

    /// <summary>The function, with the type <c>func ()</c>.</summary>
    internal FuncRef Make() => HostAdapter.MakeFunc((Action)Call, NoType);

    private void Call() => throw Trap;
}
