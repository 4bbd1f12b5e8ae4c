using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>An item of a scope.</summary>
/// <param name="Sort">The kind (<see cref="ExternByte"/>), a type or what exports have.</param>
/// <param name="Index">The index in the module.</param>
internal readonly record struct ScopeItem(byte Sort, uint Index)
{
    /// <summary>The kind; null for a type.</summary>
    internal ExternKind? Kind => ExternByte.KindOf(Sort);
}

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
            if (item.Index < (uint)CountOf(item.Kind)) continue;
            string name = item.Kind is { } kind ? ExportNames.NameOf(kind) : "type";
            throw new InvalidModuleException($"unknown {name} {item.Index}", Offset);
        }
    }

    private int CountOf(ExternKind? kind) => kind is { } known ? Module.CountOf(known) : Module.Types.Count;

    /// <summary>The index spaces inside: everything counts as imported. All functions of the scope share them.</summary>
    internal ModuleContents Contents => contents ?? Interlocked.CompareExchange(ref contents, MakeContents(), null) ?? contents;

    private ModuleContents MakeContents()
    {
        var inside = ModuleContents.Root(ReadOnlyMemory<byte>.Empty, Module.Settings);
        foreach (ScopeItem item in items)
        {
            if (item.Kind is { } kind) inside.AddItem(Module.TypeOf(kind, item.Index), Offset, uint.MaxValue);
            else inside.Types.Add(Module.Types[(int)item.Index]);
        }
        // As with exports: code that is given a function may refer to it.
        foreach (FuncInfo func in inside.Funcs) func.Declare();
        inside.Complete();
        return inside;
    }
}
