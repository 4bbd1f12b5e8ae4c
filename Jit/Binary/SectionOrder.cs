namespace WasmJit.Jit;

/// <summary>The sections of a module: their order (spec 5.5.2), and the names that the text format has for them.</summary>
internal static class SectionOrder
{
    private static readonly string[] Names =
        ["", "type", "import", "func", "table", "memory", "global", "export", "start", "elem", "code", "data", "datacount", "tag"];

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
        _ => -1,
    };

    internal static string NameOf(byte id) => Names[id];

    /// <summary>The id; 0 if there is no such section.</summary>
    internal static byte IdOf(string name) => (byte)Math.Max(0, Array.IndexOf(Names, name));
}
