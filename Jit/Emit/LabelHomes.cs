using System.Collections.Immutable;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The temporaries of labels with many values. They depend on height and type alone, so that blocks in each other share them, and a value that is
/// passed on from one to another stays where it is. Otherwise each byte of a <c>br_table</c> would be thousands of instructions. A home is written
/// only where control goes to a label, and then the operand at its height is the one written. So operands that are in homes stay there until they are
/// used, as long as none moves to another height.
/// </summary>
internal sealed class LabelHomes(IlBuffer il)
{
    /// <summary>Labels with more values than this have them in homes.</summary>
    internal const int MostOwnTemps = 4;

    /// <summary>By height of the operand stack, one for each CLR type.</summary>
    private readonly Dictionary<(int Height, Type Type), int> homes = [];
    private readonly Dictionary<(int Height, ImmutableArray<ValType> Types), int[]> homesOf = [];

    /// <summary>Whether the temporaries of a label are homes.</summary>
    internal static bool Are(int[] temps) => temps.Length > MostOwnTemps;

    /// <summary>The homes of values from a height on.</summary>
    internal int[] Of(int height, ImmutableArray<ValType> types)
    {
        // Blocks of one type have one list of types.
        if (homesOf.TryGetValue((height, types), out int[]? temps)) return temps;
        homesOf.Add((height, types), temps = new int[types.Length]);
        for (int i = 0; i < temps.Length; i++)
        {
            (int, Type) key = (height + i, Signature.ClrType(types[i]));
            if (!homes.TryGetValue(key, out temps[i])) homes.Add(key, temps[i] = il.DeclareLocal(key.Item2));
        }
        return temps;
    }
}
