using System.Text;

namespace WasmJit.Tests.PublicApi;

/// <summary>The custom sections of shared libraries, in the text format.</summary>
internal static class DylinkText
{
    /// <summary>What libraries of 32 bits import of the loader.</summary>
    internal const string Base = """
        (import "env" "memory" (memory 0)) (import "env" "__indirect_function_table" (table $table 0 funcref))
        (import "env" "__memory_base" (global $memory_base i32)) (import "env" "__table_base" (global $table_base i32))
        """;

    /// <summary>The section "dylink.0".</summary>
    internal static string Dylink(
        uint memory = 0, uint align = 0, uint table = 0, string[]? needed = null, string[]? weak = null, string[]? path = null, string[]? threadLocal = null)
    {
        var bytes = new List<byte>();
        void Sub(byte kind, Action<List<byte>> write)
        {
            var content = new List<byte>();
            write(content);
            bytes.Add(kind);
            Leb(bytes, (uint)content.Count);
            bytes.AddRange(content);
        }
        Sub(1, c => Sizes(c, memory, align, table));
        if (needed is not null) Sub(2, c => Texts(c, needed));
        if (threadLocal is not null) Sub(3, c => { Leb(c, (uint)threadLocal.Length); foreach (string t in threadLocal) { Text(c, t); Leb(c, 0x100); } });
        if (weak is not null) Sub(4, c => { Leb(c, (uint)weak.Length); foreach (string w in weak) { Text(c, "env"); Text(c, w); Leb(c, 0x11); } });
        if (path is not null) Sub(5, c => Texts(c, path));
        return Section("dylink.0", bytes);
    }

    /// <summary>The section "dylink" of older tools.</summary>
    internal static string OldDylink(uint memory = 0, uint align = 0, uint table = 0, params string[] needed)
    {
        var bytes = new List<byte>();
        Sizes(bytes, memory, align, table);
        Texts(bytes, needed);
        return Section("dylink", bytes);
    }

    private static string Section(string name, List<byte> bytes) =>
        $"(@custom \"{name}\" (before first) \"{string.Concat(bytes.Select(b => $"\\{b:x2}"))}\")";

    private static void Sizes(List<byte> to, uint memory, uint align, uint table)
    {
        Leb(to, memory);
        Leb(to, align);
        Leb(to, table);
        Leb(to, 0);
    }

    private static void Texts(List<byte> to, string[] texts)
    {
        Leb(to, (uint)texts.Length);
        foreach (string text in texts) Text(to, text);
    }

    private static void Text(List<byte> to, string text)
    {
        Leb(to, (uint)Encoding.UTF8.GetByteCount(text));
        to.AddRange(Encoding.UTF8.GetBytes(text));
    }

    private static void Leb(List<byte> to, uint value)
    {
        for (; value >= 0x80; value >>= 7) to.Add((byte)(value | 0x80));
        to.Add((byte)value);
    }
}
