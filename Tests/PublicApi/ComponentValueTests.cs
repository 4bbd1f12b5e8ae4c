using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Values and start functions of components.</summary>
public sealed class ComponentValueTests
{
    private static WasmComponent Compile(string text) => new Engine().CompileComponent(Wat.ToBinary(text));

    /// <summary>Constants of each type come out as they are written.</summary>
    [Theory]
    [InlineData("bool true", "true")]
    [InlineData("u8 255", "255")]
    [InlineData("s8 -128", "-128")]
    [InlineData("u16 65535", "65535")]
    [InlineData("s16 -1", "-1")]
    [InlineData("u32 300", "300")]
    [InlineData("s32 -300", "-300")]
    [InlineData("u64 0xffff_ffff_ffff_ffff", "18446744073709551615")]
    [InlineData("s64 -1", "-1")]
    [InlineData("f32 1.5", "1.5")]
    [InlineData("f64 -0x1p-3", "-0.125")]
    [InlineData("char '\\u{20ac}'", "'\u20ac'")]
    [InlineData("string \"text\"", "\"text\"")]
    [InlineData("(tuple u8 u16) (tuple 1 2)", "(1, 2)")]
    [InlineData("(list (option u8)) (list (some 1) none)", "[some(1), none]")]
    [InlineData("(list (result u8 (error string))) (list (ok 1) (error \"e\"))", "[ok(1), error(\"e\")]")]
    public void ConstantsComeOut(string constant, string text)
    {
        using ComponentInstance instance = Compile($"(component (value $v {constant}) (export \"v\" (value $v)))").Instantiate();
        Assert.Equal(text, instance.GetValue("v").ToString());
        Assert.Throws<KeyNotFoundException>(() => instance.GetValue("w"));
    }

    [Fact]
    public void ConstantsOfNamedTypesComeOut()
    {
        using ComponentInstance instance = Compile("""
            (component
              (type $r' (record (field "a" bool) (field "b" u8))) (export $r "r" (type $r'))
              (type $v' (variant (case "a" bool) (case "b" u8))) (export $v "v" (type $v'))
              (type $f' (flags "a" "b" "c")) (export $f "f" (type $f'))
              (type $e' (enum "a" "b")) (export $e "e" (type $e'))
              (value $r1 $r' (record true 1)) (export "r1" (value $r1) (value $r))
              (value $v1 $v' (variant "b" 1)) (export "v1" (value $v1) (value $v))
              (value $f1 $f' (flags "a" "c")) (export "f1" (value $f1) (value $f))
              (value $e1 $e' (enum "b")) (export "e1" (value $e1) (value $e)))
            """).Instantiate();
        Assert.Equal(ComponentValue.Record(("a", ComponentValue.From(true)), ("b", ComponentValue.From((byte)1))), instance.GetValue("r1"));
        Assert.Equal(ComponentValue.Variant("b", ComponentValue.From((byte)1)), instance.GetValue("v1"));
        Assert.Equal(ComponentValue.Flags("a", "c"), instance.GetValue("f1"));
        Assert.Equal(ComponentValue.Enum("b"), instance.GetValue("e1"));
    }

    private const string Started = """
        (component
          (import "from" (value $from (tuple u32 string)))
          (import "note" (func $note (param "n" u32)))
          (core module $Libc (memory (export "mem") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512)))
          (core instance $libc (instantiate $Libc))
          (core func $note' (canon lower (func $note)))
          (core module $M
            (import "" "note" (func $note (param i32)))
            (func (export "start") (param i32 i32 i32) (result i32)
              (if (i32.eqz (local.get 0)) (then unreachable))
              (call $note (local.get 0))
              (i32.add (local.get 0) (local.get 2))))
          (core instance $m (instantiate $M (with "" (instance (export "note" (func $note'))))))
          (func $start (param "x" (tuple u32 string)) (result u32)
            (canon lift (core func $m "start") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (component $Inner
            (import "n" (value $n u32))
            (import "note" (func $note (param "n" u32)))
            (start $note (value $n)))
          (start $start (value $from) (result (value $r)))
          (instance (instantiate $Inner (with "n" (value $r)) (with "note" (func $note)))))
        """;

    /// <summary>A start function of the component, and one of the host in a component inside, in the order of the definitions.</summary>
    [Fact]
    public void StartFunctionsAreCalledWithValues()
    {
        WasmComponent component = Compile(Started);
        var noted = new List<uint>();
        ComponentHost Host(ComponentValue from) => new()
        {
            { "from", from },
            {
                "note", arguments =>
                {
                    noted.Add(arguments[0].AsU32());
                    return default(ComponentValue);
                }
            },
        };
        using (ComponentInstance instance = component.Instantiate(Host(ComponentValue.Tuple(ComponentValue.From(40u), ComponentValue.From("ab"))))) Assert.Equal([40u, 42u], noted);
        TrapException trap = Assert.Throws<TrapException>(() => component.Instantiate(Host(ComponentValue.Tuple(ComponentValue.From(0u), ComponentValue.From("")))));
        Assert.Equal(TrapKind.Unreachable, trap.Kind);
        // Values are compared with their types, as deep as they go.
        foreach ((ComponentValue value, string why) in new[]
        {
            (ComponentValue.From(1u), "it is U32, not tuple"),
            (ComponentValue.Tuple(ComponentValue.From(1u)), "a tuple has 2 elements"),
            (ComponentValue.Tuple(ComponentValue.From(1u), ComponentValue.From(2u)), "it is U32, not string"),
        })
        {
            LinkException error = Assert.Throws<LinkException>(() => component.Instantiate(Host(value)));
            Assert.Contains($"\"from\" is a value of another type: {why}", error.Message, StringComparison.Ordinal);
        }
    }
}
