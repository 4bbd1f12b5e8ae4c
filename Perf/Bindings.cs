using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>What a call through an interface (<see cref="Instance.As{T}"/>) costs beside one of the export's delegate.</summary>
internal static class Bindings
{
    public interface IFace
    {
        int Add(int a, int b);

        bool IsOdd(uint value);

        int Length(string text);
    }

    private const string Text = """
        (module
          (memory (export "memory") 1)
          (func (export "malloc") (param i32) (result i32) (i32.const 1024))
          (func (export "free") (param i32))
          (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
          (func (export "is_odd") (param i32) (result i32) (i32.and (local.get 0) (i32.const 1)))
          (func (export "length") (param i32 i32) (result i32) (local.get 1)))
        """;

    public static void Run()
    {
        Instance instance = new Engine(new EngineOptions { Compilation = Compilation.Lazy }).CompileText(Text).Instantiate();
        var add = instance.GetExport<Func<int, int, int>>("add");
        IFace face = instance.As<IFace>();
        Memory memory = instance.GetExport<Memory>("memory");
        var length = instance.GetExport<Func<int, int, int>>("length");
        Console.WriteLine($"{"",-44}{"ns a call",10}");
        (string What, Action<int> Work, int Count)[] all =
        [
            ("the delegate: add", n => { for (int i = 0, s = 0; i < n; i++) s = add(s, i); }, 20_000_000),
            ("the interface: add", n => { for (int i = 0, s = 0; i < n; i++) s = face.Add(s, i); }, 20_000_000),
            ("the interface: bool IsOdd(uint)", n => { for (uint i = 0; i < n; i++) face.IsOdd(i); }, 20_000_000),
            ("by hand: WriteString and the delegate", n => { for (int i = 0; i < n; i++) length(1024, memory.WriteString(1024, "hello, world")); }, 5_000_000),
            ("the interface: Length(string), malloc and free", n => { for (int i = 0; i < n; i++) face.Length("hello, world"); }, 5_000_000),
        ];
        double[] best = ByTurns.Nanoseconds(8, [.. all.Select(way => (way.Work, way.Count))]);
        for (int i = 0; i < all.Length; i++) Console.WriteLine($"{all[i].What,-44}{best[i],10:0.00}");
        Twenty();
    }

    /// <summary>How long it takes to make a face of twenty methods, at first and again.</summary>
    private static void Twenty()
    {
        string exports = string.Concat(Enumerable.Range(0, 20).Select(i => $"(func (export \"m{i}\") (param i32) (result i32) (i32.const {i}))"));
        Module module = new Engine().CompileText($"(module {exports})");
        long start = Stopwatch.GetTimestamp();
        ITwenty face = module.Instantiate().As<ITwenty>();
        Console.WriteLine($"{"twenty methods: the first face, us",-44}{Stopwatch.GetElapsedTime(start).TotalMicroseconds,10:0}");
        start = Stopwatch.GetTimestamp();
        const int Count = 200;
        for (int i = 0; i < Count; i++) module.Instantiate().As<ITwenty>();
        Console.WriteLine($"{"instance and a further face, us",-44}{Stopwatch.GetElapsedTime(start).TotalMicroseconds / Count,10:0.0}");
        GC.KeepAlive(face);
    }

    public interface ITwenty
    {
        int M0(int x);
        int M1(int x);
        int M2(int x);
        int M3(int x);
        int M4(int x);
        int M5(int x);
        int M6(int x);
        int M7(int x);
        int M8(int x);
        int M9(int x);
        int M10(int x);
        int M11(int x);
        int M12(int x);
        int M13(int x);
        int M14(int x);
        int M15(int x);
        int M16(int x);
        int M17(int x);
        int M18(int x);
        int M19(int x);
    }
}
