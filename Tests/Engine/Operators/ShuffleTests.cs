using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text;
using CsCheck;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// <c>i8x16.shuffle</c>: every pattern for which the emitter knows an instruction, and near misses of each, against the
/// specification, on operands in all the places where the emitter finds them.
/// </summary>
public sealed class ShuffleTests
{
    private delegate Vector128<byte> Run(Vector128<byte> a, Vector128<byte> b);

    private static readonly Vector128<byte> A = Vector128.Create<byte>([.. Enumerable.Range(0x10, 16).Select(i => (byte)i)]);
    private static readonly Vector128<byte> B = Vector128.Create<byte>([.. Enumerable.Range(0x80, 16).Select(i => (byte)i)]);

    /// <summary>Where the operands come from: the text of each, and their values.</summary>
    private static readonly (string A, string B, Vector128<byte> VA, Vector128<byte> VB)[] Places =
    [
        ("local.get 0", "local.get 1", A, B),
        ("(i8x16.add (local.get 0) (local.get 1))", "local.get 1", A + B, B),
        ("local.get 0", "(i8x16.sub (local.get 1) (local.get 0))", A, B - A),
        ("(v128.not (local.get 0))", "(v128.not (local.get 1))", ~A, ~B),
        ("(local.tee 1 (local.get 0))", "local.get 1", A, A),
        ("local.get 0", "local.get 0", A, A),
        ("local.get 0", "(v128.const i64x2 0 0)", A, Vector128<byte>.Zero),
        ("(v128.const i64x2 0 0)", "(v128.not (local.get 1))", Vector128<byte>.Zero, ~B),
        ("(v128.load (i32.const 16))", "(v128.load (i32.const 32))", A, B),
        ("(v128.const i64x2 0x0101010101010101 2)", "local.get 1", Vector128.Create(0x0101010101010101L, 2).AsByte(), B),
    ];

    [Fact]
    public void Patterns()
    {
        var all = new List<byte[]>();
        for (int n = 0; n <= 32; n++) all.Add(Lanes(i => (n + i) % 32));
        for (int n = 1; n < 16; n++)
        {
            all.Add(Lanes(i => i + n < 16 ? i + n : 16));
            all.Add(Lanes(i => i < n ? 16 : i - n));
            all.Add(Lanes(i => i + n < 16 ? i + n + 16 : 0));
        }
        foreach (int size in new[] { 1, 2, 4, 8 })
        {
            foreach (int half in new[] { 0, 8 })
                foreach (int first in new[] { 0, 16 })
                {
                    all.Add(Lanes(i => (i / size % 2 == 0 ? first : 16 - first) + half + (i / (2 * size) * size) + (i % size)));
                    all.Add(Lanes(i => first + half + (i / (2 * size) * size) + (i % size)));
                }
            for (int n = 0; n < 32; n += size) all.Add(Lanes(i => n + (i % size)));
            for (int mask = 1; mask < 256; mask += 22) all.Add(Lanes(i => i + ((mask >> (i / size % 8)) % 2 * 16)));
        }
        var random = new Random(3);
        foreach (byte[] pattern in all.ToArray())
        {
            byte[] near = [.. pattern];
            near[random.Next(16)] = (byte)random.Next(32);
            all.Add(near);
        }
        foreach (byte[][] chunk in all.Chunk(40)) Check(chunk);
    }

    [Fact]
    public void LanesOfAllSizes() => Gen.Select(
        Gen.OneOfConst(1, 2, 4, 8), Gen.Int[0, 31].Array[16], Gen.OneOfConst(0, 16, 31),
        (size, indices, mask) => Lanes(i => ((indices[i / size] & (mask == 0 ? 31 : mask)) / size * size) + (i % size))).Array[20].Check(20, Check);

    private static byte[] Lanes(Func<int, int> index) => [.. Enumerable.Range(0, 16).Select(i => (byte)index(i))];

    private static void Check(byte[][] patterns)
    {
        var text = new StringBuilder("(module (memory (export \"m\") 1) ");
        for (int p = 0; p < patterns.Length; p++)
            for (int i = 0; i < Places.Length; i++)
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"(func (export \"{p} {i}\") (param v128 v128) (result v128) {Places[i].A} {Places[i].B} i8x16.shuffle {string.Join(' ', patterns[p])})");
        Instance instance = new Engine(Tiers.Compiled).CompileText(text.Append(')').ToString()).Instantiate();
        Memory memory = instance.GetExport<Memory>("m");
        A.CopyTo(memory.Slice(16, 16));
        B.CopyTo(memory.Slice(32, 16));
        for (int p = 0; p < patterns.Length; p++)
            for (int i = 0; i < Places.Length; i++)
            {
                Vector128<byte> a = Places[i].VA, b = Places[i].VB;
                byte[] expected = [.. patterns[p].Select(lane => lane < 16 ? a[lane] : b[lane - 16])];
                Vector128<byte> actual = instance.GetExport<Run>($"{p} {i}")(A, B);
                Assert.True(
                    Vector128.Create<byte>(expected) == actual,
                    $"{Places[i].A} {Places[i].B} i8x16.shuffle {string.Join(' ', patterns[p])}: {actual}, not {Vector128.Create<byte>(expected)}");
            }
    }
}
