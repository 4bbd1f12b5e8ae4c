// What DeploymentTests publishes in each form: it uses what is found by reflection, and prints what comes out.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit;
using WasmJit.Components;
using WasmJit.Gc;
using WasmJit.Wasi;

const string Text = """
    (module $published
      (type $pair (struct (field i32) (field (mut f64))))
      (type $list (array (mut i32)))
      (type $unary (func (param i32) (result i32)))
      (import "env" "print" (func $print (param i32)))
      (import "env" "join" (func $join (param i64 f64 externref) (result externref)))
      (import "env" "split" (func $split (param i64) (result i32 i32)))
      (tag $oops (param i32))
      (memory (export "memory") 1)
      (table $t funcref (elem $double))
      (data (i32.const 16) "text")
      (func $double (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func (export "add") (param i32 i32) (result i32) (call $print (local.get 0)) (i32.add (local.get 0) (local.get 1)))
      (func (export "halves") (param i64) (result i32 i32) (call $split (local.get 0)))
      (func (export "vector") (param v128) (result v128) (i8x16.shuffle 3 2 1 0 4 5 6 7 8 9 10 11 12 13 14 15 (local.get 0) (i32x4.add (local.get 0) (local.get 0))))
      (func (export "pair") (result (ref $pair)) (struct.new $pair (i32.const 1) (f64.const 2.5)))
      (func (export "list") (result (ref $list)) (array.new $list (i32.const 7) (i32.const 3)))
      (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
          (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
      (func (export "trap") (result i32) (i32.load (i32.const -1)))
      (func $throws (param i32) (throw $oops (local.get 0)))
      (func (export "caught") (result i32) (block $h (result i32) (try_table (catch $oops $h) (call $throws (i32.const 5))) (i32.const 0)))
      (func (export "join") (result externref) (call $join (i64.const 1) (f64.const 2) (ref.null extern)))
      (func (export "indirect") (result i32) (call_indirect (type $unary) (i32.const 21) (i32.const 0)))
      (func (export "nine") (result i32 i64 f32 f64 i32 i64 f32 f64 i32)
        (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6) (f32.const 7) (f64.const 8) (i32.const 9)))
    """;

Console.WriteLine(RuntimeFeature.IsDynamicCodeSupported ? "code is made at run time" : "no code is made at run time");
if (!RuntimeFeature.IsDynamicCodeSupported)
{
    // The interpreter has everything. Of what needs code the exception tells what to do.
    Instance interpreted = new Engine().CompileText(Text).Instantiate(Imports());
    Console.WriteLine(interpreted.GetExport<Func<int, int, int>>("add")(40, 2));
    Console.WriteLine(interpreted.GetExport<Func<long, (int, int)>>("halves")(0x200000001));
    Console.WriteLine(interpreted.GetExport<Func<int, int>>("fib")(20));
    try { interpreted.GetExport<Func<int>>("trap")(); }
    catch (TrapException e) { Console.WriteLine($"{e.Message} in {e.WasmStack[0]}"); }
    Console.WriteLine(interpreted.GetExport<Func<object>>("join")());
    Console.WriteLine(interpreted.GetExport<Func<int>>("indirect")());
    Console.WriteLine(string.Join(' ', interpreted.GetFunction("nine").Invoke().Select(value => value.ToObject())));
    Console.WriteLine(interpreted.GetExport<Func<int>>("caught")());
    Console.WriteLine(interpreted.GetExport<Func<Vector128<byte>, Vector128<byte>>>("vector")(Vector128.Create(0x01020304).AsByte()).AsInt32());
    Console.WriteLine(((WasmStruct)interpreted.GetExport<Func<object>>("pair")())[1]);
    Console.WriteLine(WasmArray.Of(interpreted.GetExport<Func<object>>("list")()).Length);
    try { interpreted.As<App.IAdder>(); }
    catch (PlatformNotSupportedException e) { Console.WriteLine(e.Message); }
    return;
}
// What the generators have written: the class of a module, that of an interface, and C# of WIT.
App.Plugin plugin = App.Plugin.Instantiate(App.Plugin.Compile(new Engine()));
plugin.Log += text => Console.WriteLine($"log: {text}");
plugin.Step += step => step < 2;
Console.WriteLine($"{plugin.Name()} {plugin.Length("größe")} {plugin.Add(40, 2)} {plugin.Run(9)}");
App.INumbers numbers = plugin.Instance.As<App.INumbers>();
Console.WriteLine($"{numbers.Half(uint.MaxValue)} {numbers.Mirror(new App.Point(1, 2))} {numbers.GetType().Assembly == typeof(App.INumbers).Assembly}");
using (App.IShapes shapes = new Engine().CompileComponent(Wat.ToBinary("""
    (component
      (core module $M
        (func (export "grow") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        (func (export "next") (param i32) (result i32) (i32.xor (local.get 0) (i32.const 1))))
      (core instance $m (instantiate $M))
      (type $size' (record (field "n" u32)))
      (export $size "size" (type $size'))
      (type $kind' (enum "small" "large"))
      (export $kind "kind" (type $kind'))
      (func (export "grow") (param "s" $size) (result $size) (canon lift (core func $m "grow")))
      (func (export "next") (param "k" $kind) (result $kind) (canon lift (core func $m "next"))))
    """)).Instantiate<App.IShapes>())
    Console.WriteLine($"{shapes.Grow(new App.IShapes.Size(6))} {shapes.Next(App.IShapes.Kind.Small)}");
foreach (Compilation compilation in new[] { Compilation.Tiered, Compilation.Lazy, Compilation.Interpreted })
    Use(new Engine(new EngineOptions { Compilation = compilation }).CompileText(Text).Instantiate(Imports()));
var saved = new MemoryStream();
new Engine().CompileText(Text).Save(saved);
saved.Position = 0;
Use(new Engine(new EngineOptions { Compilation = Compilation.Never }).LoadSaved(saved).Instantiate(Imports()));
Console.WriteLine(new WasiHost(new WasiOptions { Arguments = ["app"] }).Run(new Engine().CompileText("""
    (module (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
      (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))) (call $exit (i32.load (i32.const 0)))))
    """)));

static Imports Imports() => new()
{
    { "env", "print", (Action<int>)Console.WriteLine },
    { "env", "join", (Func<Caller, long, double, object?, object?>)((c, a, b, o) => $"{c.Memory.ReadString(16, 4)} {a} {b} {o is null}") },
    { "env", "split", (Func<long, (int, int)>)(v => ((int)v, (int)(v >> 32))) },
};

static void Use(Instance instance)
{
    Console.WriteLine(instance.GetExport<Func<int, int, int>>("add")(40, 2));
    Console.WriteLine(instance.GetExport<Func<long, (int, int)>>("halves")(0x200000001));
    Console.WriteLine(instance.GetExport<Func<Vector128<byte>, Vector128<byte>>>("vector")(Vector128.Create(0x01020304).AsByte()).AsInt32());
    Console.WriteLine(((WasmStruct)instance.GetExport<Func<object>>("pair")())[1]);
    Console.WriteLine(WasmArray.Of(instance.GetExport<Func<object>>("list")()).Length);
    Console.WriteLine(instance.GetExport<Func<int, int>>("fib")(20));
    try { instance.GetExport<Func<int>>("trap")(); }
    catch (TrapException e) { Console.WriteLine($"{e.Message} in {e.WasmStack[0]}"); }
    Console.WriteLine(instance.GetExport<Func<int>>("caught")());
    Console.WriteLine(instance.GetExport<Func<object>>("join")());
    Console.WriteLine(instance.GetExport<Func<int>>("indirect")());
    Console.WriteLine(instance.GetExport<Delegate>("nine").DynamicInvoke());
}

namespace App
{
    public readonly record struct Point(int X, int Y);

    /// <summary>Without a generated class.</summary>
    public interface IAdder
    {
        int Add(int a, int b);
    }

    [WasmFace("plugin.wasm")]
    public interface INumbers
    {
        uint Half(uint number);

        Point Mirror(Point point);
    }

    public partial class Plugin
    {
        public partial string Name();

        public partial int Length(string text);

        public partial event Action<string>? Log;

        [WasmName("progress")]
        public partial event Func<int, bool>? Step;
    }
}
