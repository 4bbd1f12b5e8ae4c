using WasmJit.Jit.Binary;
using WasmJit.Jit.Symbols;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Debugging information that is wrong costs a bounded time and gives an answer all the same.</summary>
public sealed class DebugInfoTests
{
    private static ModuleInfo Decode(string name) =>
        ModuleDecoder.Decode(File.ReadAllBytes(Golden.InRepository($"Tests/Programs/Debug/{name}.wasm")), DecodeSettings.All);

    private static Dictionary<string, byte[]> SectionsOf(ModuleInfo module) =>
        module.CustomSections.ToDictionary(s => s.Name, s => module.Bytes.Slice(s.Start, s.Length).ToArray());

    private static DebugInfo Info(Dictionary<string, byte[]> sections) => new(new DebugSections(name => sections.GetValueOrDefault(name)));

    /// <summary>Addresses of instructions of all functions.</summary>
    private static int[] Addresses(ModuleInfo module)
    {
        int code = module.Funcs[0].BodyStart - 2;
        return [.. module.Funcs.SelectMany(f => Enumerable.Range(f.BodyStart - code, f.BodyEnd - f.BodyStart)).Where((_, i) => i % 5 == 0)];
    }

    [Theory]
    [InlineData("faults-dwarf4")]
    [InlineData("faults-dwarf5")]
    [InlineData("names")]
    public void SectionsWithChangedBytesAreHarmless(string name)
    {
        ModuleInfo module = Decode(name);
        Dictionary<string, byte[]> sections = SectionsOf(module);
        string[] names = [.. sections.Keys.Where(k => k.StartsWith(".debug", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        int[] addresses = Addresses(module);
        var random = new Random(5);
        int found = 0;
        for (int i = 0; i < 3000; i++)
        {
            string changed = names[random.Next(names.Length)];
            byte[] copy = [.. sections[changed]];
            for (int j = random.Next(3); j >= 0; j--) copy[random.Next(copy.Length)] = random.Next(4) == 0 ? (byte)0xff : (byte)random.Next(256);
            if (random.Next(10) == 0) copy = copy[..random.Next(copy.Length)];
            DebugInfo info = Info(new Dictionary<string, byte[]>(sections) { [changed] = copy });
            found += info.Find((ulong)addresses[random.Next(addresses.Length)]).Count;
        }
        Assert.True(found > 500);
    }

    [Fact]
    public void UnitsThatShareOneLargeLineTableEnd()
    {
        // A program of lines without end, and as many units as there is room for, each of which would run it.
        ModuleInfo module = Decode("faults-dwarf4");
        Dictionary<string, byte[]> sections = SectionsOf(module);
        byte[] lines = sections[".debug_line"], large = new byte[8 << 20];
        lines.CopyTo(large, 0);
        large.AsSpan(lines.Length).Fill(1);
        BitConverter.TryWriteBytes(large, large.Length - 4);
        sections[".debug_line"] = large;
        DebugInfo info = Info(sections);
        int answers = 0;
        // Every question runs it once, until all that a module may cost is used up. Without that this would take minutes.
        for (ulong address = 1; address < 2000; address++) answers += info.Find(address).Count;
        Assert.True(info.IsSpent);
        Assert.True(answers > 0);
    }

    [Fact]
    public void NamesThatReferToEachOtherEnd()
    {
        // Each reference leads to the entry itself: the abbreviation's form of the origin is kept, its value changed.
        ModuleInfo module = Decode("faults-dwarf4");
        Dictionary<string, byte[]> sections = SectionsOf(module);
        byte[] info = sections[".debug_info"];
        for (int at = 11; at + 4 <= info.Length; at++)
        {
            byte[] copy = [.. info];
            BitConverter.TryWriteBytes(copy.AsSpan(at), at);
            var changed = Info(new Dictionary<string, byte[]>(sections) { [".debug_info"] = copy });
            foreach (int address in Addresses(module)) Assert.True(changed.Find((ulong)address).Count < 100);
        }
    }
}
