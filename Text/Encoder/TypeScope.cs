using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>
/// The inside of a module or instance type. It has a type index space of its own, empty at first: a name of an enclosing type, or of a
/// type of the module, stands for an alias; a number is an index of its own.
/// </summary>
/// <param name="outer">The type around it.</param>
internal sealed class TypeScope(TypeScope? outer)
{
    private readonly Dictionary<(uint Depth, uint Index), uint> aliases = [];
    private readonly Dictionary<string, uint> plain = [];

    internal TypeScope? Outer { get; } = outer;

    /// <summary>How many such types there are, from this one outwards.</summary>
    internal uint Level { get; } = outer is null ? 1 : outer.Level + 1;

    internal Dictionary<string, uint> Names { get; } = [];

    /// <summary>The definitions so far, without their number.</summary>
    internal ByteWriter Definitions { get; } = new();

    internal uint Count { get; private set; }

    internal uint Types { get; private set; }

    internal void Add(ByteWriter item)
    {
        Definitions.Bytes(item.Span);
        Count++;
    }

    internal uint FindOrAdd(ByteWriter body) => plain.TryGetValue(ModuleTypes.KeyOf(body.Span), out uint known) ? known : Define(body);

    /// <summary>Adds a type; a type use may find it.</summary>
    internal uint Define(ByteWriter body)
    {
        Definitions.U8(DefinitionByte.Type);
        Definitions.Bytes(body.Span);
        Count++;
        plain.TryAdd(ModuleTypes.KeyOf(body.Span), Types);
        return Types++;
    }

    /// <summary>The index of a type of an enclosing thing.</summary>
    internal uint Alias(uint depth, uint index) => aliases.TryGetValue((depth, index), out uint known) ? known : DefineAlias(depth, index);

    internal uint DefineAlias(uint depth, uint index)
    {
        Definitions.U8(DefinitionByte.Alias);
        Definitions.Bytes(AliasItem.Outer(ExternByte.Type, depth, index));
        Count++;
        aliases.TryAdd((depth, index), Types);
        return Types++;
    }
}
