using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using WasmJit.Builtins;
using WasmJit.Gc;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Modules saved as .NET assemblies, and loaded by engines that compile nothing.</summary>
public sealed class SavedModuleTests
{
    private static readonly Engine Loader = new(new EngineOptions { Compilation = Compilation.Never });

    private const string Library = """
        (module $library
          (import "env" "twice" (func $twice (param i32) (result i32)))
          (import "env" "pair" (func $pair (param i32) (result i32 i64)))
          (memory (export "memory") 1)
          (data (i32.const 8) "hello")
          (global $count (export "count") (mut i32) (i32.const 0))
          (table (export "table") 2 funcref)
          (elem (i32.const 0) $add)
          (type $binary (func (param i32 i32) (result i32)))
          (func $add (export "add") (type $binary) (i32.add (local.get 0) (local.get 1)))
          (func (export "call") (param i32 i32 i32) (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (call_indirect (type $binary) (local.get 1) (local.get 2) (local.get 0)))
          (func (export "host") (param i32) (result i32) (call $twice (local.get 0)))
          (func (export "swap") (param i32) (result i64 i32)
            (local i32 i64)
            (call $pair (local.get 0)) (local.set 2) (local.set 1)
            (local.get 2) (local.get 1))
          (func (export "apply") (param (ref null $binary) i32 i32) (result i32)
            (call_ref $binary (local.get 1) (local.get 2) (local.get 0)))
          (func $reach (param i32) (result i32) (loop (result i32) (i32.load (local.get 0))))
          (func (export "load") (param i32) (result i32) (call $reach (local.get 0)))
          (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
          (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1)))
          (func (export "vector") (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1))))
        """;

    private static byte[] Save(string text, EngineOptions? options = null)
    {
        var file = new MemoryStream();
        new Engine(options).CompileText(text).Save(file);
        return file.ToArray();
    }

    private static Module Load(byte[] file, Engine? engine = null) => (engine ?? Loader).LoadSaved(new MemoryStream(file));

    private static Imports Host() => new()
    {
        { "env", "twice", (Func<int, int>)(x => 2 * x) },
        { "env", "pair", (Func<int, (int, long)>)(x => (x, -x)) },
    };

    public static TheoryData<string> Ways => ["stream", "path", "assembly"];

    [Theory]
    [MemberData(nameof(Ways))]
    public void ASavedModuleDoesWhatTheModuleDoes(string way)
    {
        byte[] file = Save(Library);
        Module module;
        if (way == "path")
        {
            string path = Path.GetTempFileName();
            File.WriteAllBytes(path, file);
            module = Loader.LoadSaved(path);
            File.Delete(path);
        }
        else if (way == "assembly")
        {
            // As a host would that refers to the assembly; the context knows this library.
            var context = new AssemblyLoadContext(null);
            Assembly assembly = context.LoadFromStream(new MemoryStream(file));
            module = Loader.LoadSaved(assembly);
            Assert.Equal(3, Loader.LoadSaved(assembly).Instantiate(Host()).GetExport<Func<int, int, int>>("add")(1, 2));
        }
        else
        {
            module = Load(file);
        }
        Assert.Equal("library", module.Name);
        Assert.Equal(["memory", "count", "table", "add", "call", "host", "swap", "apply", "load", "divide", "deep", "vector"], module.Exports.Select(e => e.Name));
        Instance instance = module.Instantiate(Host());
        Assert.Equal(42, instance.GetExport<Func<int, int, int>>("add")(40, 2));
        Assert.Equal(42, instance.GetExport<Func<int, int, int, int>>("call")(0, 40, 2));
        Assert.Equal(1, instance.GetExport<Global>("count").Value);
        Assert.Equal(42, instance.GetExport<Func<int, int>>("host")(21));
        Assert.Equal((-5L, 5), instance.GetExport<Func<int, (long, int)>>("swap")(5));
        Assert.Equal(6, instance.GetExport<Func<Delegate?, int, int, int>>("apply")((Func<int, int, int>)((a, b) => a * b), 2, 3));
        Assert.Equal("hello", instance.GetExport<Memory>("memory").ReadString(8, 5));
        Assert.Same(instance.GetExport<Delegate>("add"), instance.GetExport<Table>("table")[0]);
    }

    private delegate int Binary(int a, int b);

    [Fact]
    public void TrapsTellWhatTheyAlwaysTell()
    {
        Instance instance = Load(Save(Library)).Instantiate(Host());
        var load = Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int>>("load")(-4));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, load.Kind);
        Assert.Equal("library!reach", load.WasmStack[0].ToString());
        Assert.Equal(TrapKind.IntegerDivideByZero, Assert.Throws<TrapException>(() => instance.GetExport<Binary>("divide")(1, 0)).Kind);
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(() => instance.GetExport<Func<int>>("deep")()).Kind);
        Assert.Equal(TrapKind.UninitializedElement, Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int, int, int>>("call")(1, 0, 0)).Kind);
        Assert.Equal(TrapKind.NullFunctionReference, Assert.Throws<TrapException>(() => instance.GetExport<Func<Delegate?, int, int, int>>("apply")(null, 0, 0)).Kind);
        var failing = new Imports { { "env", "twice", (Func<int, int>)(_ => throw new FormatException("host")) }, { "env", "pair", (Func<int, (int, long)>)(x => (x, x)) } };
        Assert.Equal("host", Assert.Throws<FormatException>(() => Load(Save(Library)).Instantiate(failing).GetExport<Func<int, int>>("host")(1)).Message);
    }

    [Fact]
    public void AnEngineThatNeverCompilesCompilesNothing()
    {
        Assert.Throws<CompilationNotAllowedException>(() => Loader.CompileText("(module)"));
        Instance guest = Load(Save("""
            (module
              (memory 1)
              (type $t (module))
              (func (export "compile") (drop (compile $t (i32.const 0) (i32.const 8)))))
            """)).Instantiate();
        Assert.Equal(TrapKind.RuntimeCompileNotAllowed, Assert.Throws<TrapException>(() => guest.GetExport<Action>("compile")()).Kind);
    }

    private static readonly string Everything = """
        (module (memory (export "m") 1) (func (export "f") (result i32) (i32.load (i32.const 0))))
        """;

    [Fact]
    public void CodeMustDoWhatTheOptionsAskFor()
    {
        void Refused(SavedModuleProblem problem, byte[] file, EngineOptions options) =>
            Assert.Equal(problem, Assert.Throws<SavedModuleException>(() => Load(file, new Engine(options))).Problem);

        byte[] plain = Save(Everything);
        if (new Engine().UsesGuardPages) Refused(SavedModuleProblem.OtherOptions, plain, new EngineOptions { MemoryChecks = MemoryChecks.Explicit });
        Refused(SavedModuleProblem.OtherOptions, plain, new EngineOptions { Interruptible = true });
        Refused(SavedModuleProblem.OtherOptions, plain, new EngineOptions { CountFuel = true });
        // Code that does more than is asked for will do.
        byte[] careful = Save(Everything, new EngineOptions { MemoryChecks = MemoryChecks.Explicit, Interruptible = true, CountFuel = true });
        Assert.Equal(0, Load(careful).Instantiate().GetExport<Func<int>>("f")());

        Refused(SavedModuleProblem.NotAllowed, Save("(module (func (param v128)))"), new EngineOptions { Features = Features.All & ~Features.Simd });
        Load(plain, new Engine(new EngineOptions { Features = Features.None }));
        byte[] linking = Save("(module (memory 1) (func (drop (ref.memory 0))))");
        Refused(SavedModuleProblem.NotAllowed, linking, new EngineOptions { RuntimeLinking = false });
        Load(linking, new Engine(new EngineOptions { RuntimeCompile = false }));
        byte[] compiling = Save("(module (memory 1) (type $t (module)) (func (drop (compile $t (i32.const 0) (i32.const 0)))))");
        Refused(SavedModuleProblem.NotAllowed, compiling, new EngineOptions { RuntimeCompile = false });
    }

    [Fact]
    public void FuelIsCounted()
    {
        byte[] file = Save("""(module (func (export "spin") (loop (br 0))))""", new EngineOptions { CountFuel = true });
        Instance instance = Load(file, new Engine(new EngineOptions { CountFuel = true })).Instantiate(null, new Fuel(1000));
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => instance.GetExport<Action>("spin")()).Kind);
    }

    [Fact]
    public void WhatIsNotAsItWasSavedIsRefused()
    {
        byte[] file = Save(Library);
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. file];
            damaged[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
            Assert.Throws<SavedModuleException>(() => Load(damaged));
        }
        for (int i = 0; i < 100; i++) Assert.Throws<SavedModuleException>(() => Load(file[..random.Next(file.Length)]));
        foreach (byte[] other in new byte[][] { [], "\0asm\u0001\0\0\0"u8.ToArray(), "MZ"u8.ToArray(), File.ReadAllBytes(typeof(SavedModuleTests).Assembly.Location) })
            Assert.Equal(SavedModuleProblem.NotSaved, Assert.Throws<SavedModuleException>(() => Load(other)).Problem);
        Assert.Equal(SavedModuleProblem.NotSaved, Assert.Throws<SavedModuleException>(() => Loader.LoadSaved(typeof(SavedModuleTests).Assembly)).Problem);
        Assert.Equal(3, Load(file).Instantiate(Host()).GetExport<Func<int, int, int>>("add")(1, 2));
    }

    private static bool IsLoaded(string name) => AppDomain.CurrentDomain.GetAssemblies().Any(a => a.GetName().Name == name);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Func<int> LoadAndKeepAFunction(string name)
    {
        Instance instance = Load(Save($"""
            (module ${name}
              (type $s (struct (field i32)))
              (global $g (ref $s) (struct.new $s (i32.const 7)))
              (func $get (result i32) (struct.get $s 0 (global.get $g)))
              (func $loop (param i32) (result i32)
                (if (result i32) (i32.eqz (local.get 0)) (then (call $get)) (else (call $loop (i32.sub (local.get 0) (i32.const 1))))))
              (func (export "f") (result i32) (call $loop (i32.const 3))))
            """)).Instantiate();
        return instance.GetExport<Func<int>>("f");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UseAndDrop(string name)
    {
        Func<int> function = LoadAndKeepAFunction(name);
        // A function keeps what it needs, also for what is compiled only now.
        int collections = 0;
        Eventually.Collected(() => ++collections == 10);
        Assert.True(IsLoaded(name));
        Assert.Equal(7, function());
        Assert.Equal(7, function());
    }

    [Fact]
    public void DroppedModulesGiveBackTheirCode()
    {
        const string name = "dropped-and-gone";
        UseAndDrop(name);
        Assert.True(Eventually.Collected(() => !IsLoaded(name)));
    }

    private const string Animals = """
        (type $animal (sub (struct (field (mut i32)))))
        """;

    [Fact]
    public void ObjectsCrossBetweenSavedAndCompiledModules()
    {
        string makes = $"""
            (module {Animals}
              (type $numbers (array (mut i64)))
              (func (export "make") (param i32) (result anyref) (struct.new $animal (local.get 0)))
              (func (export "numbers") (param i32) (result anyref) (array.new $numbers (i64.const 5) (local.get 0)))
              (func (export "age") (param anyref) (result i32) (struct.get $animal 0 (ref.cast (ref $animal) (local.get 0)))))
            """;
        string derives = $"""
            (module {Animals}
              (type $dog (sub final $animal (struct (field (mut i32)) (field f64) (field (mut anyref)))))
              (type $numbers (array (mut i64)))
              (func (export "make") (param i32) (result anyref) (struct.new $dog (local.get 0) (f64.const 0.5) (ref.null any)))
              (func (export "isDog") (param anyref) (result i32) (ref.test (ref $dog) (local.get 0)))
              (func (export "isAnimal") (param anyref) (result i32) (ref.test (ref $animal) (local.get 0)))
              (func (export "sum") (param anyref) (result i64)
                (local $a (ref $numbers)) (local.set $a (ref.cast (ref $numbers) (local.get 0)))
                (i64.add (array.get $numbers (local.get $a) (i32.const 0)) (array.get $numbers (local.get $a) (i32.const 1))))
              (func (export "age") (param anyref) (result i32)
                (local $d (ref $dog)) (local.set $d (ref.cast (ref $dog) (local.get 0)))
                (struct.set $dog 0 (local.get $d) (i32.add (struct.get $dog 0 (local.get $d)) (i32.const 1)))
                (struct.set $dog 2 (local.get $d) (local.get $d))
                (i32.add (struct.get $dog 0 (local.get $d)) (i32.trunc_f64_s (struct.get $dog 1 (local.get $d))))))
            """;
        var engine = new Engine();
        // Each of the two compiled and saved, in both orders.
        Instance[] makers = [Load(Save(makes)).Instantiate(), engine.CompileText(makes).Instantiate()];
        Instance[] derivers = [engine.CompileText(derives).Instantiate(), Load(Save(derives)).Instantiate(), Load(Save(derives)).Instantiate()];
        foreach (Instance maker in makers)
            foreach (Instance deriver in derivers)
            {
                object animal = maker.GetExport<Func<int, object>>("make")(3), dog = deriver.GetExport<Func<int, object>>("make")(4);
                Assert.Equal(4, maker.GetExport<Func<object, int>>("age")(dog));
                foreach (Instance other in derivers)
                {
                    Assert.Equal(1, other.GetExport<Func<object, int>>("isDog")(dog));
                    Assert.Equal(0, other.GetExport<Func<object, int>>("isDog")(animal));
                    Assert.Equal(1, other.GetExport<Func<object, int>>("isAnimal")(dog));
                    Assert.Equal(1, other.GetExport<Func<object, int>>("isAnimal")(animal));
                    int age = (int)((WasmStruct)dog)[0]!;
                    Assert.Equal(age + 1, other.GetExport<Func<object, int>>("age")(dog));
                    Assert.Same(dog, ((WasmStruct)dog)[2]);
                    Assert.Equal(10, other.GetExport<Func<object, long>>("sum")(maker.GetExport<Func<int, object>>("numbers")(2)));
                    Assert.Equal(TrapKind.CastFailure, Assert.Throws<TrapException>(() => other.GetExport<Func<object, int>>("age")(animal)).Kind);
                }
            }
    }

    [Fact]
    public void AGuestLoadsFromALibrary()
    {
        byte[] guest = Save("""
            (module
              (import "wasm:linking" "load" (func $load (param i32 i32) (result i32)))
              (import "wasm:linking" "compile" (func $compile (param i32 i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 0) "two.wasm")
              (data (i32.const 16) "\00asm\01\00\00\00")
              (func (export "load") (param i32) (result i32) (call $load (i32.const 0) (local.get 0)))
              (func (export "compile") (result i32) (call $compile (i32.const 16) (i32.const 8))))
            """);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("wasmjit-library");
        File.WriteAllBytes(Path.Combine(folder.FullName, "two.dll"), Save("(module)"));
        var library = new SavedNamespace(folder.FullName);
        var host = new LinkingHost(new LinkingOptions { Namespace = library, AllowCompile = true });
        Instance instance = Load(guest).Instantiate(host.Imports);
        host.Attach(instance);
        Assert.True(instance.GetExport<Func<int, int>>("load")(8) > 0);
        Assert.True(instance.GetExport<Func<int, int>>("load")(2) < 0);
        Assert.True(instance.GetExport<Func<int>>("compile")() < 0);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void NestedModulesAreSavedWithTheOneAroundThem()
    {
        Instance instance = Load(Save("""
            (module
              (module $counter
                (type $box (struct (field (mut i32))))
                (global $g (mut i32) (i32.const 0))
                (func $step (param $n i32) (loop (global.set $g (i32.add (global.get $g) (i32.const 1)))
                  (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
                (func (export "next") (result i32) (call $step (i32.const 3)) (struct.get $box 0 (struct.new $box (global.get $g)))))
              (instance $a (instantiate $counter))
              (instance $b (instantiate $counter))
              (func (export "next") (result i32)
                (drop (call (func $a "next")))
                (i32.add (i32.mul (call (func $a "next")) (i32.const 100)) (call (func $b "next")))))
            """)).Instantiate();
        Assert.Equal(603, instance.GetExport<Func<int>>("next")());
        Assert.Equal(1206, instance.GetExport<Func<int>>("next")());
    }

    [Fact]
    public async Task HostFunctionsMayReturnTasks()
    {
        Module module = Load(Save(Library));
        var imports = new Imports
        {
            { "env", "twice", async (int x) => { await Task.Delay(1); return 2 * x; } },
            { "env", "pair", (int x, CancellationToken token) => new ValueTask<(int, long)>((x, token.CanBeCanceled ? 1 : 0)) },
        };
        Instance instance = module.Instantiate(imports);
        Assert.Equal(42, instance.GetExport<Func<int, int>>("host")(21));
        using var source = new CancellationTokenSource();
        Assert.Equal((1L, 5), await Guest.RunAsync(() => instance.GetExport<Func<int, (long, int)>>("swap")(5), source.Token));
    }

    /// <summary>A module's name is a guest's, and becomes that of an assembly: .NET loads none of some names.</summary>
    [Theory]
    [InlineData("System.Private.CoreLib")]
    [InlineData("system.private.corelib")]
    [InlineData("System.Runtime")]
    [InlineData("WasmJit.Runtime")]
    [InlineData("...")]
    [InlineData("n", 5000)]
    [InlineData("a.", 5000)]
    public void AnyNameOfAModuleCanBeSaved(string name, int times = 1)
    {
        Module module = new Engine().CompileText($"(module ${string.Concat(Enumerable.Repeat(name, times))} (func (export \"f\") (result i32) (i32.const 7)))");
        var file = new MemoryStream();
        module.Save(file);
        file.Position = 0;
        Module saved = new Engine(new EngineOptions { Compilation = Compilation.Never }).LoadSaved(file);
        Assert.Equal(7, saved.Instantiate().GetExport<Func<int>>("f")());
        Assert.Equal(module.Name, saved.Name);
    }
}
