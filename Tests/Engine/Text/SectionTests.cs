using System.Reflection;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Validation;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Every section goes through everything that handles sections: one that is in <see cref="SectionId"/> and that a reader or writer forgets fails here.</summary>
public sealed class SectionTests
{
    /// <summary>A module with all of them.</summary>
    private const string Sample = """
        (module
          (type $t (func))
          (import "a" "f" (func $imported))
          (module $inner (func (export "f")))
          (instance $i (instantiate $inner))
          (alias $i "f" (func $g))
          (func $f (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0)))
          (table 1 funcref) (memory 1) (tag $e (type $t)) (global i32 (i32.const 0))
          (export "f" (func $f))
          (scope $s (func $f))
          (start $f)
          (elem func $f)
          (data $d ""))
        """;

    private static IEnumerable<byte> Sections => typeof(SectionId).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
        .Where(f => !f.Name.StartsWith("Last", StringComparison.Ordinal)).Select(f => (byte)f.GetRawConstantValue()!).Where(id => id != SectionId.Custom);

    public static TheoryData<byte> Ids => [.. Sections];

    [Fact]
    public void AllAreReadValidatedAndPrinted()
    {
        byte[] bytes = Wat.ToBinary(Sample);
        ModuleInfo info = ModuleDecoder.Decode(bytes);
        ModuleValidator.Validate(info);
        Assert.Equal(Sections.Order(), info.Sections.Order());
        Assert.Equal(bytes, Wat.ToBinary(Wat.FromBinary(bytes)));
    }

    [Fact]
    public void LastIsTheLast() => Assert.Equal(SectionId.Last, Sections.Max());

    [Theory]
    [MemberData(nameof(Ids))]
    public void HasAPlaceAndAName(byte id)
    {
        Assert.InRange(SectionOrder.Of(id), 1, Sections.Count());
        Assert.Equal(id, SectionOrder.IdOf(SectionOrder.NameOf(id)));
        // A custom section can stand before and after it.
        byte[] bytes = Wat.ToBinary(Sample[..^1] + $"\n  (@custom \"x\" (before {SectionOrder.NameOf(id)}) \"1\") (@custom \"y\" (after {SectionOrder.NameOf(id)}) \"2\"))\n");
        Assert.Equal(bytes, Wat.ToBinary(Wat.FromBinary(bytes)));
    }
}
