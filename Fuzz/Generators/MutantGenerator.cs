using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Modules that are truncated, or have a few bytes changed, swapped, deleted or inserted.</summary>
internal sealed class MutantGenerator(IReadOnlyList<ModuleGenerator> programs, IReadOnlyList<byte[]> corpus) : ModuleGenerator
{
    internal override string Name => "bytes";

    internal override bool MakesPrograms => false;

    internal override byte[] Make(int seed)
    {
        var random = new Random(seed);
        byte[] whole = corpus.Count > 0 && random.Next(3) > 0 ? corpus[random.Next(corpus.Count)] : programs[random.Next(programs.Count)].Make(seed);
        if (whole.Length < 10) return whole;
        if (random.Next(10) == 0) return whole[..random.Next(whole.Length)];
        List<byte> bytes = [.. whole];
        for (int n = random.Next(1, 5); n > 0; n--)
        {
            int at = Place(random, bytes);
            switch (random.Next(8))
            {
                case 0: bytes.RemoveAt(at); break;
                case 1: bytes.Insert(at, Interesting(random)); break;
                case 2: (bytes[at], bytes[Place(random, bytes)]) = (bytes[Place(random, bytes)], bytes[at]); break;
                case 3: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 4: bytes[at] += (byte)(random.Next(2) == 0 ? 1 : 255); break;
                default: bytes[at] = Interesting(random); break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Half of the changes are behind the first part. That has types and imports, and an error there hides all others.</summary>
    private static int Place(Random random, List<byte> bytes) =>
        random.Next(2) == 0 ? random.Next(bytes.Count / 2, bytes.Count) : random.Next(8, bytes.Count);

    private static byte Interesting(Random random) => random.Next(5) switch
    {
        0 => 0xff,
        1 => 0x80,
        2 => (byte)random.Next(0x40),
        3 => (byte)OperatorTable.All[random.Next(OperatorTable.All.Count)].Code,
        _ => (byte)random.Next(256),
    };
}
