using Xunit;

namespace WasmJit.Tests;

/// <summary>The extension's operators on references to memories, tables and globals: text, bytes, and text again.</summary>
public sealed class ReferenceOperatorTests
{
    private const string Types = """
        (type $m (memory 1)) (type $t (table 1 funcref)) (type $g (global (mut i32))) (type $f (func))
        (memory 1) (table 1 funcref) (elem $e funcref) (data $d "")
        """;

    [Theory]
    [InlineData("i32.load (ref $m) offset=4", "28820100" + "04")]
    [InlineData("i64.store16 (ref slice) align=1", "3D800158" + "00")]
    [InlineData("v128.load8_lane (ref $m) 3", "FD54800100" + "0003")]
    [InlineData("i32.load (ref (memory $m))", "28820100" + "00")]
    [InlineData("memory.size (ref $m)", "FA2000")]
    [InlineData("memory.copy (ref $m) (ref $m)", "FA230000")]
    [InlineData("memory.init (ref $m) $d", "FA240000")]
    [InlineData("table.get (ref $t)", "FA2801")]
    [InlineData("table.copy (ref $t) (ref $t)", "FA2D0101")]
    [InlineData("table.init (ref $t) $e", "FA2E0001")]
    [InlineData("call_indirect (ref $t) (type $f)", "FA2F0103")]
    [InlineData("call_indirect (ref $t)", "FA2F0103")]
    [InlineData("global.set (ref $g)", "FA3102")]
    [InlineData("slice.new (ref $m)", "FA3900")]
    [InlineData("slice.new", "FA3800")]
    [InlineData("slice.sub", "FA3A")]
    [InlineData("slice.readonly", "FA3B")]
    [InlineData("slice.len", "FA3C")]
    [InlineData("slice.copy", "FA3D")]
    [InlineData("slice.fill", "FA3E")]
    public void HaveTheirBytes(string instruction, string code)
    {
        // Behind the number of locals; the flags of an access are two bytes, since 0x80 is among them.
        byte[] bytes = Wat.ToBinary($"(module {Types} (func {instruction}))");
        Assert.Contains($"00{code}0B", Convert.ToHexString(bytes), StringComparison.Ordinal);
        Assert.Equal(bytes, Wat.ToBinary(Wat.FromBinary(bytes)));
    }

    /// <summary>Where the host has switched the extension off, the error of a module that uses it says so.</summary>
    [Theory]
    [InlineData("(drop (slice.len (ref.null slice)))")]
    [InlineData("(drop (i32.load (ref slice) (ref.null slice) (i64.const 0)))")]
    [InlineData("(drop (ref.memory 0))")]
    [InlineData("(drop (slice.new (i32.const 0) (i32.const 0)))")]
    public void AreRefusedWhereTheExtensionIsOff(string code)
    {
        string text = $"(module (memory 1) (func {code}))";
        new Engine().CompileText(text);
        var engine = new Engine(new EngineOptions { RuntimeLinking = false });
        Assert.Contains("runtime-linking", Assert.Throws<InvalidModuleException>(() => engine.CompileText(text)).Message, StringComparison.Ordinal);
    }
}
