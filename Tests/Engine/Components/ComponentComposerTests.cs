using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Components that are made of two.</summary>
public sealed class ComponentComposerTests
{
    private static byte[] Bytes(string text) => Wat.ToBinary(text);

    private static byte[] Plug(string socket, string plug) => ComponentComposer.Plug(Bytes(socket), Bytes(plug));

    private static WasmComponent Compile(byte[] bytes) => new Engine().CompileComponent(bytes);

    /// <summary>Imports <c>add</c> of an interface, and calls it.</summary>
    private static string Caller(string name = "calc:api/adder@1.0.0", string type = "(param \"a\" u32) (param \"b\" u32) (result u32)") => $"""
        (component
          (import "{name}" (instance $adder (export "add" (func {type}))))
          (core func $add (canon lower (func $adder "add")))
          (core module $M
            (import "" "add" (func $add (param i32 i32) (result i32)))
            (func (export "twice") (param i32) (result i32) (call $add (local.get 0) (local.get 0))))
          (core instance $m (instantiate $M (with "" (instance (export "add" (func $add))))))
          (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $m "twice"))))
        """;

    private static string Adder(string name = "calc:api/adder@1.0.0") => $"""
        (component
          (core module $M (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
          (core instance $m (instantiate $M))
          (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add")))
          (instance $adder (export "add" (func $add)))
          (export "{name}" (instance $adder)))
        """;

    /// <summary>Adds by a function that it imports, and says so by another.</summary>
    private const string Logging = """
        (component
          (import "plus" (func $plus (param "a" u32) (param "b" u32) (result u32)))
          (core func $plus' (canon lower (func $plus)))
          (core module $M (import "" "plus" (func $plus (param i32 i32) (result i32)))
            (func (export "add") (param i32 i32) (result i32) (call $plus (local.get 0) (local.get 1))))
          (core instance $m (instantiate $M (with "" (instance (export "plus" (func $plus'))))))
          (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add")))
          (instance $adder (export "add" (func $add)))
          (export "calc:api/adder@1.0.0" (instance $adder)))
        """;

    [Fact]
    public void AnImportIsPlugged()
    {
        WasmComponent component = Compile(Plug(Caller(), Adder()));
        Assert.Empty(component.Imports);
        Assert.Equal(["twice"], component.Exports);
        using ComponentInstance instance = component.Instantiate();
        Assert.Equal(42u, instance.GetFunction<Func<uint, uint>>("twice")(21));
    }

    [Theory]
    [InlineData("calc:api/adder@1.0.0", "calc:api/adder@1.4.2", true)]
    [InlineData("calc:api/adder@1.4.2", "calc:api/adder@1.0.0", true)]
    [InlineData("calc:api/adder@0.2.0", "calc:api/adder@0.2.3", true)]
    [InlineData("calc:api/adder@1.0.0", "calc:api/adder@2.0.0", false)]
    [InlineData("calc:api/adder@0.2.0", "calc:api/adder@0.3.0", false)]
    [InlineData("calc:api/adder", "calc:api/adder@1.0.0", false)]
    public void CompatibleVersionsStandForOneAnother(string import, string export, bool fits)
    {
        if (!fits)
        {
            Assert.Equal($"none of the imports is an export of the other component: imports are {import}, exports {export}", Assert.Throws<LinkException>(() => Plug(Caller(import), Adder(export))).Message);
            return;
        }
        using ComponentInstance instance = Compile(Plug(Caller(import), Adder(export))).Instantiate();
        Assert.Equal(4u, instance.GetFunction<Func<uint, uint>>("twice")(2));
    }

    [Fact]
    public void WhatThePlugImportsIsImported()
    {
        WasmComponent component = Compile(Plug(Caller(), Logging));
        Assert.Equal(["plus"], component.Imports);
        using ComponentInstance instance = component.Instantiate(new ComponentHost { { "plus", (Func<uint, uint, uint>)((a, b) => a + b + 1) } });
        Assert.Equal(7u, instance.GetFunction<Func<uint, uint>>("twice")(3));
        // And can be plugged in turn.
        byte[] last = ComponentComposer.Plug(Plug(Caller(), Logging), Bytes("""
            (component
              (core module $M (func (export "plus") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))
              (core instance $m (instantiate $M))
              (func (export "plus") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "plus"))))
            """));
        using ComponentInstance whole = Compile(last).Instantiate();
        Assert.Equal(9u, whole.GetFunction<Func<uint, uint>>("twice")(3));
    }

    [Fact]
    public void TypesThatDoNotMatchAreAnError()
    {
        string reason = Assert.Throws<InvalidModuleException>(() => Plug(Caller(type: "(param \"a\" u32) (param \"b\" u32) (result s32)"), Adder())).Message;
        Assert.Contains("type mismatch in instance export `add`", reason, StringComparison.Ordinal);
    }

    /// <summary>Both use resources of an interface that neither has: it is imported once, with what either uses of it.</summary>
    [Fact]
    public void ImportsOfOneNameAreOne()
    {
        string socket = """
            (component
              (import "my:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
              (alias export $error "error" (type $error-type))
              (import "my:io/streams@0.2.0" (instance $streams
                (alias outer 1 $error-type (type $e)) (export "error" (type $error (eq $e)))
                (type $kind' (enum "full" "closed")) (export "kind" (type $kind (eq $kind')))
                (type $failure' (variant (case "failed" (own $error)) (case "because" $kind))) (export "failure" (type $failure (eq $failure')))
                (export "output" (type $output (sub resource)))
                (export "[method]output.write" (func (param "self" (borrow $output)) (param "byte" u8) (result (result u32 (error $failure)))))))
              (import "calc:api/adder@1.0.0" (instance $adder (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
              (export "adder" (instance $adder)))
            """;
        string plug = """
            (component
              (import "my:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
              (alias export $poll "pollable" (type $pollable-type))
              (import "my:io/streams@0.2.0" (instance $streams
                (alias outer 1 $pollable-type (type $p)) (export "pollable" (type $pollable (eq $p)))
                (export "input" (type $input (sub resource)))
                (export "output" (type $output (sub resource)))
                (export "[method]input.subscribe" (func (param "self" (borrow $input)) (result (own $pollable))))
                (export "[method]output.subscribe" (func (param "self" (borrow $output)) (result (own $pollable))))))
              (core module $M (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
              (core instance $m (instantiate $M))
              (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add")))
              (instance $adder (export "add" (func $add)))
              (export "calc:api/adder@1.0.0" (instance $adder)))
            """;
        ComponentSignature made = Compile(Plug(socket, plug)).Signature;
        Assert.Equal(["my:io/error@0.2.0", "my:io/poll@0.2.0", "my:io/streams@0.2.0"], made.Imports.Select(i => i.Name).Order(StringComparer.Ordinal));
        // The interface comes behind those whose types it uses, and has what both use of it.
        Assert.Equal("my:io/streams@0.2.0", made.Imports[^1].Name);
        var streams = (ComponentInstanceType)made.Imports[^1].Type.Type;
        Assert.Equal(
            ["[method]input.subscribe", "[method]output.subscribe", "[method]output.write", "error", "failure", "input", "kind", "output", "pollable"],
            streams.Exports.Select(e => e.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>What is passed on is the same type as before, of whatever kind it is.</summary>
    [Fact]
    public void TypesOfEveryKindArePassedOn()
    {
        const string everything = """
            (import "all:kinds/types" (instance $all
              (type $r' (record (field "a" bool) (field "b" (list string)))) (export "r" (type $r (eq $r')))
              (type $e' (enum "x" "y")) (export "e" (type $e (eq $e')))
              (type $f' (flags "one" "two")) (export "f" (type $f (eq $f')))
              (type $v' (variant (case "r" $r) (case "none") (case "t" (tuple s8 u16 char)))) (export "v" (type $v (eq $v')))
              (export "again" (type $again (eq $r)))
              (export "thing" (type $thing (sub resource)))
              (export "[constructor]thing" (func (param "v" $v) (result (own $thing))))
              (export "[method]thing.f" (func (param "self" (borrow $thing)) (param "o" (option $e)) (result (result $f (error (list $again))))))
              (export "many" (func (param "a" (list f32 4)) (param "b" f64) (param "c" (result)) (param "d" s64) (result (tuple u64 (option (option s16))))))
              (export "later" (func async (param "s" (stream u8)) (result (future (result (error $e))))))
              (export "nothing" (func))))
            """;
        string socket = $"(component {everything} (import \"plugged\" (func)) (export \"all:kinds/types\" (instance $all)))";
        byte[] before = Bytes(socket), after = ComponentComposer.Plug(before, Bytes("""
            (component
              (core module $M (func (export "f")))
              (core instance $m (instantiate $M))
              (func (export "plugged") (canon lift (core func $m "f"))))
            """));
        static string Interface(byte[] bytes)
        {
            ComponentDefinition component = ComponentDecoder.Decode(bytes);
            ComponentValidator.Validate(component);
            string wit = WitPrinter.Print(component);
            return wit[wit.IndexOf("package all:kinds", StringComparison.Ordinal)..];
        }

        Assert.Equal(Interface(before), Interface(after));
    }

    /// <summary>A socket that passes on what it has of the plug: the type has its name by the plug's interface, which is exported, too.</summary>
    [Fact]
    public void TypesOfThePlugThatAreShownHaveAName()
    {
        byte[] made = Plug(
            """
            (component
              (import "shop:api/items" (instance $items (export "item" (type $item (sub resource))) (export "find" (func (result (own $item))))))
              (alias export $items "find" (func $find))
              (export "find-it" (func $find)))
            """,
            """
            (component
              (type $item' (resource (rep i32)))
              (export $item "item" (type $item'))
              (core func $new (canon resource.new $item'))
              (core module $M (import "" "new" (func $new (param i32) (result i32))) (func (export "find") (result i32) (call $new (i32.const 7))))
              (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
              (func $find (result (own $item)) (canon lift (core func $m "find")))
              (instance $items (export "item" (type $item)) (export "find" (func $find)))
              (export "shop:api/items" (instance $items)))
            """);
        WasmComponent component = Compile(made);
        Assert.Equal(["shop:api/items", "find-it"], component.Exports);
        using ComponentInstance instance = component.Instantiate();
        using ComponentResource item = instance.GetFunction<Func<ComponentResource>>("find-it")();
        Assert.False(item.IsBorrowed);
    }

    [Theory]
    [InlineData("(component (import \"m\" (core module)) (import \"f\" (func)))", "core module|module")]
    [InlineData("(component (import \"c\" (component)) (import \"f\" (func)))", "component")]
    public void WhatCannotBePassedOnIsUnsupported(string socket, string what)
    {
        string message = Assert.Throws<UnsupportedModuleException>(() => Plug(socket, "(component (core module $M (func (export \"f\"))) (core instance $m (instantiate $M)) (func (export \"f\") (canon lift (core func $m \"f\"))))")).Message;
        Assert.Contains(what.Split('|'), w => message.Contains(w, StringComparison.Ordinal));
    }

    /// <summary>Bytes that are wrong are said to be; nothing else happens.</summary>
    [Fact]
    public void BrokenBytesAreErrors()
    {
        byte[] socket = Bytes(Caller()), plug = Bytes(Logging);
        var random = new Random(13);
        int failed = 0;
        for (int i = 0; i < 3000; i++)
        {
            byte[] a = [.. socket], b = [.. plug];
            byte[] broken = i % 2 == 0 ? a : b;
            broken[random.Next(8, broken.Length)] = (byte)random.Next(256);
            if (i % 3 == 0) Array.Resize(ref b, random.Next(b.Length));
            try
            {
                ComponentComposer.Plug(a, b);
            }
            catch (WasmJitException)
            {
                failed++;
            }
        }
        Assert.InRange(failed, 1000, 3000);
    }
}
