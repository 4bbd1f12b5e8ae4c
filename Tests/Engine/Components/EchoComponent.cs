using WasmJit.Components;

namespace WasmJit.Tests;

/// <summary>
/// Components that give back what they are given, of any type that needs no name: one calls the other, so that values go from the host into a memory, from
/// there to another and back, and out again. The type has so many parts that it is passed in memory.
/// </summary>
internal static class EchoComponent
{
    internal const string Allocator = """
        (memory (export "mem") 4)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param $old i32) (param $osize i32) (param $align i32) (param $nsize i32) (result i32)
          (local $r i32)
          (if (i32.and (i32.ne (local.get $old) (i32.const 0)) (i32.le_u (local.get $nsize) (local.get $osize))) (then (return (local.get $old))))
          (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
          (local.set $r (global.get $next))
          (global.set $next (i32.add (global.get $next) (local.get $nsize)))
          (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
            (then (drop (memory.grow (i32.add (i32.shr_u (local.get $nsize) (i32.const 16)) (i32.const 1))))))
          (if (i32.ne (local.get $old) (i32.const 0)) (then (memory.copy (local.get $r) (local.get $old) (local.get $osize))))
          (local.get $r))
        """;

    /// <summary>Seventeen numbers beside the value.</summary>
    internal static string Padded(string type) => $"(tuple {type}{string.Concat(Enumerable.Repeat(" u8", 17))})";

    internal static ComponentValue Pad(ComponentValue value) =>
        ComponentValue.Tuple([value, .. Enumerable.Range(0, 17).Select(i => ComponentValue.From((byte)i))]);

    internal static string Text(string type, string innerEncoding, string outerEncoding) => $"""
        (component
          (component $C
            (type $t {Padded(type)})
            (core module $M {Allocator} (func (export "f") (param i32) (result i32) (local.get 0)))
            (core instance $m (instantiate $M))
            (func (export "f") (param "x" $t) (result $t)
              (canon lift (core func $m "f") string-encoding={innerEncoding} (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
          (component $D
            (type $t {Padded(type)})
            (import "f" (func $f (param "x" $t) (result $t)))
            (core module $Libc {Allocator})
            (core instance $libc (instantiate $Libc))
            (core func $g (canon lower (func $f) string-encoding={outerEncoding} (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
            (core module $M
              (import "" "g" (func $g (param i32 i32)))
              (import "" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
              (func (export "f") (param i32) (result i32)
                (local $to i32)
                (local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 4096)))
                (call $g (local.get 0) (local.get $to))
                (local.get $to)))
            (core instance $m (instantiate $M (with "" (instance (export "g" (func $g)) (export "realloc" (func $libc "realloc"))))))
            (func (export "f") (param "x" $t) (result $t)
              (canon lift (core func $m "f") string-encoding={outerEncoding} (memory (core memory $libc "mem")) (realloc (core func $libc "realloc")))))
          (instance $c (instantiate $C))
          (instance $d (instantiate $D (with "f" (func $c "f"))))
          (func (export "f") (alias export $d "f")))
        """;

    internal static ComponentInstance Instantiate(Engine engine, string text) => engine.CompileComponent(Wat.ToBinary(text)).Instantiate();
}

/// <summary>Random types, with random values of each.</summary>
internal sealed class RandomValues(Random random)
{
    private static readonly string[] Primitives = ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"];

    private static readonly string[] Texts = ["", "a", "plain text", "h\u00f6flich", "\u2603 snow", "\U0001f370 cake \U0001f370", "\u00ff\u00fe", "mixed \u00e9 \u2603 \U0001f370 end"];

    /// <summary>A type's text, and what makes values of it.</summary>
    internal (string Text, Func<ComponentValue> Make) Type(int depth)
    {
        int kind = depth == 0 ? 0 : random.Next(8);
        switch (kind)
        {
            case 1:
                {
                    (string text, Func<ComponentValue> make) = Type(depth - 1);
                    return ($"(list {text})", () => ComponentValue.List([.. Enumerable.Range(0, random.Next(6)).Select(_ => make())]));
                }
            case 2:
                {
                    var parts = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Type(depth - 1)).ToList();
                    return ($"(tuple {string.Join(' ', parts.Select(p => p.Text))})", () => ComponentValue.Tuple([.. parts.Select(p => p.Make())]));
                }
            case 3:
                {
                    (string text, Func<ComponentValue> make) = Type(depth - 1);
                    return ($"(option {text})", () => random.Next(2) == 0 ? ComponentValue.Nothing : ComponentValue.Some(make()));
                }
            case 4:
                {
                    (string ok, Func<ComponentValue> makeOk) = Type(depth - 1);
                    (string error, Func<ComponentValue> makeError) = Type(depth - 1);
                    return random.Next(3) switch
                    {
                        0 => ($"(result {ok} (error {error}))", () => random.Next(2) == 0 ? ComponentValue.Ok(makeOk()) : ComponentValue.Error(makeError())),
                        1 => ($"(result {ok})", () => random.Next(2) == 0 ? ComponentValue.Ok(makeOk()) : ComponentValue.Error()),
                        _ => ("(result)", () => random.Next(2) == 0 ? ComponentValue.Ok() : ComponentValue.Error()),
                    };
                }
            case 5:
                {
                    (string text, Func<ComponentValue> make) = Type(depth - 1);
                    int length = random.Next(1, 8);
                    return ($"(list {text} {length})", () => ComponentValue.List([.. Enumerable.Range(0, length).Select(_ => make())]));
                }
            default:
                {
                    string primitive = Primitives[random.Next(Primitives.Length)];
                    return (primitive, () => Number(primitive));
                }
        }
    }

    private ComponentValue Number(string primitive) => primitive switch
    {
        "bool" => ComponentValue.From(random.Next(2) == 0),
        "s8" => ComponentValue.From((sbyte)random.Next(256)),
        "u8" => ComponentValue.From((byte)random.Next(256)),
        "s16" => ComponentValue.From((short)random.Next(65536)),
        "u16" => ComponentValue.From((ushort)random.Next(65536)),
        "s32" => ComponentValue.From(random.Next(int.MinValue, int.MaxValue)),
        "u32" => ComponentValue.From((uint)random.NextInt64(1L << 32)),
        "s64" => ComponentValue.From(random.NextInt64(long.MinValue, long.MaxValue)),
        "u64" => ComponentValue.From((ulong)random.NextInt64(long.MinValue, long.MaxValue)),
        "f32" => ComponentValue.From(random.NextSingle()),
        "f64" => ComponentValue.From(random.NextDouble()),
        "char" => ComponentValue.From(new System.Text.Rune(random.Next(2) == 0 ? random.Next(0xd800) : random.Next(0xe000, 0x110000))),
        _ => ComponentValue.From(Texts[random.Next(Texts.Length)]),
    };
}
