using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>
/// Interfaces and objects that are unusual, and guests that break what they have promised. Tests/Generators has these tests, too, with classes that are
/// written when they are compiled.
/// </summary>
public sealed partial class OddBindingTests
{
    private static Module Compile(string text) => new Engine().CompileText(text);

    private static Instance Make(string text, Imports? imports = null) => Compile(text).Instantiate(imports);

    /// <summary>A memory, and room that is never given back.</summary>
    private const string Room = """
        (memory (export "memory") 1) (global $next (mut i32) (i32.const 1024))
        (func $malloc (export "malloc") (param i32) (result i32)
          (global.get $next) (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 0)) (i32.const 15)) (i32.const -8))))
        """;

    // ---- interfaces ----

    public interface IBase
    {
        int First();

        int Second();
    }

    public interface IMiddle : IBase
    {
        int IBase.Second() => 22;

        new int First();
    }

    [WasmFace]
    public interface IInherited : IMiddle, IBase
    {
        internal int Hidden();

        internal int Level { get; set; }

        sealed int Twice() => First() + First();

        static int Limit => 7;

        static int Fixed() => 8;
    }

    /// <summary>What interfaces have of others, of their assembly alone, and for themselves.</summary>
    [Fact]
    public void InterfacesInherit()
    {
        IInherited face = Make("""
            (module (global (export "level") (mut i32) (i32.const 4))
              (func (export "first") (result i32) (i32.const 1)) (func (export "hidden") (result i32) (i32.const 3))
              (func (export "twice") (result i32) (i32.const -1)) (func (export "fixed") (result i32) (i32.const -1)) (global (export "limit") i32 (i32.const -1)))
            """).As<IInherited>();
        Assert.Equal((1, 1, 22), (face.First(), ((IBase)face).First(), face.Second()));
        Assert.Equal((3, 4, 2), (face.Hidden(), face.Level, face.Twice()));
        face.Level = 9;
        Assert.Equal((9, 7, 8), (face.Level, IInherited.Limit, IInherited.Fixed()));
        IInherited other = Make("""
            (module (global (export "level") (mut i32) (i32.const 4)) (func (export "second") (result i32) (i32.const 2))
              (func (export "first") (result i32) (i32.const 1)) (func (export "hidden") (result i32) (i32.const 3)))
            """).As<IInherited>();
        Assert.Equal(2, other.Second());
    }

    [WasmFace]
    public interface IDisposed : IDisposable
    {
        int Answer();

        int Own() => Answer() + 1;
    }

    [WasmFace]
    public interface IDisposedOtherwise : IDisposable
    {
        int Answer();

        void IDisposable.Dispose() => Answer();
    }

    /// <summary>An interface that can be disposed of is the instance; no export has a say in it.</summary>
    [Fact]
    public void DisposingOfAFaceDisposesOfItsInstance()
    {
        Module module = Compile("""(module (func (export "answer") (result i32) (i32.const 42)) (func (export "dispose") unreachable))""");
        Instance instance = module.Instantiate();
        IDisposed face = instance.As<IDisposed>();
        using (face) Assert.Equal((42, 43), (face.Answer(), face.Own()));
        Assert.True(instance.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => face.Answer());
        face.Dispose();
        instance = module.Instantiate();
        instance.As<IDisposedOtherwise>().Dispose();
        Assert.False(instance.IsDisposed);
    }

    public interface IOdd
    {
        T Generic<T>();

        void Reference(ref int a);

        void Out(out int a);

        int In(in int a);

        ref int Returned();

        void View(Window window);

        Instance Instance { get; set; }

        int Once { get; init; }

        static abstract int Of(int a);

        static abstract int Count { get; }

        int this[int index] { get; }
    }

    public ref struct Window
    {
        public int X;
    }

    /// <summary>Whatever an interface has, the answer is one error, and never one of the class that could not be made.</summary>
    [Fact]
    public void WhatCannotBeBoundIsOneError()
    {
        Instance instance = Make("""
            (module (global (export "once") (mut i32) (i32.const 0)) (global (export "count") i32 (i32.const 0))
              (func (export "generic")) (func (export "reference") (param i32)) (func (export "out") (param i32)) (func (export "in") (param i32) (result i32) (local.get 0))
              (func (export "returned") (result i32) (i32.const 0)) (func (export "view") (param i32)) (func (export "of") (param i32) (result i32) (local.get 0)))
            """);
        // An interface with abstract static members is no type argument in C#.
        var reflected = Assert.Throws<System.Reflection.TargetInvocationException>(() => typeof(Instance).GetMethod(nameof(Instance.As))!.MakeGenericMethod(typeof(IOdd)).Invoke(instance, []));
        Assert.Equal(
            [
                "Generic: a method of this kind cannot be bound", "Reference: the parameter a is int&, which cannot cross", "Out: the parameter a is int&, which cannot cross",
                "In: the parameter a is int&, which cannot cross", "Returned: the result is int&, which cannot cross",
                "View: the parameter window is WasmJit.Tests.PublicApi.OddBindingTests+Window, which cannot cross", "Of: a method of this kind cannot be bound",
                "Instance: it cannot be set", "Once: it cannot be set", "Count: a method of this kind cannot be bound", "Item: an indexer cannot be bound",
            ],
            Assert.IsType<BindingException>(reflected.InnerException).Problems);
    }

    public interface IGeneric<T>
    {
        T Get();

        void Put(T value);

        T Level { get; set; }

        T Other(T value) => value;
    }

    public interface IClosed : IGeneric<int>
    {
        new long Get();
    }

    private const string Number = """(func (export "get") (result i32) (i32.const 7)) (func (export "put") (param i32)) (global (export "level") (mut i32) (i32.const 4))""";

    /// <summary>An interface of a generic one is what its arguments make it.</summary>
    [Fact]
    public void GenericInterfacesAreInterfaces()
    {
        Instance instance = Make($"(module {Number})");
        IGeneric<int> numbers = instance.As<IGeneric<int>>();
        numbers.Put(3);
        numbers.Level++;
        Assert.Equal((7, 5, 9), (numbers.Get(), numbers.Level, numbers.Other(9)));
        Assert.True(instance.As<IGeneric<uint>>().Level == 5);
        Assert.Equal(DayOfWeek.Friday, instance.As<IGeneric<DayOfWeek>>().Level);
        Assert.NotEmpty(Assert.Throws<BindingException>(() => instance.As<IGeneric<decimal>>()).Problems);
        // Get of two interfaces is the same export, which has one type.
        Assert.StartsWith("Get: the export \"get\" is (func (result i32)), ", Assert.Single(Assert.Throws<BindingException>(() => instance.As<IClosed>()).Problems), StringComparison.Ordinal);
    }

    public interface IStruct
    {
        object? Make();

        int Take(object? value);
    }

    /// <summary>Two modules whose functions have types that are written alike are not taken for one.</summary>
    [Fact]
    public void TypesThatAreWrittenAlikeAreOthers()
    {
        static string Text(string field, string get) => $"""
            (module (type $s (struct (field {field})))
              (func (export "make") (result (ref $s)) (struct.new_default $s))
              (func (export "take") (param (ref null $s)) (result i32) {get}))
            """;
        IStruct first = Make(Text("i32", "(struct.get $s 0 (local.get 0))")).As<IStruct>(), second = Make(Text("f64", "(i32.trunc_f64_s (struct.get $s 0 (local.get 0)))")).As<IStruct>();
        Assert.Equal((0, 0), (first.Take(first.Make()), second.Take(second.Make())));
        Assert.ThrowsAny<Exception>(() => first.Take(second.Make()));
        Assert.ThrowsAny<Exception>(() => second.Take(first.Make()));
    }

    /// <summary>Many threads ask for the same faces at once, of several modules, while classes come and go.</summary>
    [Fact]
    public void ManyThreadsMakeTheSameFaces()
    {
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            for (int round = 0; round < 20; round++)
            {
                Instance instance = Make($"(module {Number})");
                Assert.Equal(7, instance.As<IGeneric<int>>().Get());
                Assert.Throws<BindingException>(() => instance.As<IGeneric<decimal>>());
                Assert.Throws<BindingException>(() => instance.As<INeedsRoom>());
                if (round == 10 && i == 0) GC.Collect();
            }
        });
    }

    public interface INeedsRoom
    {
        int Length(string text);

        byte[] Bytes();

        int Plain(int a);
    }

    /// <summary>What a module lacks for texts is said when the face is made, and not at the first call.</summary>
    [Theory]
    [InlineData("", "Length: what crosses goes through memory, and the module has none", "Bytes: what crosses goes through memory, and the module has none")]
    [InlineData("(memory 1)", "Length: what is passed needs room in the guest, and the module exports neither malloc nor cabi_realloc", null)]
    [InlineData("(memory 1) (func (export \"malloc\") (param i64) (result i32) (i32.const 8))", "Length: what is passed needs room in the guest, and the module exports neither malloc nor cabi_realloc", null)]
    [InlineData("(memory 1) (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 8))", null, null)]
    public void WhatAModuleLacksIsSaidAtOnce(string parts, string? first, string? second)
    {
        Instance instance = Make($"""
            (module {parts} (func (export "length") (param i32 i32) (result i32) (local.get 1)) (func (export "bytes") (result i32 i32) (i32.const 8) (i32.const 3))
              (func (export "plain") (param i32) (result i32) (local.get 0)))
            """);
        string[] expected = [.. new[] { first, second }.OfType<string>()];
        if (expected.Length > 0) Assert.Equal(expected, Assert.Throws<BindingException>(() => instance.As<INeedsRoom>()).Problems);
        else Assert.Equal(5, instance.As<INeedsRoom>().Length("gröx"));
    }

    // ---- guests that break their word ----

    public record struct Pair(int A, int B);

    [WasmFace]
    public interface IHostile
    {
        string Text();

        byte[] Bytes();

        Pair[] Pairs();

        ReadOnlySpan<long> View();

        Pair Struct();

        string Roomed();

        int Give(string text);

        int GivePair(Pair pair);

        int GiveSpan(ReadOnlySpan<int> items);

        List<int> Object();

        Func<int, int> Function();
    }

    [WasmFace]
    public interface IZeroTerminated
    {
        string Echo(string text);
    }

    private static string Hostile(string pair, string address, string parameters = "") => $"""
        (module (type $f (func (param i64)))
          (memory (export "memory") 1)
          (func $f (type $f)) (elem declare func $f)
          (func (export "malloc") (param i32) (result i32) {address})
          (func (export "free") (param i32) {parameters})
          (func (export "text") (result i32 i32) {pair}) (func (export "bytes") (result i32 i32) {pair})
          (func (export "pairs") (result i32 i32) {pair}) (func (export "view") (result i32 i32) {pair})
          (func (export "struct") (result i32) (i32.const 65529))
          (func (export "roomed") (param i32))
          (func (export "give") (param i32 i32) (result i32) (i32.const 1))
          (func (export "give_pair") (param i32) (result i32) (i32.const 1))
          (func (export "give_span") (param i32 i32) (result i32) (i32.const 1))
          (func (export "object") (result externref) (ref.null extern))
          (func (export "function") (result funcref) (ref.func $f)))
        """;

    private static void Traps(TrapKind kind, Action call) => Assert.Equal(kind, Assert.Throws<TrapException>(call).Kind);

    /// <summary>A guest whose texts, arrays and structs are outside of its memory has trapped: a host that catches what guests do wrong catches this.</summary>
    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(65535, 2)]
    [InlineData(65536, 1)]
    [InlineData(8, int.MinValue)]
    [InlineData(8, 0x20000000)]
    public void WhatAGuestReturnsOutsideOfItsMemoryIsATrap(int address, int length)
    {
        IHostile face = Make(Hostile($"(i32.const {address}) (i32.const {length})", "(i32.const 0)")).As<IHostile>();
        Traps(TrapKind.OutOfBoundsMemoryAccess, () => face.Text());
        Traps(TrapKind.OutOfBoundsMemoryAccess, () => face.Bytes());
        Traps(TrapKind.OutOfBoundsMemoryAccess, () => face.Pairs());
        Traps(TrapKind.OutOfBoundsMemoryAccess, () => face.View());
        Traps(TrapKind.OutOfBoundsMemoryAccess, () => face.Struct());
    }

    /// <summary>The same of one whose allocator has nothing, or gives what is not there.</summary>
    [Theory]
    [InlineData("(i32.const 0)", TrapKind.OutOfMemory)]
    [InlineData("(i32.const 65536)", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("(i32.const 65533)", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("(i32.const -4)", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData("(i32.div_u (i32.const 1) (i32.const 0))", TrapKind.IntegerDivideByZero)]
    public void AllocatorsThatLieTrap(string address, TrapKind kind)
    {
        // To give it back fails, too, and is not what has happened.
        IHostile face = Make(Hostile("(i32.const 0) (i32.const 0)", address, "unreachable")).As<IHostile>();
        Traps(kind, () => face.Give("hello"));
        Traps(kind, () => face.GivePair(new Pair(1, 2)));
        Traps(kind, () => face.GiveSpan([1, 2]));
        Traps(kind, () => face.Roomed());
    }

    /// <summary>Of a call that has failed its own exception is seen, of one that has not that of <c>free</c>.</summary>
    [Theory]
    [InlineData("(i32.div_u (i32.const 1) (i32.const 0))", TrapKind.IntegerDivideByZero)]
    [InlineData("(i32.const 1)", TrapKind.Unreachable)]
    public void ACallsOwnExceptionCounts(string body, TrapKind kind)
    {
        IGives face = Make($"""
            (module {Room} (func (export "free") (param i32) unreachable)
              (func (export "give") (param i32 i32) (result i32) {body}) (func (export "give_all") (param i32 i32 i32 i32 i32) (result i64) (i64.extend_i32_s {body})))
            """).As<IGives>();
        Traps(kind, () => face.Give("hello"));
        Traps(kind, () => face.GiveAll("a", [1], new Pair(1, 2)));
    }

    [WasmFace]
    public interface IGives
    {
        int Give(string text);

        long GiveAll(string text, int[] items, Pair pair);
    }

    [Fact]
    public void ATextWithoutAnEndIsATrap()
    {
        IZeroTerminated face = Make("""
            (module (memory (export "memory") 1) (func (export "malloc") (param i32) (result i32) (i32.const 8)) (func (export "free") (param i32))
              (func (export "echo") (param i32) (result i32) (memory.fill (i32.const 65530) (i32.const 65) (i32.const 6)) (i32.const 65530)))
            """).As<IZeroTerminated>();
        Traps(TrapKind.OutOfBoundsMemoryAccess, () => face.Echo("x"));
    }

    [WasmFace]
    public interface ISwaps
    {
        List<int>? Swap(object? value);

        Func<int, int> Function();

        string Name(object? value);
    }

    /// <summary>References of a guest are what it was given, and may be another one than is expected.</summary>
    [Fact]
    public void ReferencesOfOtherTypesAreTraps()
    {
        ISwaps face = Make("""
            (module (type $f (func (param i64))) (func $f (type $f)) (elem declare func $f)
              (func (export "swap") (param externref) (result externref) (local.get 0)) (func (export "name") (param externref) (result externref) (local.get 0))
              (func (export "function") (result funcref) (ref.func $f)))
            """).As<ISwaps>();
        List<int> list = [1];
        Assert.Same(list, face.Swap(list));
        Assert.Null(face.Swap(null));
        Traps(TrapKind.CastFailure, () => face.Swap("text"));
        Traps(TrapKind.CastFailure, () => face.Name(5));
        Traps(TrapKind.CastFailure, () => face.Function());
    }

    // ---- objects ----

    [WasmImports]
    public sealed partial record Recorded(List<string> Lines)
    {
        public void Log(string text) => Lines.Add(text);

        public string Name() => "host";

        public int First(ReadOnlySpan<Pair> pairs) => pairs[0].A;

        public int Of(Pair pair) => pair.B;

        public int Count(List<int>? items) => items?.Count ?? -1;

        /// <summary>No module can import a number so: it is not asked for.</summary>
        public int Secret => throw new InvalidOperationException("A property that nobody asked for.");
    }

    private const string HostFunctions = """
        (import "env" "log" (func $log (param i32 i32))) (import "env" "name" (func $name (result i32 i32))) (import "env" "first" (func $first (param i32 i32) (result i32)))
        (import "env" "of" (func $of (param i32) (result i32))) (import "env" "count" (func $count (param externref) (result i32)))
        """;

    /// <summary>What a record has of itself is not for guests; its own methods are.</summary>
    [Fact]
    public void RecordsAreObjects()
    {
        var host = new Recorded([]);
        var imports = new Imports();
        imports.AddObject("env", host);
        Assert.Equal(["Count", "First", "Log", "Name", "Of", "count", "first", "log", "name", "of"], imports.Select(i => i.Key.Name!).Order(StringComparer.Ordinal));
        Instance instance = Make($"""(module {HostFunctions} {Room} (data (i32.const 8) "hi") (func (export "run") (call $log (i32.const 8) (i32.const 2)) (call $log (call $name))))""", imports);
        instance.GetExport<Action>("run")();
        Assert.Equal(["hi", "host"], host.Lines);
    }

    /// <summary>A guest that gives a host function what is not in its memory traps, where it has called; so does one that has no room for a result.</summary>
    [Theory]
    [InlineData(Room, "(call $log (i32.const 65535) (i32.const 2))", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData(Room, "(call $log (i32.const 8) (i32.const -1))", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData(Room, "(drop (call $first (i32.const 65536) (i32.const 1)))", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData(Room, "(drop (call $first (i32.const 8) (i32.const 0x20000000)))", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData(Room, "(drop (call $of (i32.const 65529)))", TrapKind.OutOfBoundsMemoryAccess)]
    [InlineData(Room, "(drop (call $count (ref.null extern)))", null)]
    [InlineData(Room, "(drop (call $count (global.get $other)))", TrapKind.CastFailure)]
    [InlineData("(memory 1)", "(call $log (call $name))", TrapKind.OutOfMemory)]
    [InlineData("", "(call $log (i32.const 0) (i32.const 0))", TrapKind.OutOfMemory)]
    [InlineData("(memory 1) (func (export \"malloc\") (param i32) (result i32) (i32.const 65535))", "(call $log (call $name))", TrapKind.OutOfBoundsMemoryAccess)]
    public void WhatAGuestGivesAHostFunctionIsItsOwnFault(string parts, string call, TrapKind? kind)
    {
        var imports = new Imports { { "env", "other", new Global(new GlobalType(ValType.ExternRef, IsMutable: false), "text") } };
        imports.AddObject("env", new Recorded([]));
        Action run = Make($"""(module $guilty {HostFunctions} (import "env" "other" (global $other externref)) {parts} (func $run (export "run") {call}))""", imports).GetExport<Action>("run");
        if (kind is null)
        {
            run();
            return;
        }
        TrapException trap = Assert.Throws<TrapException>(run);
        Assert.Equal((kind, "guilty!run"), (trap.Kind, trap.WasmStack[0].ToString()));
    }

    [WasmImports]
    public sealed partial class Tasks
    {
        public TaskCompletionSource<string> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<string> Ask(string question, CancellationToken cancellation) => question + await Answer.Task.WaitAsync(cancellation);

        public async ValueTask<byte[]> Bytes(Caller caller)
        {
            await Task.Yield();
            return [1, 2, (byte)caller.Instance.Exports.Count];
        }

        public async Task<uint> Unsigned()
        {
            await Task.Yield();
            return uint.MaxValue;
        }

        public Task<bool> Yes() => Task.FromResult(true);

        public Task<(int, long)> Both() => Task.FromResult((1, 2L));

        public async Task<string> Fails(string text)
        {
            await Task.Yield();
            throw new InvalidDataException(text);
        }
    }

    /// <summary>A host function that waits may give what any other gives; the guest waits with it.</summary>
    [Fact]
    public async Task TasksGiveTextsToo()
    {
        var tasks = new Tasks();
        var imports = new Imports();
        imports.AddObject("env", tasks);
        Instance instance = new Engine(new EngineOptions { Interruptible = true }).CompileText($"""
            (module
              (import "env" "ask" (func $ask (param i32 i32) (result i32 i32))) (import "env" "bytes" (func $bytes (result i32 i32)))
              (import "env" "unsigned" (func $unsigned (result i32))) (import "env" "yes" (func $yes (result i32))) (import "env" "both" (func $both (result i32 i64)))
              (import "env" "fails" (func $fails (param i32 i32) (result i32 i32)))
              {Room} (data (i32.const 8) "who? ")
              (func (export "ask") (result i32 i32) (call $ask (i32.const 8) (i32.const 4)))
              (func (export "bytes") (result i32 i32) (call $bytes))
              (func (export "numbers") (result i32 i32 i32 i64) (call $unsigned) (call $yes) (call $both))
              (func (export "fails") (result i32 i32) (call $fails (i32.const 8) (i32.const 3))))
            """).Instantiate(imports);
        Memory memory = instance.GetExport<Memory>("memory");
        using (var source = new CancellationTokenSource())
        {
            Task stopped = instance.InvokeAsync("ask", source.Token);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped);
        }
        Task<(int, int)> asked = instance.InvokeAsync<(int, int)>("ask", CancellationToken.None);
        tasks.Answer.SetResult("me");
        (int address, int length) = await asked.WaitAsync(Eventually.Patience);
        Assert.Equal("who?me", memory.ReadString((uint)address, length));
        (address, length) = instance.GetExport<Func<(int, int)>>("bytes")();
        Assert.Equal([1, 2, 6], memory.ReadBytes((uint)address, length));
        Assert.Equal((-1, 1, 1, 2L), instance.GetExport<Func<(int, int, int, long)>>("numbers")());
        Assert.Equal("who", Assert.Throws<InvalidDataException>(() => instance.GetExport<Func<(int, int)>>("fails")()).Message);
    }

    public sealed class Unsuitable
    {
        public Task<Pair> Struct() => Task.FromResult(default(Pair));

        public (uint, int) Two() => (1, 2);

        public Task<(uint, int)> Later() => Task.FromResult((1u, 2));

        public void Late(int a, Caller caller) => _ = caller;
    }

    public sealed class Throwing
    {
        public Memory Memory => throw new InvalidDataException("no memory today");
    }

    [Fact]
    public void WhatNoGuestCanHaveIsSaidWhenAnObjectIsAdded()
    {
        BindingException error = Assert.Throws<BindingException>(() => new Imports().AddObject("env", new Unsuitable()));
        Assert.Equal(
            [
                "Struct: the result is Task<WasmJit.Tests.PublicApi.OddBindingTests+Pair>, which cannot cross", "Two: the result is (uint, int), which cannot cross",
                "Later: the result is Task<(uint, int)>, which cannot cross", "Late: a Caller has to be the first parameter",
            ],
            error.Problems);
        Assert.Throws<InvalidDataException>(() => new Imports().AddObject("env", new Throwing()));
    }
}
