namespace WasmJit.Text;

/// <summary>The sorts of what components define. The low byte is the sort's code; core sorts are below 0x100.</summary>
internal enum ItemSort : ushort
{
    CoreFunc = 0x00,
    CoreTable = 0x01,
    CoreMemory = 0x02,
    CoreGlobal = 0x03,
    CoreTag = 0x04,
    CoreType = 0x10,
    CoreModule = 0x11,
    CoreInstance = 0x12,
    Func = 0x101,
    Value = 0x102,
    Type = 0x103,
    Component = 0x104,
    Instance = 0x105,
}

/// <summary>What is true of sorts.</summary>
internal static class ItemSorts
{
    private static readonly ItemSort[] All = Enum.GetValues<ItemSort>();

    internal static bool IsCore(this ItemSort sort) => (int)sort < 0x100;

    /// <summary>Whether instances of core modules export it.</summary>
    internal static bool IsCoreExport(this ItemSort sort) => sort <= ItemSort.CoreTag;

    /// <summary>Whether an alias can name one of an enclosing component.</summary>
    internal static bool IsOuter(this ItemSort sort) => sort is ItemSort.CoreModule or ItemSort.CoreType or ItemSort.Component or ItemSort.Type;

    /// <summary>The keyword without the core prefix.</summary>
    internal static string Keyword(this ItemSort sort) => sort switch
    {
        ItemSort.CoreFunc or ItemSort.Func => "func",
        ItemSort.CoreTable => "table",
        ItemSort.CoreMemory => "memory",
        ItemSort.CoreGlobal => "global",
        ItemSort.CoreTag => "tag",
        ItemSort.CoreType or ItemSort.Type => "type",
        ItemSort.CoreModule => "module",
        ItemSort.CoreInstance or ItemSort.Instance => "instance",
        ItemSort.Value => "value",
        _ => "component",
    };

    /// <summary>The keywords, as an error names the sort.</summary>
    internal static string Title(this ItemSort sort) => sort.IsCore() ? $"core {sort.Keyword()}" : sort.Keyword();

    /// <summary>The sort of a keyword, null if there is none.</summary>
    internal static ItemSort? Find(string keyword, bool isCore)
    {
        foreach (ItemSort sort in All)
            if (sort.IsCore() == isCore && sort.Keyword() == keyword) return sort;
        return null;
    }

    /// <summary>Writes a sort where all sorts are possible.</summary>
    internal static void Write(this ItemSort sort, ByteWriter writer)
    {
        if (sort.IsCore()) writer.U8(0);
        writer.U8((byte)sort);
    }
}
