using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>An item of a scope.</summary>
/// <param name="Sort">The kind (<see cref="ExternByte"/>), a type or what exports have.</param>
/// <param name="Index">The index in the module.</param>
internal readonly record struct ScopeItem(byte Sort, uint Index);

/// <summary>
/// A scope: what functions that are made at run time may refer to. Its items have index spaces of their own, in the order in which they are listed.
/// </summary>
/// <param name="module">The module that declares it.</param>
/// <param name="items">Its items.</param>
/// <param name="offset">Where it is in the bytes.</param>
internal sealed class ScopeInfo(ModuleInfo module, ScopeItem[] items, int offset)
{
    private ModuleContents? contents;

    internal ModuleInfo Module { get; } = module;

    internal IReadOnlyList<ScopeItem> Items { get; } = items;

    internal int Offset { get; } = offset;

    /// <exception cref="InvalidModuleException">An item is not in the module.</exception>
    internal void Check()
    {
        foreach (ScopeItem item in items)
        {
            if (item.Index < (uint)CountOf(item.Sort)) continue;
            string kind = item.Sort == ExternByte.Type ? "type" : ExportNames.NameOf(KindOf(item.Sort));
            throw new InvalidModuleException($"unknown {kind} {item.Index}", Offset);
        }
    }

    private int CountOf(byte sort) => sort == ExternByte.Type ? Module.Types.Count : Module.CountOf(KindOf(sort));

    /// <summary>The kind of an item that is not a type.</summary>
    internal static ExternKind KindOf(byte sort) => sort switch
    {
        ExternByte.Func => ExternKind.Func,
        ExternByte.Table => ExternKind.Table,
        ExternByte.Memory => ExternKind.Memory,
        ExternByte.Global => ExternKind.Global,
        ExternByte.Tag => ExternKind.Tag,
        _ => throw new ArgumentException("The item is a type.", nameof(sort)),
    };

    /// <summary>The index spaces inside: everything counts as imported. All functions of the scope share them.</summary>
    internal ModuleContents Contents => contents ?? Interlocked.CompareExchange(ref contents, MakeContents(), null) ?? contents;

    private ModuleContents MakeContents()
    {
        var inside = ModuleContents.Root(ReadOnlyMemory<byte>.Empty, Module.Settings);
        foreach (ScopeItem item in items)
        {
            if (item.Sort == ExternByte.Type) inside.Types.Add(Module.Types[(int)item.Index]);
            else inside.AddItem(Module.TypeOf(KindOf(item.Sort), item.Index), Offset, uint.MaxValue);
        }
        // As with exports: whoever is given a function may refer to it.
        foreach (FuncInfo func in inside.Funcs) func.Declare();
        inside.Complete();
        return inside;
    }
}
