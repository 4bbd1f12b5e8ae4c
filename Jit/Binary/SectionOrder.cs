namespace WasmJit.Jit;

/// <summary>The sections of a module: their order (spec 5.5.2), and the names that the text format has for them.</summary>
internal static class SectionOrder
{
    private static readonly string[] Names =
        ["", "type", "import", "func", "table", "memory", "global", "export", "start", "elem", "code", "data", "datacount", "tag", "module", "instance", "alias"];

    /// <summary>The place of a section by its id, from 1; -1 for what is no section. Custom sections stand anywhere.</summary>
    internal static int Of(byte id) => id switch
    {
        <= 5 => id,
        13 => 6,
        6 => 7,
        7 => 8,
        8 => 9,
        9 => 10,
        12 => 11,
        10 => 12,
        11 => 13,
        // Module linking: the first sections come in any order.
        14 or 15 or 16 => 2,
        _ => -1,
    };

    /// <summary>Whether a section is one of those that a module of the extension may have in any order, any number of times.</summary>
    internal static bool IsEarly(byte id) => id is 1 or 2 or 14 or 15 or 16;

    internal static string NameOf(byte id) => Names[id];

    /// <summary>The id; 0 if there is no such section.</summary>
    internal static byte IdOf(string name) => (byte)Math.Max(0, Array.IndexOf(Names, name));
}
