using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Rules of validation that the official tests leave out, and where what is wrong is.</summary>
public sealed class ComponentValidatorTests
{
    /// <summary>A core instance <c>$i</c> with what canonical options name.</summary>
    private const string Core =
        """
        (core module $M (memory (export "mem") 1) (memory (export "mem64") i64 1) (memory (export "shared") 1 1 shared) (table (export "tbl") 1 funcref) (table (export "ext") 1 externref)
          (func (export "f")) (func (export "i") (param i32)) (func (export "ri") (result i32) unreachable) (func (export "ii") (param i32 i32)) (func (export "LL") (param i64 i64))
          (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable) (func (export "r64") (param i64 i64 i64 i64) (result i64) unreachable)
          (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $M))
        (alias core export $i "mem" (core memory $mem)) (alias core export $i "mem64" (core memory $mem64)) (alias core export $i "shared" (core memory $shared))
        (alias core export $i "tbl" (core table $tbl)) (alias core export $i "ext" (core table $ext)) (alias core export $i "r" (core func $r)) (alias core export $i "r64" (core func $r64))
        (alias core export $i "cb" (core func $cb)) (alias core export $i "f" (core func $f)) (alias core export $i "i" (core func $int)) (alias core export $i "ri" (core func $ri))
        (alias core export $i "ii" (core func $ii)) (alias core export $i "LL" (core func $LL))
        (core type $thread (func (param i32))) (core type $thread64 (func (param i64))) (core type $none (func))
        (import "s" (func $s (param "s" string))) (import "g" (func $g (result string))) (import "as" (func $as async (param "s" string) (result string))) (import "a" (func $a async))

        """;

    private static ComponentDefinition Load(string definitions) => ComponentBinary.Load(Wat.ToBinary($"(component {definitions})"));

    [Theory]
    // Options of lift and lower.
    [InlineData("(canon lift (core func $ri) async (callback $cb) (func async))")]
    [InlineData("(canon lift (core func $f) async (func async))")]
    [InlineData("(canon lift (core func $f) (func async))")]
    [InlineData("(canon lift (core func $ii) (memory $mem) (realloc $r) (func (param \"s\" string)))")]
    [InlineData("(canon lift (core func $LL) (memory $mem64) (realloc $r64) (func (param \"s\" string)))")]
    [InlineData("(canon lower (func $s) (memory $mem) (core func))")]
    [InlineData("(canon lower (func $as) async (memory $mem) (realloc $r) (core func))")]
    [InlineData("(canon lower (func $a) async (core func))")]
    // Built-ins.
    [InlineData("(canon context.get i32 0 (core func)) (canon context.set i32 1 (core func))")]
    [InlineData("(canon context.get i64 0 (core func)) (component (canon context.get i32 0 (core func)))")]
    [InlineData("(canon thread.new-indirect $thread $tbl (core func)) (canon thread.new-indirect $thread64 $tbl (core func))")]
    [InlineData("(canon thread.spawn-ref $thread (core func)) (canon thread.spawn-indirect $thread $tbl (core func)) (canon thread.available-parallelism (core func))")]
    [InlineData("(canon error-context.new (memory $mem) (core func)) (canon error-context.debug-message (memory $mem) (realloc $r) (core func))")]
    [InlineData("(canon task.return (result string) (memory $mem) (core func)) (canon task.return (core func))")]
    [InlineData("(type $t (stream)) (canon stream.read $t (core func)) (canon stream.write $t async (core func))")]
    [InlineData("(type $t (stream string)) (canon stream.read $t (memory $mem) (realloc $r) (core func)) (canon stream.write $t (memory $mem) (core func))")]
    // Names.
    [InlineData("(import \"x:y/z@1\" (func)) (import \"x:y/z@0.2\" (func)) (import \"x:y/z@0.0.3\" (func)) (import \"x:y/w@0.0.0\" (func))")]
    [InlineData("(import \"x:y/z@1\" (versionsuffix \".2.3-rc.1+b\") (func))")]
    // Types.
    [InlineData("(type (map string (list u8))) (type (map bool u8)) (type (map char (map s64 u8)))")]
    [InlineData("(type (resource (rep i64)))")]
    [InlineData("(import \"r\" (type $r (sub resource))) (import \"t\" (type (eq $r))) (import \"c\" (component (import \"t\" (type (eq $r)))))")]
    [InlineData("(import \"i\" (instance $i (export \"r\" (type (sub resource))))) (alias export $i \"r\" (type $r)) (import \"f\" (func (param \"x\" (own $r))))")]
    // A type may say that an import equals a resource type around it.
    [InlineData("(type $r (resource (rep i32))) (type (component (alias outer 1 $r (type $o)) (import \"r\" (type (eq $o)))))")]
    // Values: each used once.
    [InlineData("(import \"v\" (value $v string)) (start $s (value $v))")]
    [InlineData("(start $g (result (value $r))) (export \"r\" (value $r))")]
    [InlineData("(value $v u8 1) (export \"v\" (value $v))")]
    [InlineData("(value $v u8 1) (component $c (import \"v\" (value $v u8)) (export \"w\" (value $v))) (instance (instantiate $c (with \"v\" (value $v))))")]
    [InlineData("(value $f f32 nan) (export \"v\" (value $f)) (value $d f64 nan) (export \"w\" (value $d)) (value $m (map u8 string) (binary \"\\01\\05\\01a\")) (export \"x\" (value $m))")]
    public void IsValid(string definitions) => Load(Core + definitions);

    [Theory]
    // Options of lift and lower.
    [InlineData("(canon lift (core func $ri) (callback $cb) (func async))", "`callback` requires `async`")]
    [InlineData("(canon lift (core func $ri) async (callback $r) (func async))", "`callback` uses a core function with an incorrect signature")]
    [InlineData("(canon lift (core func $f) async (callback $cb) (func async))", "lowered result types `[I32]` do not match result types `[]`")]
    [InlineData("(canon lift (core func $f) async (post-return $f) (func async))", "`post-return` cannot be specified with `async`")]
    [InlineData("(canon lower (func $a) async (callback $cb) (core func))", "`callback` cannot be specified for lowerings")]
    [InlineData("(canon lower (func $a) async async (core func))", "`async` is specified more than once")]
    [InlineData("(canon lower (func $as) async (core func))", "`memory` is required")]
    [InlineData("(canon lower (func $as) async (memory $mem) (core func))", "`realloc` is required")]
    [InlineData("(canon lower (func $s) (memory $shared) (core func))", "a memory that is not shared")]
    [InlineData("(canon lift (core func $LL) (memory $mem) (realloc $r) (func (param \"s\" string)))", "lowered parameter types `[I32, I32]` do not match parameter types `[I64, I64]`")]
    [InlineData("(canon lift (core func $LL) (memory $mem64) (realloc $r) (func (param \"s\" string)))", "`realloc` uses a core function with an incorrect signature")]
    // Built-ins.
    [InlineData("(canon context.get i32 2 (core func))", "immediate must be zero or one")]
    [InlineData("(canon context.get f32 0 (core func))", "only i32 and i64")]
    [InlineData("(canon context.get i32 0 (core func)) (canon context.set i64 0 (core func))", "with different types")]
    [InlineData("(canon thread.new-indirect $none $tbl (core func))", "start function must take a single")]
    [InlineData("(canon thread.new-indirect $thread $ext (core func))", "matches `funcref`")]
    [InlineData("(canon thread.new-indirect 9 $tbl (core func))", "unknown type 9")]
    [InlineData("(canon waitable-set.wait (memory 9) (core func))", "unknown memory 9")]
    [InlineData("(canon error-context.new (core func))", "`memory` is required")]
    [InlineData("(canon error-context.new async (memory $mem) (core func))", "`async` cannot be specified here")]
    [InlineData("(canon error-context.debug-message (memory $mem) (core func))", "`realloc` is required")]
    [InlineData("(canon task.return (result string) (core func))", "`memory` is required")]
    [InlineData("(canon task.return (memory $mem) (realloc $r) (core func))", "`realloc` cannot be specified for `task.return`")]
    [InlineData("(canon task.return async (core func))", "`async` cannot be specified here")]
    [InlineData("(type $t (future u8)) (canon stream.new $t (core func))", "`stream.new` requires a stream type")]
    [InlineData("(type $t (stream u8)) (canon future.drop-writable $t (core func))", "`future.drop-writable` requires a future type")]
    [InlineData("(type $t (stream u8)) (canon stream.read $t (core func))", "`memory` is required")]
    [InlineData("(type $t (stream string)) (canon stream.read $t (memory $mem) (core func))", "`realloc` is required")]
    [InlineData("(type $t (stream u8)) (canon stream.write $t (post-return $f) (memory $mem) (core func))", "`post-return` cannot be specified for lowerings")]
    // Names.
    [InlineData("(import \"x:y/z\" (versionsuffix \".2.3\") (func))", "it has no canonical version")]
    [InlineData("(import \"x:y/z@1.2.3\" (versionsuffix \".2.3\") (func))", "it has no canonical version")]
    [InlineData("(import \"x:y/z@1\" (versionsuffix \".2\") (func))", "`1.2` is not a valid semver")]
    [InlineData("(import \"x:y/z@01.2.3\" (func))", "invalid leading zero in major version number")]
    [InlineData("(import \"x:y/z@1.2.3-01\" (func))", "invalid leading zero in pre-release identifier")]
    [InlineData("(import \"x:y/z@1.2.99999999999999999999\" (func))", "exceeds u64::MAX")]
    [InlineData("(import \"url=<https://a.b>\" (func))", "is not a valid extern name")]
    [InlineData("(import \"[frob]a\" (func))", "is not a valid extern name")]
    // Types.
    [InlineData("(type (map f32 u8))", "f32 is not a valid map key type")]
    [InlineData("(type (map (list u8) u8))", "list is not a valid map key type")]
    [InlineData("(type (list u8 0))", "at least one element")]
    [InlineData("(type (resource (rep f32)))", "resources can only be represented by")]
    [InlineData("(type $r (resource (rep i32))) (type (stream (borrow $r)))", "cannot contain a `borrow`")]
    [InlineData("(type $r (resource (rep i32))) (type (future (option (borrow $r))))", "cannot contain a `borrow`")]
    [InlineData("(type $r (resource (rep i32))) (import \"t\" (type (eq $r)))", "local resource type found in imports")]
    [InlineData("(type $r (resource (rep i32))) (import \"c\" (component (import \"t\" (type (eq $r)))))", "local resource type found in imports")]
    [InlineData("(type $r (resource (rep i32))) (import \"i\" (instance (export \"t\" (type (eq $r)))))", "local resource type found in imports")]
    [InlineData("(component (type $r (resource (rep i32))) (export \"r\" (type $r)) (import \"t\" (type (eq $r))))", "local resource type found in imports")]
    [InlineData("(core type $m (module)) (core type (func (param (ref null $m))))", "a core type refers to a module type")]
    [InlineData("(component $c (import \"f\" (func async))) (import \"x\" (func $x)) (instance (instantiate $c (with \"f\" (func $x))))", "expected async function, found sync")]
    [InlineData("(component $c (type $t (list u8 2)) (import \"t\" (type (eq $t)))) (type $x (list u8 3)) (instance (instantiate $c (with \"t\" (type $x))))", "expected a list of length 2, found a list of length 3")]
    // Resource types that the giver of the imports cannot know.
    [InlineData("(component (type $r (resource (rep i32))) (import \"r\" (type (eq $r))))", "local resource type found in imports")]
    [InlineData("(type (component (export \"r\" (type $r (sub resource))) (import \"s\" (type (eq $r)))))", "local resource type found in imports")]
    // Values.
    [InlineData("(import \"v\" (value $v string))", "value index 0 was not used")]
    [InlineData("(import \"v\" (value $v string)) (start $s (value $v)) (start $s (value $v))", "value 0 cannot be used more than once")]
    [InlineData("(import \"v\" (value $v u8)) (start $s (value $v))", "expected primitive `string` found primitive `u8`")]
    [InlineData("(start $s)", "requires 1 arguments but was given 0")]
    [InlineData("(start $g)", "a result count of 0 but the function type has a result count of 1")]
    [InlineData("(value $v u8 1) (component $c (import \"v\" (value $v s8)) (export \"w\" (value $v))) (instance (instantiate $c (with \"v\" (value $v))))", "expected primitive `s8` found primitive `u8`")]
    public void IsInvalid(string definitions, string reason)
    {
        string text = Core + definitions;
        var e = Assert.Throws<InvalidModuleException>(() => Load(text));
        Assert.Contains(reason, e.Reason, StringComparison.Ordinal);
        // The fault is in what was added.
        Assert.True(e.Offset > Load(Core).Definitions[^1].Offset, $"{e.Offset}");
    }

    [Theory]
    [InlineData("(value bool (binary \"\\02\"))", "invalid boolean value")]
    [InlineData("(value (enum \"a\") (binary \"\\01\"))", "enum has no case 1")]
    [InlineData("(value (variant (case \"a\")) (binary \"\\01\"))", "variant has no case 1")]
    [InlineData("(value (flags \"a\") (binary \"\\02\"))", "an unknown flag")]
    [InlineData("(value s16 (binary \"\\ff\\ff\\02\"))", "integer too large")]
    [InlineData("(value u16 (binary \"\\80\\80\\04\"))", "integer too large")]
    [InlineData("(value f32 (binary \"\\01\\00\\c0\\7f\"))", "a NaN that is not canonical")]
    [InlineData("(value f64 (binary \"\\00\\00\\00\\00\\00\\00\\f8\\ff\"))", "a NaN that is not canonical")]
    [InlineData("(value char (binary \"\\ed\\a0\\80\"))", "malformed UTF-8 encoding")]
    [InlineData("(value (list u8) (binary \"\\03\\00\\00\"))", "unexpected end")]
    [InlineData("(value (list u8 3) (binary \"\\00\\00\"))", "unexpected end")]
    [InlineData("(value u8 (binary \"\\00\\00\"))", "the value is shorter than its length")]
    public void ValuesAreMalformed(string definition, string reason)
    {
        var e = Assert.Throws<MalformedModuleException>(() => Load(definition));
        Assert.Contains(reason, e.Reason, StringComparison.Ordinal);
    }

    /// <summary>What has no place among core types here.</summary>
    [Fact]
    public void SharedThreadsAreUnsupported() =>
        Assert.Throws<UnsupportedModuleException>(() => Load("(core type $t (func (param i32))) (canon thread.spawn-ref shared $t (core func))"));

    [Fact]
    public void SpacesHaveTheTypesOfTheirItems()
    {
        ComponentDefinition component = Load(
            """
            (core module $M (memory (export "m") 1) (func (export "f") (param i32) (result i32) unreachable) (global (export "g") i32 (i32.const 0)))
            (core instance $i (instantiate $M))
            (alias core export $i "m" (core memory)) (alias core export $i "f" (core func $f)) (alias core export $i "g" (core global))
            (type $r (resource (rep i32))) (export $r2 "r" (type $r))
            (func (export "twice") (param "x" (own $r2)) (result s8) (canon lift (core func $f)))
            (component $c (import "t" (type $t (sub resource))) (export "u" (type $t)))
            (instance $j (instantiate $c (with "t" (type $r))))
            (alias export $j "u" (type $u))
            """);
        ComponentSpaces spaces = component.Spaces;
        Assert.Equal((1, 1, 1, 1), (spaces.CoreModules.Count, spaces.CoreInstances.Count, spaces.CoreMemories.Count, spaces.CoreGlobals.Count));
        Assert.Equal("(func (param i32) (result i32))", spaces.CoreFuncs[0].Composite.ToString());
        // An export is another item of its space; the resource has three names and is one.
        Assert.Equal((2, 1, 1), (spaces.Funcs.Count, spaces.Components.Count, spaces.Instances.Count));
        ResourceType[] resources = [.. spaces.Types.OfType<ResourceType>()];
        Assert.Equal(3, resources.Distinct().Count());
        Assert.Single(resources.Select(r => r.Canonical).Distinct());
        ComponentSignature signature = spaces.Signature;
        Assert.Equal(["r", "twice"], signature.Exports.Select(e => e.Name));
        Assert.Same(resources[0].Canonical, Assert.Single(signature.Made));
        Assert.Empty(signature.Imports);
    }

    /// <summary>CanonicalABI.md: size, alignment and core types of values, with pointers of 32 and of 64 bits.</summary>
    [Theory]
    [InlineData("bool", 1, 1, 1, 1, "i32", "i32")]
    [InlineData("string", 8, 4, 16, 8, "i32 i32", "i64 i64")]
    [InlineData("(list u8)", 8, 4, 16, 8, "i32 i32", "i64 i64")]
    [InlineData("(list u16 3)", 6, 2, 6, 2, "i32 i32 i32", "i32 i32 i32")]
    [InlineData("(record (field \"a\" u8) (field \"b\" u64) (field \"c\" u16))", 24, 8, 24, 8, "i32 i64 i32", "i32 i64 i32")]
    [InlineData("(tuple u8 string)", 12, 4, 24, 8, "i32 i32 i32", "i32 i64 i64")]
    [InlineData("(variant (case \"a\" f32) (case \"b\" u64) (case \"c\"))", 16, 8, 16, 8, "i32 i64", "i32 i64")]
    [InlineData("(variant (case \"a\" f32) (case \"b\" u32))", 8, 4, 8, 4, "i32 i32", "i32 i32")]
    [InlineData("(result string (error f64))", 16, 8, 24, 8, "i32 i64 i32", "i32 i64 i64")]
    [InlineData("(option u8)", 2, 1, 2, 1, "i32 i32", "i32 i32")]
    [InlineData("(flags \"a\" \"b\" \"c\" \"d\" \"e\" \"f\" \"g\" \"h\" \"i\")", 2, 2, 2, 2, "i32", "i32")]
    [InlineData("(map u8 u64)", 8, 4, 16, 8, "i32 i32", "i64 i64")]
    [InlineData("(stream u64)", 4, 4, 4, 4, "i32", "i32")]
    public void ValuesHaveTheirLayout(string type, int size32, int align32, int size64, int align64, string flat32, string flat64)
    {
        var value = (ComponentValType)Load($"(type {type})").Spaces.Types[^1];
        Assert.Equal((size32, align32, size64, align64), ((int)value.Layout32.Size, value.Layout32.Alignment, (int)value.Layout64.Size, value.Layout64.Alignment));
        Assert.Equal((flat32, flat64), (Flat(false), Flat(true)));
        Assert.Equal(flat32.Split(' ').Length, value.FlatCount);

        string Flat(bool is64)
        {
            var types = new List<ValType>();
            FlatTypes.Flatten(value, is64, types);
            return string.Join(' ', types);
        }
    }
}
