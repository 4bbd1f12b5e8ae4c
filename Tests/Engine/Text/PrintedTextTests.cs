using WasmJit.Jit.Format;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the printer writes, to be read by people; and that reading it gives the bytes again.</summary>
public sealed class PrintedTextTests
{
    private static void Prints(string golden, string source)
    {
        byte[] bytes = Wat.ToBinary(source);
        string text = Wat.FromBinary(bytes);
        Golden.Equal(golden, text);
        Assert.Equal(bytes, Wat.ToBinary(text));
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= TextLayout.Width, line));
    }

    [Fact]
    public void Names() => Prints("names.wat", """
        (module $m (@name "a module, named")
          (type $t (func (param i32)))
          (type $pair (struct (field $x (@name "x") i32) (field (@name "x") (mut i64)) (field f32 f64) (field (@name "") i8)))
          (import "env" "print" (func $print (param $value i32)))
          (import "\t\"\\\u{0}\u{202e}λ" "日本" (global $"global λ" i32))
          (tag (@name "e") (type $t))
          (tag $e (type $t))
          (func $f (@name "core::fmt::Formatter<'_>::pad") (param $a i32) (param (@name "a") i32) (param i32 i32) (local $b i32) (local i64 i64 i64)
            (local f32) (local (@name "") f64)
            (block $l (loop $l (br $l) (br 1)))
            (block $"two words" (br $"two words"))
            (block (@name "") (br 0))
            (struct.new_default $pair) (struct.get $pair 1) drop
            (call $print (local.get $a)))
          (func (@name "f"))
          (func $f_1 (@name "f"))
          (func (@name "") (call 2) (call 3) (call 4))
          (memory (@name "m") 1) (memory (@name "m") 1)
          (data (@name "d") (memory 1) (i32.const 0) "d"))
        """);

    [Fact]
    public void CustomSections() => Prints("custom.wat", """
        (module
          (@custom "first" (before first) "\00\01")
          (@custom "empty")
          (@custom "before code" (before code) "after the hints")
          (@custom "after elem" (after elem) "before the hints")
          (@custom "after func" (after func))
          (@custom "tail" (after code) "before the names")
          (@custom "producers" "\01\0cprocessed-by\01\05clang\0216 and much more of it, so long that it does not fit on a line together with what is before it")
          (elem func $f)
          (func $f (param i32)
            local.get 0
            (@metadata.code.branch_hint "\00")
            if
              local.get 0
              (@metadata.code.branch_hint "\01")
              br_if 0
            end))
        """);

    /// <summary>Sections that ids and annotations cannot say stay as they are.</summary>
    [Fact]
    public void SectionsByteByByte() => Prints("raw-sections.wat", """
        (module
          (@custom "name" (before code) "\00\02\01m\01\04\01\00\01f")
          (@custom "metadata.code.branch_hint" (after code) "\01\00\01\02\01\00")
          (func (if (i32.const 0) (then))))
        """);

    [Fact]
    public void LongLines() => Prints("long-lines.wat", $$"""
        (module
          (type (sub final (func {{string.Concat(Enumerable.Repeat("(param i32 (ref null 0)) ", 20))}} (result i32))))
          (type (struct {{string.Concat(Enumerable.Range(0, 20).Select(i => $"(field $field_{i} (mut i32)) "))}}))
          (type $instance (instance {{string.Concat(Enumerable.Range(0, 8).Select(i => $"(export \"export {i}\" (memory {i})) "))}}))
          (table 1 funcref)
          (memory 1)
          (elem (i32.const 0) func {{string.Concat(Enumerable.Repeat("$f ", 60))}})
          (elem $expressions (i32.const 0) (ref null func) {{string.Concat(Enumerable.Repeat("(item (ref.func $f)) ", 12))}})
          (elem $typed externref (ref.null extern))
          (func $f (local {{string.Concat(Enumerable.Repeat("i32 ", 40))}}) {{string.Concat(Enumerable.Range(0, 12).Select(i => $"(local $local_{i} i64) "))}}
            (br_table {{string.Concat(Enumerable.Repeat("0 ", 70))}} (i32.const 0)))
          (data (offset (i32.const 1) (i32.const 2) (i32.add)) "{{string.Concat(Enumerable.Repeat("some text \\00\\ff", 20))}}")
          (data ""))
        """);

    [Fact]
    public void Code() => Prints("code.wat", """
        (module
          (type $f (func (param i32) (result i32)))
          (type $same (func (param i32) (result i32)))
          (type $p (func (param i32 i32) (result i32 i32)))
          (rec (type $node (sub (struct (field $next (ref null $node))))))
          (type $leaf (sub final $node (struct (field $next (ref null $node)) (field (mut i8)))))
          (rec)
          (type $array (array (mut f64)))
          (memory $a 1 2) (memory $b i64 1) (table $t 1 (ref null $same)) (table i64 0 10 externref)
          (tag $e (param i32))
          (global (mut (ref null $leaf)) (ref.null $leaf))
          (func (type $same) (local v128)
            (block $out (result i32)
              (block (loop (br_if 1 (i32.const 0)) (br 0)))
              (try_table (result i32) (catch $e $out) (catch_all 1) (throw $e (i32.const 1))))
            (if (result i32) (then (i32.const 1)) (else (i32.const -1)))
            (select (result i32) (i32.const 1) (i32.const 2))
            (i32.load8_u $b offset=8 (i64.const 0x100))
            (i64.store align=4 (i32.const 0) (i64.const -1))
            (f32.const 0.1) (f64.const nan:0x123) (f32.const -inf) (f64.const 1e300) (v128.const i64x2 1 -1)
            (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31)
            (v128.load16_lane $b offset=2 align=1 7)
            (call_indirect (type $same)) (call_indirect 1 (param i32) (result i32))
            (block (param i32 i32) (result i32 i32))
            (br_on_cast 0 (ref null $node) (ref $leaf))
            (ref.test (ref $leaf)) (ref.cast (ref null any)) (ref.cast nullref)
            (struct.get $leaf $next) (struct.get_u $leaf 1) (array.new_fixed $array 3) (array.copy $array $array)
            (memory.copy $a $b) (memory.init $b 0) (table.copy 1 0)
            (do_nothing_else))
          (func $do_nothing_else)
          (data "x"))
        """.Replace("(do_nothing_else)", "(return_call $do_nothing_else)", StringComparison.Ordinal));

    [Fact]
    public void LegacyExceptions() => Prints("legacy.wat", """
        (module
          (tag $e (param i32))
          (func (try $t (result i32) (do (i32.const 1)) (catch $e (rethrow $t)) (catch_all (i32.const 2))) drop
            (try $outer (do (try (do (throw $e (i32.const 1))) (delegate $outer))) (catch_all))))
        """);

    /// <summary>A few bytes can declare 50,000 locals: the text has a limit, and comes piece by piece for who wants it so.</summary>
    [Fact]
    public void TextHasALimit()
    {
        // 20 functions of seven bytes, 50,000 locals each: four million characters.
        var locals = new ByteWriter();
        locals.U8(1);
        locals.U32(50_000);
        byte[] body = [.. locals.ToArray(), TypeByte.I32, Opcode.End];
        byte[] bytes =
        [
            .. "\0asm\x01\0\0\0"u8, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function, 21, 20, .. new byte[20],
            SectionId.Code, 0x8d, 1, 20, .. Enumerable.Repeat((byte[])[6, .. body], 20).SelectMany(b => b),
        ];
        string whole = Wat.FromBinary(bytes);
        Assert.InRange(whole.Length, 4_000_000, 6_000_000);
        var error = Assert.Throws<UnsupportedModuleException>(() => Wat.FromBinary(bytes, 1_000_000));
        Assert.Contains("more than 1,000,000 characters", error.Message, StringComparison.Ordinal);
        Assert.Equal(whole, Wat.FromBinary(bytes, whole.Length));
        Assert.Throws<UnsupportedModuleException>(() => Wat.FromBinary(bytes, whole.Length - 1));

        var writer = new Pieces();
        Wat.FromBinary(bytes, writer);
        Assert.Equal(whole, writer.ToString());
        Assert.InRange(writer.Longest, 1, 2 << 20);
        var cut = new Pieces();
        Assert.Throws<UnsupportedModuleException>(() => Wat.FromBinary(bytes, cut, 3_000_000));
        Assert.InRange(cut.ToString().Length, 1_000_000, 3_000_000);
        Assert.StartsWith(cut.ToString(), whole, StringComparison.Ordinal);
    }

    private sealed class Pieces : StringWriter
    {
        internal int Longest { get; private set; }

        public override void Write(ReadOnlySpan<char> buffer)
        {
            Longest = Math.Max(Longest, buffer.Length);
            base.Write(buffer);
        }
    }

    /// <summary>A branch to a named label asks for the innermost label of the name, not for all that are around it.</summary>
    [Fact]
    public void NamesOfNestedBlocks()
    {
        // The text reader takes no such nesting, so these are bytes.
        const int Depth = 30_000;
        var body = new ByteWriter();
        body.U8(0);
        for (int i = 0; i < Depth; i++) body.Bytes([Opcode.Block, TypeByte.EmptyBlock]);
        for (int i = 0; i < Depth; i++)
        {
            body.Bytes([Opcode.I32Const, 0, Opcode.BrIf]);
            body.U32((uint)i);
        }
        for (int i = 0; i <= Depth; i++) body.U8(Opcode.End);
        var labels = new ByteWriter();
        labels.Bytes([1, 0]);
        labels.U32(Depth);
        for (int i = 0; i < Depth; i++)
        {
            labels.U32((uint)i);
            labels.Name($"l{i}");
        }
        var names = new ByteWriter();
        names.Name("name");
        names.U8(NameSubsection.Label);
        names.Sized(labels);
        var code = new ByteWriter();
        code.U8(1);
        code.Sized(body);
        var module = new ByteWriter();
        module.Bytes([.. "\0asm\x01\0\0\0"u8, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function, 2, 1, 0, SectionId.Code]);
        module.Sized(code);
        byte[] nameless = module.ToArray();
        module.U8(0);
        module.Sized(names);
        byte[] bytes = module.ToArray();
        string printed = Wat.FromBinary(bytes);
        // 30,000 names for each branch were seconds: a hundred times what it takes without names.
        TimeSpan named = Shortest(bytes), usual = Shortest(nameless);
        Assert.True(named < 20 * usual, $"{named}, without names {usual}");
        Assert.Contains("br_if $l29999\n", printed, StringComparison.Ordinal);
        Assert.Contains("br_if $l0\n", printed, StringComparison.Ordinal);

        // A name that another hides is a number, and a name again behind that block.
        string hidden = Wat.FromBinary(Wat.ToBinary("(module (func block $a block $a br 0 br 1 end br 0 end))"));
        Assert.Contains("br $a", hidden, StringComparison.Ordinal);
        Assert.Contains("br 1 (;@1;)", hidden, StringComparison.Ordinal);

        // The shortest of some times: what else the machine does makes them longer.
        static TimeSpan Shortest(byte[] bytes) => Enumerable.Range(0, 5).Min(_ =>
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            Wat.FromBinary(bytes);
            return watch.Elapsed;
        });
    }
}
