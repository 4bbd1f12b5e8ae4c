using System.Globalization;
using System.Text;
using WasmJit.Components;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// How many elements a list has a guest says. Whatever goes through them one by one, in a copy between guests, for the host or from it, can be stopped, and is paid for.
/// </summary>
public sealed class ComponentWorkTests
{
    private const int Count = 100_000, At = 1 << 20;

    /// <summary>Types whose elements are copied one by one, their size, what makes the last of them invalid, and the .NET type of an element.</summary>
    private static readonly Dictionary<string, (int Size, string Spoil, Type Element)> Types = new()
    {
        ["char"] = (4, Store(0, "0xd800"), typeof(Rune)),
        ["(tuple char u8)"] = (8, Store(0, "0xd800"), typeof((Rune, byte))),
        ["(option char)"] = (8, Store(0, "1") + Store(4, "0xd800"), typeof(Rune?)),
        ["(list char)"] = (8, Store(0, "1024") + Store(4, "1") + "(i32.store (i32.const 1024) (i32.const 0xd800))", typeof(Rune[])),
        ["string"] = (8, Store(0, "1024") + Store(4, "1") + "(i32.store (i32.const 1024) (i32.const 0xff))", typeof(string)),
        ["(list (option (list u8)))"] = (8, Store(0, "1024") + Store(4, "1") + "(i32.store (i32.const 1024) (i32.const 2))", typeof(byte[]?[])),
    };

    public static TheoryData<string> All => [.. Types.Keys];

    private static string Store(int offset, string value) => $"(i32.store offset={offset} (local.get $last) (i32.const {value}))";

    private static string N(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Passes a list to the host (<c>pass</c>), to another component (<c>inner</c>), and as a result (<c>get</c>), each after a call of the host. <c>spoil</c> makes its last element invalid.
    /// </summary>
    private static WasmComponent Compile(string type, EngineOptions options) => new Engine(options).CompileComponent(Wat.ToBinary($$"""
        (component
          (import "now" (func $now))
          (import "take" (func $take (param "x" (list {{type}}))))
          (component $C
            (core module $M
              (memory (export "mem") 100)
              (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {{N(At)}}))
              (func (export "f") (param i32 i32)))
            (core instance $m (instantiate $M))
            (func (export "f") (param "x" (list {{type}})) (canon lift (core func $m "f") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
          (component $D
            (import "now" (func $now))
            (import "take" (func $take (param "x" (list {{type}}))))
            (import "f" (func $f (param "x" (list {{type}}))))
            (core module $Libc (memory (export "mem") 100))
            (core instance $libc (instantiate $Libc))
            (core func $now' (canon lower (func $now)))
            (core func $take' (canon lower (func $take) (memory (core memory $libc "mem"))))
            (core func $f' (canon lower (func $f) (memory (core memory $libc "mem"))))
            (core module $M
              (import "libc" "mem" (memory 100))
              (import "" "now" (func $now)) (import "" "take" (func $take (param i32 i32))) (import "" "f" (func $f (param i32 i32)))
              (func (export "spoil") (param $count i32) (local $last i32)
                (local.set $last (i32.add (i32.const {{N(At)}}) (i32.mul (i32.sub (local.get $count) (i32.const 1)) (i32.const {{N(Types[type].Size)}}))))
                {{Types[type].Spoil}})
              (func (export "pass") (param $count i32) (call $now) (call $take (i32.const {{N(At)}}) (local.get $count)))
              (func (export "inner") (param $count i32) (call $now) (call $f (i32.const {{N(At)}}) (local.get $count)))
              (func (export "get") (param $count i32) (result i32)
                (call $now) (i32.store (i32.const 0) (i32.const {{N(At)}})) (i32.store (i32.const 4) (local.get $count)) (i32.const 0)))
            (core instance $m (instantiate $M (with "libc" (instance $libc))
              (with "" (instance (export "now" (func $now')) (export "take" (func $take')) (export "f" (func $f'))))))
            (func (export "spoil") (param "n" u32) (canon lift (core func $m "spoil")))
            (func (export "pass") (param "n" u32) (canon lift (core func $m "pass")))
            (func (export "inner") (param "n" u32) (canon lift (core func $m "inner")))
            (func (export "get") (param "n" u32) (result (list {{type}})) (canon lift (core func $m "get") (memory (core memory $libc "mem")))))
          (instance $c (instantiate $C))
          (instance $d (instantiate $D (with "now" (func $now)) (with "take" (func $take)) (with "f" (func $c "f"))))
          (func (export "spoil") (alias export $d "spoil"))
          (func (export "pass") (alias export $d "pass"))
          (func (export "inner") (alias export $d "inner"))
          (func (export "get") (alias export $d "get")))
        """));

    private static void Ignore<T>(T[] items)
    {
    }

    private static Delegate Taker(Type element) =>
        typeof(ComponentWorkTests).GetMethod(nameof(Ignore), System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!
            .MakeGenericMethod(element).CreateDelegate(typeof(Action<>).MakeGenericType(element.MakeArrayType()));

    private static ComponentInstance Instantiate(WasmComponent component, string type, bool typed, Action now, Fuel? fuel = null)
    {
        var host = new ComponentHost { { "now", now } };
        if (typed) host.Add("take", Taker(Types[type].Element));
        else host.Add("take", static _ => default(ComponentValue));
        return component.Instantiate(host, new ComponentInstanceOptions { Fuel = fuel });
    }

    /// <summary>The ways in which such a list goes somewhere.</summary>
    private static IEnumerable<(string Name, Action<int> Call)> Ways(ComponentInstance instance, string type, bool typed)
    {
        foreach (string name in new[] { "pass", "inner" })
        {
            var call = instance.GetFunction<Action<uint>>(name);
            // Calls between guests are compiled as one when they have been made a few times.
            if (name == "inner")
                for (int i = 0; i < 2 * FusedCall.Threshold; i++) call(0);
            yield return (name, n => call((uint)n));
        }
        if (!typed)
        {
            ExportedFunction get = instance.GetFunction("get");
            yield return ("get", n => get.Call(ComponentValue.From((uint)n)));
            yield break;
        }
        Delegate made = instance.GetFunction("get").As(typeof(Func<,>).MakeGenericType(typeof(uint), Types[type].Element.MakeArrayType()));
        yield return ("get", n => made.GetType().GetMethod("Invoke")!.Invoke(made, System.Reflection.BindingFlags.DoNotWrapExceptions, null, [(uint)n], null));
    }

    /// <summary>The last element traps. A guest that is stopped before it has been reached does not trap.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public void CopiesStopOnTheWay(string type)
    {
        WasmComponent component = Compile(type, new EngineOptions { Interruptible = true });
        foreach (bool typed in new[] { true, false })
        {
            for (int way = 0; way < 3; way++)
            {
                foreach (bool stops in new[] { false, true })
                {
                    using var source = new CancellationTokenSource();
                    bool isArmed = false;
                    using ComponentInstance instance = Instantiate(component, type, typed, () =>
                    {
                        if (isArmed && stops) source.Cancel();
                    });
                    (string name, Action<int> call) = Ways(instance, type, typed).ElementAt(way);
                    instance.GetFunction<Action<uint>>("spoil")(Count);
                    isArmed = true;
                    Exception? e = Record.Exception(() => Guest.Run(() => call(Count), source.Token));
                    Assert.True(stops ? e is OperationCanceledException : e is TrapException, $"{type}, {name}, typed {typed}, stops {stops}: {e}");
                }
            }
        }
    }

    private static long Cost(Fuel fuel, Action<int> call, int count)
    {
        long before = fuel.Remaining;
        call(count);
        return before - fuel.Remaining;
    }

    /// <summary>Each element costs a unit at least, and each eight bytes one; the same call costs the same.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public void CopiesArePaidFor(string type)
    {
        WasmComponent component = Compile(type, new EngineOptions { CountFuel = true });
        foreach (bool typed in new[] { true, false })
        {
            var fuel = new Fuel(100_000_000);
            using ComponentInstance instance = Instantiate(component, type, typed, static () => { }, fuel);
            foreach ((string name, Action<int> call) in Ways(instance, type, typed))
            {
                call(1);
                long nothing = Cost(fuel, call, 0), all = Cost(fuel, call, Count) - nothing;
                Assert.True(all >= Count && all <= 40L * Count, $"{type}, {name}, typed {typed}: {all}");
                Assert.Equal(all, Cost(fuel, call, Count) - nothing);
            }
            var measured = new Fuel(100_000_000);
            Instantiate(component, type, typed, static () => { }, measured).Dispose();
            using ComponentInstance poor = Instantiate(component, type, typed, static () => { }, new Fuel(100_000_000 - measured.Remaining + (Count / 2)));
            Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => poor.GetFunction<Action<uint>>("pass")(Count)).Kind);
        }
    }

    /// <summary>Lists that are copied as bytes, and strings, in and out.</summary>
    [Theory]
    [InlineData("(list u8)", 1)]
    [InlineData("(list u64)", 8)]
    [InlineData("string", 1)]
    public void BytesArePaidFor(string type, int size)
    {
        string text = $$"""
            (component
              (core module $M
                (memory (export "mem") 100)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {{N(At)}}))
                (func (export "f") (param i32 i32))
                (func (export "g") (param $count i32) (result i32)
                  (i32.store (i32.const 0) (i32.const {{N(At)}})) (i32.store (i32.const 4) (local.get $count)) (i32.const 0)))
              (core instance $m (instantiate $M))
              (func (export "f") (param "x" {{type}}) (canon lift (core func $m "f") (memory (core memory $m "mem")) (realloc (core func $m "realloc"))))
              (func (export "g") (param "n" u32) (result {{type}}) (canon lift (core func $m "g") (memory (core memory $m "mem")))))
            """;
        var fuel = new Fuel(100_000_000);
        using ComponentInstance instance = new Engine(new EngineOptions { CountFuel = true }).CompileComponent(Wat.ToBinary(text)).Instantiate(options: new ComponentInstanceOptions { Fuel = fuel });
        Action<int> give = type switch
        {
            "string" => Give(n => new string('x', n)),
            "(list u8)" => Give(n => new byte[n]),
            _ => Give(n => new ulong[n]),
        };
        Action<int> take = type switch
        {
            "string" => Take<string>(),
            "(list u8)" => Take<byte[]>(),
            _ => Take<ulong[]>(),
        };
        foreach (Action<int> call in new[] { give, take })
        {
            long nothing = Cost(fuel, call, 0);
            Assert.Equal(80_000L * size / 8, Cost(fuel, call, 80_000) - nothing);
        }

        Action<int> Give<T>(Func<int, T> make)
        {
            var call = instance.GetFunction<Action<T>>("f");
            return n => call(make(n));
        }

        Action<int> Take<T>()
        {
            var call = instance.GetFunction<Func<uint, T>>("g");
            return n => call((uint)n);
        }
    }

    public sealed class Item(uint a, bool b)
    {
        /// <summary>How many were read; what reads them calls the host for each.</summary>
        [ThreadStatic]
        internal static int Read;

        public uint A
        {
            get
            {
                Read++;
                return a;
            }
        }

        public bool B { get; } = b;
    }

    /// <summary>What the host gives is as long as guests ask for: from a list of records the same is true.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatTheHostGivesStopsOnTheWay(bool typed)
    {
        WasmComponent component = new Engine(new EngineOptions { Interruptible = true }).CompileComponent(Wat.ToBinary($$"""
            (component
              (type $r' (record (field "a" u32) (field "b" bool)))
              (import "r" (type $r (eq $r')))
              (import "give" (func $give (result (list $r))))
              (core module $Libc (memory (export "mem") 100) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {{N(At)}})))
              (core instance $libc (instantiate $Libc))
              (core func $give' (canon lower (func $give) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
              (core module $M (import "" "give" (func $give (param i32))) (func (export "f") (call $give (i32.const 0))))
              (core instance $m (instantiate $M (with "" (instance (export "give" (func $give'))))))
              (func (export "f") (canon lift (core func $m "f"))))
            """));
        foreach (bool stops in new[] { false, true })
        {
            using var source = new CancellationTokenSource();
            void Now()
            {
                if (stops) source.Cancel();
            }
            var host = new ComponentHost();
            if (typed)
            {
                Item[] items = [.. Enumerable.Range(0, Count).Select(i => new Item((uint)i, true))];
                host.Add("give", () =>
                {
                    Now();
                    return items;
                });
            }
            else
            {
                // The last one is none, which is found when it is reached.
                ComponentValue fine = ComponentValue.Record(("a", ComponentValue.From(1u)), ("b", ComponentValue.From(true)));
                ComponentValue list = ComponentValue.List([.. Enumerable.Repeat(fine, Count), ComponentValue.From(1u)]);
                host.Add("give", _ =>
                {
                    Now();
                    return list;
                });
            }
            using ComponentInstance instance = component.Instantiate(host);
            Item.Read = 0;
            Exception? e = Record.Exception(() => Guest.Run(() => instance.GetFunction<Action>("f")(), source.Token));
            if (stops) Assert.IsAssignableFrom<OperationCanceledException>(e);
            else if (typed) Assert.Null(e);
            else Assert.IsType<ArgumentException>(e);
            if (typed) Assert.True(stops ? Item.Read < Count / 2 : Item.Read == Count, $"{Item.Read} were read");
        }
    }

    /// <summary>A few calls may read a megabyte.</summary>
    [Fact]
    public void BytesOfStreamsArePaidFor()
    {
        WasmComponent component = new Engine(new EngineOptions { CountFuel = true }).CompileComponent(Wat.ToBinary("""
            (component
              (type $bytes (stream u8))
              (core module $Libc (memory (export "mem") 2))
              (core instance $libc (instantiate $Libc))
              (core func $read (canon stream.read $bytes (memory (core memory $libc "mem"))))
              (core func $drop (canon stream.drop-readable $bytes))
              (core module $M
                (import "" "read" (func $read (param i32 i32 i32) (result i32))) (import "" "drop" (func $drop (param i32)))
                (func (export "f") (param $s i32) (local $got i32)
                  (loop $more
                    (local.set $got (call $read (local.get $s) (i32.const 0) (i32.const 65536)))
                    (br_if $more (i32.eqz (i32.and (local.get $got) (i32.const 15)))))
                  (call $drop (local.get $s))))
              (core instance $m (instantiate $M (with "" (instance (export "read" (func $read)) (export "drop" (func $drop))))))
              (func (export "f") async (param "s" $bytes) (canon lift (core func $m "f"))))
            """));
        var fuel = new Fuel(100_000_000);
        using ComponentInstance instance = component.Instantiate(options: new ComponentInstanceOptions { Fuel = fuel });
        var call = instance.GetFunction<Action<Stream>>("f");
        void Read(int bytes) => call(new MemoryStream(new byte[bytes]));
        long nothing = Cost(fuel, Read, 0);
        Assert.InRange(Cost(fuel, Read, 1 << 20) - nothing, (1 << 20) / 8, (1 << 20) / 4);
        using ComponentInstance poor = component.Instantiate(options: new ComponentInstanceOptions { Fuel = new Fuel(300_000) });
        var stream = new MemoryStream(new byte[10 << 20]);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => poor.GetFunction<Action<Stream>>("f")(stream)).Kind);
    }

    /// <summary>The loop of a stream's elements, alone: its last element traps.</summary>
    [Fact]
    public unsafe void ElementsOfStreamsStopOnTheWay()
    {
        ComponentValType type = PrimitiveType.Of(PrimitiveKind.Char);
        ElementsMethod copy = TransferCode.OfElements(type, new TypeShape([type]), false, false).Elements;
        uint[] source = new uint[Count], target = new uint[Count];
        source[^1] = 0xd800;
        using var token = new CancellationTokenSource();
        fixed (uint* from = source)
        fixed (uint* to = target)
        {
            byte* a = (byte*)from, b = (byte*)to;
            Assert.Throws<TrapException>(() => copy(null!, a, b, Count));
            CancellationScope scope = CancellationScope.Enter(token.Token);
            try
            {
                token.Cancel();
                Assert.Throws<GuestCanceledException>(() => copy(null!, a, b, Count));
            }
            finally
            {
                scope.Leave();
            }
        }
    }
}
