using System.Diagnostics;
using WasmJit.Fuzz;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Interpreter;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A sample of random modules; <c>wasmjit fuzz --run</c> goes on without end. WASMJIT_RANDOM_SEED and WASMJIT_RANDOM_COUNT choose others.
/// </summary>
public sealed class RandomModuleTests : IDisposable
{
    private static readonly IReadOnlyList<ModuleGenerator> Generators = ModuleGenerator.All([]);

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-fuzz").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : usual;

    private static ModuleGenerator Generator(string name) => Generators.Single(g => g.Name == name);

    private static void Run(string generator, int count, params string[] modes)
    {
        ModuleGenerator maker = Generator(generator);
        // Other tests use the processor, too: what is late by seconds here is what never ends. How late calls are is for wasmjit fuzz to say.
        RunLimit limit = RunLimit.Usual with { Time = Eventually.Patience, Tolerance = Eventually.Patience, MostWaiting = Eventually.Patience };
        var attack = new Attack([.. modes.Select(m => Mode.Find(m)!)], limit);
        int first = Setting("WASMJIT_RANDOM_SEED", 1);
        count = Setting("WASMJIT_RANDOM_COUNT", count);
        var failures = new List<string>();
        for (int seed = first; seed < first + count; seed++)
            if (attack.Run(maker.Make(seed), seed, maker.MakesPrograms) is { } failure) failures.Add($"{generator} {seed}: {failure}");
        Assert.Empty(failures);
    }

    /// <summary>What the emitter leaves out it may leave out.</summary>
    [Theory]
    [InlineData("references", 100)]
    [InlineData("linking", 100)]
    [InlineData("numbers", 50)]
    public void NeedNoAssertion(string generator, int count) => Run(generator, count, "verify", "verify-explicit");

    [Theory]
    [InlineData("references", 60)]
    [InlineData("linking", 60)]
    public void DoTheSameInEachMode(string generator, int count) => Run(generator, count, "guard", "explicit", "outlined", "parts", "limits", "limits-explicit",
        "interpreter", "interpreter-limits", "spills", "tiered", "tiered-limits");

    /// <summary>A loop that goes on in machine code has begun in the interpreter: there must be functions in which all is interpreted, and a memory or slice is kept in a local.</summary>
    [Fact]
    public void LoopsOverReferencesAreInterpreted()
    {
        ModuleGenerator maker = Generator("linking");
        int found = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            byte[] module = maker.Make(seed);
            ModuleInfo info = ModuleDecoder.Decode(module);
            foreach (FuncInfo func in info.Funcs.Where(f => !f.IsImported))
            {
                var reader = new CodeReader(module, func.CodeStart, func.BodyEnd);
                bool isInterpreted = true, hasAccess = false;
                int loops = 0;
                while (!reader.AtEnd && isInterpreted)
                {
                    reader.Read(out Instr instr);
                    isInterpreted = InterpretedOperators.Has(instr.Op);
                    if (instr.Id == OpId.Loop) loops++;
                    hasAccess |= loops > 0 && instr.IsAccessThroughReference;
                }
                if (isInterpreted && hasAccess) found++;
            }
        }
        Assert.True(found >= 40, $"{found} functions");
    }

    [Fact]
    public void MutantsEndTyped() => Run("bytes", 400, "guard", "limits");

    /// <summary>Whatever the engine is doing when the time is over or the fuel used up, it stops, and says so with the exceptions it has for that.</summary>
    [Theory]
    [InlineData("numbers", 60)]
    [InlineData("linking", 60)]
    [InlineData("bytes", 100)]
    public void StopInTime(string generator, int count) => Run(generator, count, "hurried");

    /// <summary>A generator that makes the same few shapes again and again tests nothing.</summary>
    [Theory]
    [InlineData("references", 78)]
    [InlineData("linking", 115)]
    public void HaveAllOperators(string generator, int least)
    {
        ModuleGenerator maker = Generator(generator);
        var seen = new HashSet<OpId>();
        for (int seed = 0; seed < 200; seed++)
        {
            byte[] module = maker.Make(seed);
            ModuleInfo info = ModuleDecoder.Decode(module);
            foreach (FuncInfo func in info.Funcs.Where(f => !f.IsImported))
            {
                var reader = new CodeReader(module, func.CodeStart, func.BodyEnd);
                while (!reader.AtEnd)
                {
                    reader.Read(out Instr instr);
                    seen.Add(instr.Id);
                }
            }
        }
        OpId[] expected =
        [
            OpId.SelectT, OpId.LocalTee, OpId.BrOnCast, OpId.BrOnCastFail, OpId.BrOnNull, OpId.BrOnNonNull, OpId.RefCast, OpId.RefCastNull,
            OpId.RefTest, OpId.StructGet, OpId.StructSet, OpId.ArrayCopy, OpId.ArrayInitElem, OpId.CallRef, OpId.ReturnCallRef, OpId.TryTable,
            OpId.ThrowRef, OpId.ExternConvertAny, OpId.TableGrow, OpId.MemoryInit,
        ];
        Assert.Empty(expected.Except(seen));
        OpId[] linking =
        [
            OpId.MemoryNew, OpId.TableSetRef, OpId.GlobalSetRef, OpId.SliceSub, OpId.InstantiateModule, OpId.CallExport, OpId.GetExport,
            OpId.GetExportNull, OpId.CompileNull, OpId.Instantiate, OpId.MemoryCopyRef, OpId.CallIndirectRef, OpId.RefMemory,
            OpId.FuncNewNull, OpId.FuncNewNamedNull, OpId.FuncOptimize, OpId.FuncDrop, OpId.ModuleDrop, OpId.CodeCount, OpId.CodeSize,
        ];
        if (generator == "linking") Assert.Empty(linking.Except(seen));
        Assert.True(seen.Count >= least, $"{seen.Count} kinds of operators");
    }

    [Fact]
    public void TheSameNumberGivesTheSameModule()
    {
        foreach (ModuleGenerator other in ModuleGenerator.All([]))
            foreach (int seed in new[] { 77, 3 }) Assert.Equal(Generator(other.Name).Make(seed), other.Make(seed));
    }

    // ---- children and reproducers ----

    /// <summary>What is left out of a module is all but what makes it fail: here, a function that asks for the length of an array.</summary>
    [Fact]
    public void FailuresAreShrunk()
    {
        byte[] module = Generator("references").Make(1);
        int tried = 0;
        bool Fails(byte[] candidate)
        {
            tried++;
            if (!new Engine().Validate(candidate, out _)) return false;
            ModuleInfo info = ModuleDecoder.Decode(candidate);
            foreach (FuncInfo func in info.Funcs.Where(f => !f.IsImported))
            {
                var reader = new CodeReader(candidate, func.CodeStart, func.BodyEnd);
                while (!reader.AtEnd)
                {
                    reader.Read(out Instr instr);
                    if (instr.Id == OpId.StructNew) return true;
                }
            }
            return false;
        }
        Assert.True(Fails(module));
        byte[] small = new Shrinker(Fails, 20_000).Shrink(module);
        Assert.True(Fails(small));
        Assert.True(small.Length < module.Length / 8, $"{small.Length} of {module.Length} bytes remain");
        Assert.True(tried < 20_010);
    }

    private Campaign Campaign(string script, int count, Action<string> log) => new(
        new CampaignPlan
        {
            Generators = [Generator("numbers")],
            Modes = [Mode.All[0]],
            Seed = 1,
            Count = count,
            Output = folder,
            Limit = RunLimit.Usual with { Time = TimeSpan.FromMilliseconds(1) },
            Shrinking = TimeSpan.Zero,
        },
        () => new ProcessStartInfo("sh", ["-c", script]),
        log);

    /// <summary>A child that ends is a failure of the module that it was running; the others are run by another child.</summary>
    [Fact]
    public void CrashesAreKept()
    {
        if (OperatingSystem.IsWindows()) return;
        var log = new List<string>();
        Campaign campaign = Campaign("echo ready; read order generator from count; for i in $(seq $from 5); do echo at $i; [ $i = 2 ] && exit 134; done; echo done", 5, log.Add);
        campaign.Run(CancellationToken.None);
        Assert.Equal(1, campaign.Failures);
        Assert.Contains(log, l => l.StartsWith("crash: numbers 2, mode -: exit code 134", StringComparison.Ordinal));
        Assert.Equal(Generator("numbers").Make(2), File.ReadAllBytes(Path.Combine(folder, "numbers-2.wasm")));
        Assert.Contains("(module", File.ReadAllText(Path.Combine(folder, "numbers-2.wat")), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatAChildReportsIsKept()
    {
        if (OperatingSystem.IsWindows()) return;
        var log = new List<string>();
        Campaign campaign = Campaign("echo ready; read order; echo at 1; echo fail 1 Escaped guard OddException: why; echo at 2; echo done; read more", 2, log.Add);
        campaign.Run(CancellationToken.None);
        Assert.Equal((1, 2), (campaign.Failures, campaign.Modules));
        Assert.Equal("escaped: numbers 1, mode guard: OddException: why", log[0]);
    }

    /// <summary>Who stops a campaign waits for a few modules, however many are still to be run.</summary>
    [Fact]
    public void ACampaignEndsSoon()
    {
        if (OperatingSystem.IsWindows()) return;
        using var stop = new CancellationTokenSource();
        const string child = "echo ready; while read order generator from count; do i=$from; while [ $i -lt $((from + count)) ]; do echo at $i; echo fail $i Unmade - what; i=$((i + 1)); done; echo done; done";
        Campaign campaign = Campaign(child, 1000, _ => stop.Cancel());
        campaign.Run(stop.Token);
        Assert.InRange(campaign.Modules, 1, 10);
    }
}
