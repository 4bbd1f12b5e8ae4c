using System.Diagnostics;
using WasmJit.Jit.Format;

namespace WasmJit.Perf;

/// <summary>
/// Modules one after the other, each with a function of a signature that no other has: what stays in the process. By a guest that
/// compiles them, and by a host that takes the delegate of each function.
/// </summary>
internal static class Signatures
{
    private const string Guest = """
        (module
          (type $M (module))
          (memory (export "memory") 1)
          (func (export "make") (param $length i32) (drop (instantiate $M (compile $M (i32.const 0) (local.get $length))))))
        """;

    /// <summary>Ten parameters say 4^10 signatures; results another 4 each.</summary>
    private const int Digits = 12;

    private static readonly byte[] ValueTypes = [TypeByte.I32, TypeByte.I64, TypeByte.F32, TypeByte.F64];

    public static void Run(int count)
    {
        Console.WriteLine($"{"",-34}{"us each",10}{"heap MB",10}{"process MB",12}{"collections",12}");
        byte[] template = Wat.ToBinary($"""
            (module (type (func (param {string.Join(' ', Enumerable.Repeat("i32", Digits))})))
              (func $f (export "f") (type 0) (nop)) (table 1 funcref) (elem (i32.const 0) $f))
            """);
        int hole = template.AsSpan().IndexOf(Enumerable.Repeat(ValueTypes[0], Digits).ToArray());
        Instance guest = new Engine().CompileText(Guest).Instantiate();
        var memory = guest.GetExport<Memory>("memory");
        var make = guest.GetExport<Action<int>>("make");
        Measure("compile and instantiate of a guest", count, i =>
        {
            memory.WriteBytes(0, Patch(template, hole, i));
            make(template.Length);
        });
        var engine = new Engine();
        Measure("instances of the host, delegates", count, i => engine.Compile(Patch(template, hole, i)).Instantiate().GetExport<Delegate>("f"));
    }

    private static byte[] Patch(byte[] template, int hole, int number)
    {
        for (int digit = 0; digit < Digits; digit++) template[hole + digit] = ValueTypes[(number >> (2 * digit)) & 3];
        return template;
    }

    private static void Measure(string what, int count, Action<int> make)
    {
        make(0);
        Print(what, 0, 0);
        const int Steps = 4;
        for (int step = 0; step < Steps; step++)
        {
            int from = (int)((long)count * step / Steps), to = (int)((long)count * (step + 1) / Steps);
            long start = Stopwatch.GetTimestamp();
            for (int i = from; i < to; i++) make(i);
            Print(what, to, Stopwatch.GetElapsedTime(start).TotalMicroseconds / Math.Max(1, to - from));
        }
    }

    private static void Print(string what, int done, double time)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        Console.WriteLine($"{what + " " + done,-34}{time,10:f1}{GC.GetTotalMemory(false) / 1048576.0,10:f1}{process.WorkingSet64 / 1048576.0,12:f1}{GC.CollectionCount(2),12}");
    }
}
