using System.Globalization;
using System.Text;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Guests in components that want more than there is: stack, memory of the host, time.</summary>
public sealed class ComponentLimitTests
{
    private static ComponentInstance Instantiate(string text) => new Engine().CompileComponent(Wat.ToBinary(text)).Instantiate();

    private static string Repeat(int count, Func<int, string> part)
    {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) text.Append(part(i));
        return text.ToString();
    }

    private static string N(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void ExhaustsTheStack(Func<object?> call)
    {
        Exception? error = HostileInput.OnStack(1024, () => call());
        Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(error).Kind);
    }

    /// <summary>A lowered function lifted again has no code of a guest that would look at the stack.</summary>
    [Fact]
    public void CallsThroughManyComponents()
    {
        const int Count = 9000;
        using ComponentInstance instance = Instantiate($"""
            (component
              (component $First
                (core module $M (func (export "f") (result i32) (i32.const 7)))
                (core instance $m (instantiate $M))
                (func (export "f") (result u32) (canon lift (core func $m "f"))))
              (component $Next
                (import "f" (func $f (result u32)))
                (core func $l (canon lower (func $f)))
                (func (export "f") (result u32) (canon lift (core func $l))))
              (instance $i0 (instantiate $First))
              {Repeat(Count, i => $"(instance $i{N(i + 1)} (instantiate $Next (with \"f\" (func $i{N(i)} \"f\"))))\n")}
              (export "near" (func $i5 "f"))
              (export "far" (func $i{N(Count)} "f")))
            """);
        Assert.Equal(7u, instance.GetFunction("near").Call().AsU32());
        ExhaustsTheStack(() => instance.GetFunction("far").Call());
    }

    /// <summary>What is compiled at a first call is compiled by another thread if there is little stack, and the first one waits for it.</summary>
    [Fact]
    public void FirstCallsOnSmallStacks()
    {
        // Of a shape that no other test has, whose copies are not there yet.
        const string type = "(param \"a\" (tuple u8 s16 char bool s8 u64 f32 u16)) (param \"b\" s8) (result s16)";
        using ComponentInstance instance = Instantiate($"""
            (component
              (component $First
                (core module $M (func (export "f") (param i32 i32 i32 i32 i32 i64 f32 i32 i32) (result i32) (local.get 7)))
                (core instance $m (instantiate $M))
                (func (export "f") {type} (canon lift (core func $m "f"))))
              (component $Next
                (import "f" (func $f {type}))
                (core func $l (canon lower (func $f)))
                (func (export "f") {type} (canon lift (core func $l))))
              (instance $first (instantiate $First))
              (instance $next (instantiate $Next (with "f" (func $first "f"))))
              (export "f" (func $next "f")))
            """);
        ComponentValue first = ComponentValue.Tuple(
            ComponentValue.From((byte)1), ComponentValue.From((short)2), ComponentValue.From(new Rune('x')), ComponentValue.From(true),
            ComponentValue.From((sbyte)3), ComponentValue.From(4ul), ComponentValue.From(5f), ComponentValue.From((ushort)6));
        short result = 0;
        var thread = new Thread(() => result = instance.GetFunction("f").Call(first, ComponentValue.From((sbyte)7)).AsS16(), 1 << 20) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Eventually.Patience), "the call does not end");
        Assert.Equal(6, result);
    }

    /// <summary>The destructor of each resource is the built-in that drops the one before.</summary>
    [Fact]
    public void DestructorsThatDropResources()
    {
        const int Count = 20_000;
        using ComponentInstance instance = Instantiate($"""
            (component
              (type $R0 (resource (rep i32)))
              (core func $d0 (canon resource.drop $R0))
              {Repeat(Count, i => $"(type $R{N(i + 1)} (resource (rep i32) (dtor (core func $d{N(i)})))) (core func $d{N(i + 1)} (canon resource.drop $R{N(i + 1)})) (core func $n{N(i + 1)} (canon resource.new $R{N(i + 1)}))\n")}
              (core func $n0 (canon resource.new $R0))
              (core module $M
                (import "" "n0" (func $n0 (param i32) (result i32)))
                {Repeat(Count, i => $"(import \"\" \"n{N(i + 1)}\" (func $n{N(i + 1)} (param i32) (result i32)))\n")}
                (import "" "d" (func $d (param i32)))
                (func (export "f") (local $h i32)
                  (local.set $h (call $n0 (i32.const 1)))
                  {Repeat(Count, i => $"(local.set $h (call $n{N(i + 1)} (local.get $h)))\n")}
                  (call $d (local.get $h))))
              (core instance $m (instantiate $M (with "" (instance
                (export "n0" (func $n0))
                {Repeat(Count, i => $"(export \"n{N(i + 1)}\" (func $n{N(i + 1)}))\n")}
                (export "d" (func $d{N(Count)}))))))
              (func (export "f") (canon lift (core func $m "f"))))
            """);
        ExhaustsTheStack(() => instance.GetFunction("f").Call());
    }

    /// <summary>What a value is for the host can be many times its bytes in memory; the limit is on the former.</summary>
    [Theory]
    [InlineData("(tuple u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8)", 17 * 24)]
    [InlineData("(flags \"a\" \"b\" \"c\" \"d\" \"e\" \"f\" \"g\" \"h\")", 48)]
    [InlineData("(option u8)", 72)]
    [InlineData("(tuple string)", 72)]
    public void CopiesAreCountedAsWhatTheyTake(string type, int each)
    {
        const int Count = 8000;
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary($"""
            (component
              (core module $M
                (memory (export "mem") 4)
                (func (export "f") (result i32)
                  (i32.store (i32.const 0) (i32.const 16))
                  (i32.store (i32.const 4) (i32.const {N(Count)}))
                  (i32.const 0)))
              (core instance $m (instantiate $M))
              (type $t {type})
              (export $t' "t" (type $t))
              (func (export "f") (result (list $t')) (canon lift (core func $m "f") (memory (core memory $m "mem")))))
            """));
        using (ComponentInstance fits = component.Instantiate(options: new ComponentInstanceOptions { MaximumCopiedBytes = Count * each }))
            Assert.Equal(Count, fits.GetFunction("f").Call().Items.Length);
        using ComponentInstance instance = component.Instantiate(options: new ComponentInstanceOptions { MaximumCopiedBytes = (Count * each) - 1 });
        TrapException trap = Assert.Throws<TrapException>(() => instance.GetFunction("f").Call());
        Assert.Contains("more is copied", trap.Message, StringComparison.Ordinal);
    }

    /// <summary>A guest that runs for long may call the host any number of times: each call has the limit.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CopiesOfCallsToTheHostCountByThemselves(bool typed)
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary("""
            (component
              (import "h" (func $h (param "bytes" (list u8))))
              (core module $Libc (memory (export "mem") 1))
              (core instance $libc (instantiate $Libc))
              (core func $l (canon lower (func $h) (memory (core memory $libc "mem"))))
              (core module $M
                (import "" "h" (func $h (param i32 i32)))
                (func (export "f") (param $times i32) (param $size i32)
                  (loop $more
                    (call $h (i32.const 0) (local.get $size))
                    (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))
              (core instance $m (instantiate $M (with "" (instance (export "h" (func $l))))))
              (func (export "f") (param "times" u32) (param "size" u32) (canon lift (core func $m "f"))))
            """));
        long total = 0;
        var host = new ComponentHost();
        if (typed)
        {
            host.Add("h", (Action<byte[]>)(bytes => total += bytes.Length));
        }
        else
        {
            host.Add("h", (Func<ComponentValue[], ComponentValue>)(arguments =>
            {
                total += arguments[0].Items.Length;
                return default;
            }));
        }
        long most = typed ? 1000 : 64_000;
        using ComponentInstance instance = component.Instantiate(host, new ComponentInstanceOptions { MaximumCopiedBytes = most });
        var f = instance.GetFunction<Action<uint, uint>>("f");
        f(1000, 1000);
        Assert.Equal(1_000_000, total);
        Assert.Contains("more is copied", Assert.Throws<TrapException>(() => f(1, (uint)most + 1)).Message, StringComparison.Ordinal);
    }

    // ---- time ----

    /// <summary>A task that yields for ever: before it returns, or behind that.</summary>
    private static string Yielding(bool returns) => $"""
        (component
          (core func $return (canon task.return (result u32)))
          (core module $M
            (import "" "return" (func $return (param i32)))
            (func (export "f") (result i32) {(returns ? "(call $return (i32.const 5))" : "")} (i32.const 1))
            (func (export "cb") (param i32 i32 i32) (result i32) (i32.const 1)))
          (core instance $m (instantiate $M (with "" (instance (export "return" (func $return))))))
          (func (export "f") async (result u32) (canon lift (core func $m "f") async (callback (core func $m "cb")))))
        """;

    private static ComponentInstance Interruptible(string text) =>
        new Engine(new EngineOptions { Interruptible = true }).CompileComponent(Wat.ToBinary(text)).Instantiate();

    [Fact]
    public void TasksThatYieldObeyTheToken()
    {
        using ComponentInstance instance = Interruptible(Yielding(false));
        ExportedFunction function = instance.GetFunction("f");
        using var source = new CancellationTokenSource();
        Assert.Throws<GuestCanceledException>(() => Guest.Run(
            () =>
            {
                source.CancelAfter(200);
                function.Call();
            },
            source.Token));
    }

    /// <summary>What a task does behind its return keeps no caller.</summary>
    [Fact]
    public async Task CallersDoNotWaitForTasksThatHaveReturned()
    {
        using ComponentInstance instance = Interruptible(Yielding(true));
        ExportedFunction function = instance.GetFunction("f");
        using var source = new CancellationTokenSource(Eventually.Patience);
        Assert.Equal(5u, (await Guest.Run(() => function.CallAsync(default), source.Token)).AsU32());
        Assert.Equal(5u, Guest.Run(() => function.Call(), source.Token).AsU32());
    }

    // ---- mistakes of the host ----

    /// <summary>A wrong argument is not a trap: the instance can be called again, plain or as a task.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("async")]
    public void WrongArgumentsLeaveTheInstanceAsItIs(string async)
    {
        using ComponentInstance instance = Instantiate($"""
            (component
              (type $R (resource (rep i32)))
              (core func $new (canon resource.new $R))
              (core module $M (func (export "take") (param i32)) (func (export "same") (param i32) (result i32) (local.get 0)))
              (core instance $m (instantiate $M))
              (export $R' "r" (type $R))
              (func (export "make") (param "x" u32) (result (own $R')) (canon lift (core func $new)))
              (func (export "take") {async} (param "x" (own $R')) (canon lift (core func $m "take")))
              (func (export "same") {async} (param "x" u32) (result u32) (canon lift (core func $m "same"))))
            """);
        using ComponentResource resource = instance.GetFunction("make").Call(ComponentValue.From(1u)).AsResource();
        instance.GetFunction("take").Call(ComponentValue.From(resource));
        Assert.Throws<ArgumentException>(() => instance.GetFunction("take").Call(ComponentValue.From(resource)));
        Assert.Throws<ArgumentException>(() => instance.GetFunction("same").Call(ComponentValue.From("x")));
        Assert.Equal(3u, instance.GetFunction("same").Call(ComponentValue.From(3u)).AsU32());
    }

    [Fact]
    public void ExceptionsOfStartFunctionsAreTraps()
    {
        TrapException trap = Assert.Throws<TrapException>(() => Instantiate("""
            (component
              (core module $M (tag $t) (func $start (throw $t)) (start $start))
              (core instance (instantiate $M)))
            """));
        Assert.Contains("uncaught exception", trap.Message, StringComparison.Ordinal);
    }
}
