namespace WasmJit.Jit.Emit;

/// <summary>
/// Where the wasm locals are: those of the function being emitted, and of functions inlined into it. A local is named by its place.
/// </summary>
internal sealed class LocalPlaces
{
    private readonly List<(bool IsArg, int Index)> places = [];
    private readonly List<ValType> types = new(8);

    /// <summary>How many there are.</summary>
    internal int Count => places.Count;

    /// <summary>The argument or IL local in which a wasm local is kept.</summary>
    internal (bool IsArg, int Index) this[int place] => places[place];

    /// <summary>
    /// The declared type of a local: what is in it is of this type, whatever an operand read from it or stored to it is.
    /// </summary>
    internal ValType TypeOf(int place) => types[place];

    /// <summary>Gives a local its place; the operand reads it.</summary>
    internal Operand Declare(ValType type, (bool IsArg, int Index) place)
    {
        places.Add(place);
        types.Add(type);
        return new Operand { Kind = OperandKind.Local, Type = type, Index = places.Count - 1 };
    }
}
