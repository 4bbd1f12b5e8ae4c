using System.Runtime.CompilerServices;
using System.Runtime.ConstrainedExecution;
using System.Runtime.Intrinsics;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>
/// Finalizers of the host call functions that became unreachable together with them, and keep them. A memory's pages are its own
/// until nothing can come to it. Runs alone: finalizers and address space are the process's.
/// </summary>
[Collection(nameof(ProcessWide))]
public sealed class FinalizerTests
{
    /// <summary>Functions that write and read a memory, with and without vectors, by plain and bulk operators.</summary>
    private const string Guest = """
        (module (memory (export "m") 2) (global $g (mut i32) (i32.const 0))
          (func (export "set") (param i32)
            (i32.store (i32.const 8) (local.get 0))
            (i32.store (i32.const 70000) (local.get 0))
            (global.set $g (local.get 0)))
          (func (export "get") (param $x i32) (result i32)
            (memory.copy (i32.const 100000) (i32.const 70000) (i32.const 4))
            (i32.add (local.get $x) (i32.sub
              (i32.add (i32.load (i32.const 8)) (i32.load (i32.const 100000)))
              (global.get $g))))
          (func (export "vector") (param v128) (result i32)
            (i32.add (i32x4.extract_lane 0 (local.get 0)) (i32.load (i32.const 8)))))
        """;

    /// <summary>What the finalizers of one test do.</summary>
    private sealed class Tally
    {
        internal readonly List<Functions> Kept = [];
        internal int Wrong, Finalized;

        internal void Keep(Functions functions)
        {
            lock (Kept) Kept.Add(functions);
        }

        internal int KeptCount
        {
            get
            {
                lock (Kept) return Kept.Count;
            }
        }
    }

    /// <summary>What the host keeps: functions of an instance that nothing else refers to.</summary>
    private sealed class Functions(Instance instance, int value, Tally tally)
    {
        internal Tally Tally => tally;

        private readonly Func<int, int> get = instance.GetExport<Func<int, int>>("get");
        private readonly Func<Vector128<byte>, int> vector =
            instance.GetExport<Func<Vector128<byte>, int>>("vector");

        internal void Check()
        {
            Interlocked.Increment(ref tally.Finalized);
            try
            {
                if (get(5) != value + 5 || vector(Vector128.Create(3).AsByte()) != value + 3) Interlocked.Increment(ref tally.Wrong);
            }
            catch (Exception)
            {
                Interlocked.Increment(ref tally.Wrong);
            }
        }
    }

    private sealed class Plain(Functions functions)
    {
        ~Plain() => functions.Check();
    }

    private sealed class Critical(Functions functions) : CriticalFinalizerObject
    {
        ~Critical() => functions.Check();
    }

    /// <summary>Comes back as often as it is collected, three times, and is kept then.</summary>
    private sealed class Reviving(Functions functions)
    {
        private int times;

        ~Reviving()
        {
            functions.Check();
            if (++times < 3) GC.ReRegisterForFinalize(this);
            else functions.Tally.Keep(functions);
        }
    }

    private sealed class CriticalReviving(Functions functions) : CriticalFinalizerObject
    {
        ~CriticalReviving()
        {
            functions.Check();
            functions.Tally.Keep(functions);
        }
    }

    private static object Wrap(string kind, Functions functions) => kind switch
    {
        "plain" => new Plain(functions),
        "critical" => new Critical(functions),
        "reviving" => new Reviving(functions),
        _ => new CriticalReviving(functions),
    };

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Make(string kind, Module module, int count, Tally tally)
    {
        var made = new List<object>();
        for (int i = 0; i < count; i++)
        {
            Instance instance = module.Instantiate();
            int value = (i * 1000) + 17;
            instance.GetExport<Action<int>>("set")(value);
            made.Add(Wrap(kind, new Functions(instance, value, tally)));
        }
        GC.KeepAlive(made);
    }

    /// <summary>Collects, and has other guests take whatever has been given back.</summary>
    private static void CollectAndOverwrite(Module module)
    {
        for (int round = 0; round < 5; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            for (int i = 0; i < 40; i++) module.Instantiate().GetExport<Action<int>>("set")(-1);
        }
    }

    private static Module Load(bool saved, bool explicitly)
    {
        var engine = new Engine(new EngineOptions { MemoryChecks = explicitly ? MemoryChecks.Explicit : MemoryChecks.Guard });
        Module module = engine.CompileText(Guest);
        if (!saved) return module;
        var stream = new MemoryStream();
        module.Save(stream);
        stream.Position = 0;
        return engine.LoadSaved(stream);
    }

    [Theory]
    [CombinatorialKinds]
    public void FunctionsInFinalizersHaveTheirMemory(string kind, bool saved, bool explicitly)
    {
        var tally = new Tally();
        int keeps = kind.EndsWith("eviving", StringComparison.Ordinal) ? 30 : 0;
        // A module that only the finalizers hold, and one that takes what is free.
        Make(kind, Load(saved, explicitly), 30, tally);
        Module taker = Load(saved: false, explicitly);
        CollectAndOverwrite(taker);
        Assert.True(
            Eventually.Collected(() =>
            {
                if (Volatile.Read(ref tally.Finalized) >= 30 && tally.KeptCount == keeps) return true;
                CollectAndOverwrite(taker);
                return false;
            }),
            $"{tally.Finalized} finalizers, {tally.KeptCount} kept");
        Assert.Equal(0, tally.Wrong);
        foreach (Functions kept in tally.Kept) kept.Check();
        Assert.Equal(0, tally.Wrong);
    }

    [Fact]
    public void WhatFinalizersHeldIsGivenBack()
    {
        Module module = Load(saved: false, explicitly: false);
        MakeAndDrop();
        int before = AddressSpace.Slots;
        MakeAndDrop();
        // 800 were made; some may have to wait for a collection.
        Assert.InRange(AddressSpace.Slots - before, 0, 400);

        void MakeAndDrop()
        {
            for (int round = 0; round < 8; round++)
            {
                var tally = new Tally();
                Make("reviving", module, 100, tally);
                CollectAndOverwrite(module);
                Assert.True(Eventually.Collected(() => tally.KeptCount == 100));
            }
            Eventually.Collected(() => true);
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class CombinatorialKindsAttribute : Xunit.Sdk.DataAttribute
    {
        public override IEnumerable<object[]> GetData(System.Reflection.MethodInfo testMethod)
        {
            foreach (string kind in new[] { "plain", "critical", "reviving", "critical-reviving" })
                foreach (bool saved in new[] { false, true })
                    foreach (bool explicitly in new[] { false, true })
                        yield return [kind, saved, explicitly];
        }
    }
}
