using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;

namespace WasmJit.Fuzz;

/// <summary>The limits of a module.</summary>
/// <param name="Time">For compiling, linking and all calls together.</param>
/// <param name="Fuel">For each call, where fuel is counted.</param>
internal sealed record RunLimit(TimeSpan Time, long Fuel)
{
    /// <summary>How late a call may end.</summary>
    internal TimeSpan Tolerance { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How late a call may end if it waited for a processor.</summary>
    internal TimeSpan MostWaiting { get; init; } = TimeSpan.FromSeconds(2);

    internal static RunLimit Usual { get; } = new(TimeSpan.FromSeconds(5), 1_000_000);
}

/// <summary>Compiles, links and calls modules in one mode.</summary>
internal sealed class ModuleRunner
{
    /// <summary>The time of hurried modules in milliseconds: about as long as most of them take to be compiled and run.</summary>
    private const double MostHurry = 40;

    private readonly Engine engine;
    private readonly Imports imports;
    private readonly Mode mode;

    internal ModuleRunner(Mode mode)
    {
        this.mode = mode;
        engine = new Engine(mode.Options);
        imports = HostModule.Make(engine);
    }

    /// <summary>The outcomes of a module's calls, a line each; null if they cannot be compared.</summary>
    internal List<string>? Lines { get; private set; }

    /// <summary>By how much runs were late by the clock, whatever the machine did besides: counted, and no failure by itself.</summary>
    internal LateRuns Late { get; set; } = new();

    /// <summary>Runs a module.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="seed">The seed of the arguments.</param>
    /// <param name="isProgram">Whether it must be valid and ends by itself.</param>
    /// <param name="limit">The limits.</param>
    /// <returns>The failure, or null.</returns>
    internal Failure? Run(byte[] bytes, int seed, bool isProgram, RunLimit limit)
    {
        Lines = null;
        if (mode.IsHurried)
        {
            var random = new Random(~seed);
            limit = limit with { Time = TimeSpan.FromMilliseconds(random.NextDouble() * MostHurry), Fuel = random.Next(20_000) };
        }
        using var source = new CancellationTokenSource();
        TimeSpan usedWhenOver = TimeSpan.MaxValue;
        using CancellationTokenRegistration over = source.Token.Register(() => usedWhenOver = Environment.CpuUsage.TotalTime);
        long begin = Stopwatch.GetTimestamp();
        if (mode.IsLimited) source.CancelAfter(limit.Time);
        Failure? failure = null;
        try
        {
            if (mode.IsLimited) Guest.Run(() => RunCore(bytes, seed, isProgram, limit), source.Token);
            else RunCore(bytes, seed, isProgram, limit);
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
            // Its time was over.
            Lines = null;
        }
        catch (ModuleException e) when (e.InnerException is InvalidProgramException)
        {
            // Nothing that is made here is too much for RyuJIT.
            failure = new Failure(FailureKind.Escaped, mode.Name, Describe(e.InnerException));
        }
        catch (ModuleException e)
        {
            if (isProgram) failure = new Failure(FailureKind.Refused, mode.Name, e.Message);
        }
        catch (Exception e) when (!IsExpected(e))
        {
            failure = new Failure(FailureKind.Escaped, mode.Name, Describe(e));
        }
        catch (Exception e) when (isProgram && e is LinkException)
        {
            failure = new Failure(FailureKind.Refused, mode.Name, e.Message);
        }
        catch (Exception e)
        {
            // Mutants, and modules with little fuel, may trap when they are instantiated. Programs do not.
            if (isProgram && !mode.IsLimited) failure = new Failure(FailureKind.Escaped, mode.Name, Describe(e));
        }
        TimeSpan late = Stopwatch.GetElapsedTime(begin) - limit.Time;
        // On a loaded machine a thread may wait that long for a processor.
        bool worked = Environment.CpuUsage.TotalTime - usedWhenOver > limit.Tolerance;
        if (mode.IsLimited && late > limit.Tolerance) Late.Add(late);
        if (mode.IsHurried) Lines = null;
        if (failure is null && mode.IsLimited && (late > limit.MostWaiting || (late > limit.Tolerance && worked)))
            failure = new Failure(FailureKind.Late, mode.Name, string.Create(CultureInfo.InvariantCulture, $"{late.TotalMilliseconds:0} ms after its {limit.Time.TotalMilliseconds:0} ms"));
        return failure;
    }

    private void RunCore(byte[] bytes, int seed, bool isProgram, RunLimit limit)
    {
        Module module = engine.Compile(bytes);
        if (!isProgram) CompileAll(module);
        // Mutants may never end.
        if (!isProgram && !mode.IsLimited) return;
        Imports given = imports;
        if (!isProgram)
        {
            given = [];
            given.AddRange(imports);
            given.AddUnknown(module, UnknownImports.Default);
        }
        Instance instance = mode.Options.CountFuel ? module.Instantiate(given, new Fuel(limit.Fuel)) : module.Instantiate(given);
        var lines = new List<string>();
        foreach ((string name, object?[] arguments, int results) in Calls(module.Exports, seed, isProgram))
        {
            if (mode.Options.CountFuel) instance.Fuel = new Fuel(limit.Fuel);
            string outcome = Call(instance, (Delegate)instance.FindExport(name)!, arguments, results);
            if (isProgram) lines.Add(Line(name, arguments, outcome, instance.FindExport));
        }
        if (isProgram) Lines = lines;
    }

    /// <summary>The calls of a module's exports.</summary>
    /// <param name="exports">The exports.</param>
    /// <param name="seed">The seed of the arguments.</param>
    /// <param name="isProgram">Whether the results are compared. Only numbers can be.</param>
    internal static IEnumerable<(string Name, object?[] Arguments, int Results)> Calls(IEnumerable<ExportType> exports, int seed, bool isProgram)
    {
        var random = new Random(seed);
        foreach (ExportType export in exports)
        {
            if (export.Type.Kind != ExternKind.Func || !IsCallable(export.Type.Func, isProgram)) continue;
            for (int i = 0; i < 2; i++)
                yield return (export.Name, [.. export.Type.Func.Params.Select(p => Argument(random, p))], export.Type.Func.Results.Length);
        }
    }

    private void CompileAll(Module module)
    {
        foreach (ModuleInfo info in module.Info.WithNested())
        {
            FunctionCode code = CompiledModule.Of(info, engine.CodeOptions);
            for (int i = info.ImportedFuncs; i < info.Funcs.Count; i++) code.Compile(i);
        }
    }

    private static bool IsCallable(FuncType type, bool isProgram) => isProgram
        ? type.Params.Concat(type.Results).All(t => t.Kind is ValKind.I32 or ValKind.I64 or ValKind.F32 or ValKind.F64)
        : type.Params.All(t => t.IsDefaultable && t.Kind != ValKind.V128);

    private static object? Argument(Random random, ValType type) => type.Kind switch
    {
        ValKind.I32 => random.Next(3) switch { 0 => random.Next(-5, 5), 1 => random.Next(64), _ => random.Next(int.MinValue, int.MaxValue) },
        ValKind.I64 => random.Next(3) == 0 ? (long)random.Next(-5, 5) : random.NextInt64(long.MinValue, long.MaxValue),
        ValKind.F32 => (float)(random.NextDouble() * random.Next(-100, 100)),
        ValKind.F64 => random.NextDouble() * random.NextInt64(),
        _ => null,
    };

    private static string Call(Instance instance, Delegate function, object?[] arguments, int results)
    {
        if (instance.FindExport("g0") is Global { Type.IsMutable: true } fuel && fuel.Type.Type == ValType.I32) fuel.Value = 300;
        try
        {
            object? result = function.GetType().GetMethod("Invoke")!.Invoke(function, BindingFlags.DoNotWrapExceptions, null, arguments, null);
            return string.Join(' ', Values(result, results).Select(Text));
        }
        catch (TrapException trap)
        {
            return trap.Kind.ToString();
        }
        catch (WasmException)
        {
            return "exception";
        }
    }

    private static IEnumerable<object?> Values(object? result, int count) => result switch
    {
        _ when count == 0 => [],
        ITuple tuple => Enumerable.Range(0, tuple.Length).Select(i => tuple[i]),
        _ => [result],
    };

    /// <summary>A line for a call: its outcome and the state after it.</summary>
    /// <param name="name">The export.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="outcome">Results, a trap, an exception.</param>
    /// <param name="find">Finds an export by name: a global, a memory, or null.</param>
    private static string Line(string name, object?[] arguments, string outcome, Func<string, object?> find)
    {
        var globals = Enumerable.Range(0, 5).Select(i => find($"g{i}") is Global g ? g.Value : null);
        var memories = Enumerable.Range(0, 2).Select(i => find($"m{i}") is Memory m ? Hash(m.Span) : 0);
        return Line(name, arguments, outcome, globals, memories);
    }

    /// <summary>The same for any engine.</summary>
    internal static string Line(string name, object?[] arguments, string outcome, IEnumerable<object?> globals, IEnumerable<ulong> memories) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name}({string.Join(", ", arguments.Select(Text))}) = {outcome}, globals {string.Join(' ', globals.Select(Text))}, memories {string.Join(' ', memories)}");

    /// <summary>A value in an outcome. The bits of a NaN are left open.</summary>
    internal static string Text(object? value) => value switch
    {
        float f when float.IsNaN(f) => "nan",
        double d when double.IsNaN(d) => "nan",
        float f => f.ToString("R", CultureInfo.InvariantCulture),
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        null => "null",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    internal static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes)) hash = (hash ^ word) * 1099511628211;
        return hash;
    }

    private static bool IsExpected(Exception e) => e is TrapException or WasmException or LinkException;

    private static string Describe(Exception e)
    {
        string where = string.Join(' ', (e.StackTrace ?? "").Split('\n').Take(4).Select(l => l.Trim()));
        return $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")} {where}";
    }
}
