using System.Runtime.CompilerServices;
using WasmJit;

// A guest that writes a module, compiles it and calls what it exports, in a program that cannot make code: all of it is interpreted.
const string Text = """
    (module $guest
      (type $unary (func (param i32) (result i32)))
      (type $Code (module (import "env" "memory" (memory 1)) (export "f" (func (type $unary)))))
      (type $Instance (instance (export "f" (func (type $unary)))))
      (import "env" "print" (func $print (param i32)))
      (import "env" "sum" (func $sum (param i32 i64 f64) (result i64 f64)))
      (memory $memory (export "memory") 1)
      (table $functions 4 funcref)
      (tag $odd (param i32))
      (type $point (struct (field i32)))
      (global $made (export "made") (mut i32) (i32.const 0))

      ;; A module, and a mark behind it: f adds a constant, of which the guest writes the first byte, and what is at address 4096.
      (data (i32.const 1024)
        (module (import "env" "memory" (memory 1))
          (func (export "f") (param i32) (result i32) (i32.add (i32.add (local.get 0) (i32.const 42)) (i32.load (i32.const 4096)))))
        "\de\ad\be\ef")

      (func $length (result i32) (local $n i32)
        (loop $next
          (if (i32.ne (i32.load (i32.add (local.get $n) (i32.const 1024))) (i32.const 0xefbeadde))
            (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $next))))
        (local.get $n))

      ;; Compiles the module and puts its function into the table.
      (func $make (export "make") (param $slot i32)
        (table.set $functions (local.get $slot)
          (get_export $Instance "f" (instantiate $Code (ref.memory $memory) (compile $Code (i32.const 1024) (call $length)))))
        (global.set $made (i32.add (global.get $made) (i32.const 1))))

      (func (export "call") (param $x i32) (param $slot i32) (result i32)
        (call_indirect $functions (type $unary) (local.get $x) (local.get $slot)))
      (func (export "print") (param i32) (call $print (local.get 0)))
      (func (export "sum") (param i32 i64 f64) (result i64 f64) (call $sum (local.get 0) (local.get 1) (local.get 2)))
      (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
          (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
      (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
      (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
      (func (export "dot") (param i32) (result i32) (local $v v128)
        (local.set $v (i32x4.mul (i32x4.splat (local.get 0)) (v128.const i32x4 1 2 3 4)))
        (i32.add (i32x4.extract_lane 0 (local.get $v)) (i32x4.extract_lane 3 (local.get $v))))
      (func $even (param i32) (result i32)
        (if (i32.and (local.get 0) (i32.const 1)) (then (throw $odd (local.get 0))))
        (local.get 0))
      (func (export "caught") (param i32) (result i32)
        (block $odd (result i32) (try_table (result i32) (catch $odd $odd) (call $even (local.get 0))) (return))
        (i32.mul (i32.const -1)))
      (func (export "count") (param i32) (result i32) (i32.atomic.rmw.add (i32.const 8192) (local.get 0)))
      (func (export "object") (result i32) (struct.get $point 0 (struct.new $point (i32.const 1)))))
    """;

Console.WriteLine(RuntimeFeature.IsDynamicCodeSupported ? "code can be made" : "no code can be made");
Module module = new Engine().CompileText(Text);
Instance guest = module.Instantiate(new Imports
{
    { "env", "print", (Caller caller, int value) => Console.WriteLine($"{value}, {caller.Memory.PageCount} page") },
    // Two results, by a function without a .NET type.
    {
        "env", "sum", new FuncType([ValType.I32, ValType.I64, ValType.F64], [ValType.I64, ValType.F64]), (_, arguments, results) =>
        {
            results[0] = arguments[0].AsInt32() + arguments[1].AsInt64();
            results[1] = arguments[2].AsDouble() / 2;
        }
    },
});
guest.GetExport<Action<int>>("print")(7);
Console.WriteLine(string.Join(' ', guest.GetFunction("sum").Invoke(1, 2L, 5.0)));
Console.WriteLine(guest.GetExport<Func<int, int>>("fib")(20));

// The guest compiles.
guest.GetExport<Memory>("memory").Write(4096, 1000);
guest.GetExport<Action<int>>("make")(0);
Console.WriteLine(guest.GetExport<Func<int, int, int>>("call")(5, 0));
Console.WriteLine(guest.GetExport<Global>("made").Value);

Report(() => guest.GetExport<Func<int, int, int>>("divide")(1, 0));
Report(() => guest.GetExport<Func<int, int, int>>("divide")(int.MinValue, -1));
Report(() => guest.GetExport<Func<int, int>>("load")(-4));
Report(() => guest.GetExport<Func<int, int, int>>("call")(5, 1));

// Vectors, exceptions, atomic operators, objects.
Console.WriteLine(guest.GetExport<Func<int, int>>("dot")(10));
Console.WriteLine($"{guest.GetExport<Func<int, int>>("caught")(4)} {guest.GetExport<Func<int, int>>("caught")(5)}");
Console.WriteLine($"{guest.GetExport<Func<int, int>>("count")(3)} {guest.GetExport<Func<int, int>>("count")(3)}");
Console.WriteLine(guest.GetExport<Func<int>>("object")());

static void Report(Func<int> call)
{
    try
    {
        Console.WriteLine(call());
    }
    catch (TrapException e)
    {
        Console.WriteLine($"{e.Message} in {e.WasmStack[0]}");
    }
}
