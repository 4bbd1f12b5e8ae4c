using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Streams and futures of components as .NET types.</summary>
public sealed class ComponentStreamTests
{
    private static readonly Lazy<WasmComponent> Component = new(() => new Engine().CompileComponent(Wat.ToBinary("""
        (component
          (core module $Libc (memory (export "mem") 1))
          (core instance $libc (instantiate $Libc))
          (type $bytes (stream u8))
          (type $numbers (stream u32))
          (type $answer (future u32))
          (type $text (future string))
          (core func $read (canon stream.read $bytes (memory (core memory $libc "mem"))))
          (core func $drop-read (canon stream.drop-readable $bytes))
          (core func $await (canon future.read $answer (memory (core memory $libc "mem"))))
          (core func $drop-await (canon future.drop-readable $answer))
          (core func $new (canon stream.new $numbers))
          (core func $write (canon stream.write $numbers (memory (core memory $libc "mem"))))
          (core func $read-number (canon stream.read $numbers (memory (core memory $libc "mem"))))
          (core func $drop-write (canon stream.drop-writable $numbers))
          (core func $promise (canon future.new $answer))
          (core func $keep (canon future.write $answer (memory (core memory $libc "mem"))))
          (core func $drop-promise (canon future.drop-writable $answer))
          (core func $return-numbers (canon task.return (result $numbers)))
          (core func $return-answer (canon task.return (result $answer)))
          (core module $Main
            (import "libc" "mem" (memory 1))
            (import "" "read" (func $read (param i32 i32 i32) (result i32)))
            (import "" "read-number" (func $read-number (param i32 i32 i32) (result i32)))
            (import "" "drop-read" (func $drop-read (param i32)))
            (import "" "await" (func $await (param i32 i32) (result i32)))
            (import "" "drop-await" (func $drop-await (param i32)))
            (import "" "new" (func $new (result i64)))
            (import "" "write" (func $write (param i32 i32 i32) (result i32)))
            (import "" "drop-write" (func $drop-write (param i32)))
            (import "" "promise" (func $promise (result i64)))
            (import "" "keep" (func $keep (param i32 i32) (result i32)))
            (import "" "drop-promise" (func $drop-promise (param i32)))
            (import "" "return-numbers" (func $return-numbers (param i32)))
            (import "" "return-answer" (func $return-answer (param i32)))
            ;; Adds all bytes, seven at a time at most.
            (func (export "sum") (param $s i32) (result i32)
              (local $got i32) (local $i i32) (local $sum i32)
              (loop $more
                (local.set $got (call $read (local.get $s) (i32.const 64) (i32.const 7)))
                (local.set $i (i32.const 0))
                (block $end (loop $next
                  (br_if $end (i32.ge_u (local.get $i) (i32.shr_u (local.get $got) (i32.const 4))))
                  (local.set $sum (i32.add (local.get $sum) (i32.load8_u offset=64 (local.get $i))))
                  (local.set $i (i32.add (local.get $i) (i32.const 1)))
                  (br $next)))
                (br_if $more (i32.eqz (i32.and (local.get $got) (i32.const 15)))))
              (call $drop-read (local.get $s))
              (local.get $sum))
            ;; Reads nothing of it.
            (func (export "leave") (param $s i32) (call $drop-read (local.get $s)))
            (func (export "next") (param $f i32) (result i32)
              (drop (call $await (local.get $f) (i32.const 64)))
              (call $drop-await (local.get $f))
              (i32.add (i32.load (i32.const 64)) (i32.const 1)))
            ;; The numbers from 1 on, one by one, until no more are wanted.
            (func (export "count") (param $n i32)
              (local $ends i64) (local $i i32) (local $to i32)
              (local.set $ends (call $new))
              (local.set $to (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
              (call $return-numbers (i32.wrap_i64 (local.get $ends)))
              (block $end (loop $next
                (br_if $end (i32.eq (local.get $i) (local.get $n)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (i32.store (i32.const 64) (local.get $i))
                (br_if $next (i32.eqz (i32.and (call $write (local.get $to) (i32.const 64) (i32.const 1)) (i32.const 15))))))
              (call $drop-write (local.get $to)))
            (func (export "later") (param $n i32)
              (local $ends i64) (local $to i32)
              (local.set $ends (call $promise))
              (local.set $to (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
              (call $return-answer (i32.wrap_i64 (local.get $ends)))
              (i32.store (i32.const 64) (local.get $n))
              (drop (call $keep (local.get $to) (i32.const 64)))
              (call $drop-promise (local.get $to)))
            (func (export "same") (param i32) (result i32) (local.get 0))
            ;; Reads one number of it.
            (func (export "rest") (param $s i32) (result i32)
              (drop (call $read-number (local.get $s) (i32.const 64) (i32.const 1)))
              (local.get $s)))
          (core instance $main (instantiate $Main (with "libc" (instance $libc)) (with "" (instance
            (export "read" (func $read)) (export "read-number" (func $read-number)) (export "drop-read" (func $drop-read)) (export "await" (func $await)) (export "drop-await" (func $drop-await))
            (export "new" (func $new)) (export "write" (func $write)) (export "drop-write" (func $drop-write))
            (export "promise" (func $promise)) (export "keep" (func $keep)) (export "drop-promise" (func $drop-promise))
            (export "return-numbers" (func $return-numbers)) (export "return-answer" (func $return-answer))))))
          (func (export "sum") async (param "s" $bytes) (result u32) (canon lift (core func $main "sum")))
          (func (export "leave") (param "s" $bytes) (canon lift (core func $main "leave")))
          (func (export "next") async (param "f" $answer) (result u32) (canon lift (core func $main "next")))
          (func (export "count") async (param "n" u32) (result $numbers) (canon lift (core func $main "count") async))
          (func (export "later") async (param "n" u32) (result $answer) (canon lift (core func $main "later") async))
          (func (export "same-bytes") (param "s" $bytes) (result $bytes) (canon lift (core func $main "same")))
          (func (export "same-numbers") (param "s" $numbers) (result $numbers) (canon lift (core func $main "same")))
          (func (export "rest") async (param "s" $numbers) (result $numbers) (canon lift (core func $main "rest")))
          (func (export "same-text") (param "s" $text) (result $text) (canon lift (core func $main "same"))))
        """)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task AStreamOfTheHostIsRead(int length)
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        byte[] bytes = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
        uint expected = (uint)bytes.Sum(b => b);
        Assert.Equal(expected, instance.GetFunction<Func<Stream, uint>>("sum")(new MemoryStream(bytes)));
        // One that gives its bytes later, and few at a time.
        Assert.Equal(expected, await instance.GetFunction<Func<Stream, Task<uint>>>("sum")(new Slow(bytes)));
    }

    [Fact]
    public void AStreamThatNobodyWantsIsDisposedOfAndNotRead()
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        var stream = new Slow([1, 2, 3]);
        instance.GetFunction<Action<Stream>>("leave")(stream);
        Assert.Equal((true, 0), (stream.IsDisposed, stream.Reads));
    }

    [Fact]
    public async Task AStreamOfAGuestIsASequence()
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        var count = instance.GetFunction<Func<uint, Task<IAsyncEnumerable<uint>>>>("count");
        var got = new List<uint>();
        await foreach (uint number in await count(100)) got.Add(number);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (uint)i), got);
        // A reader that has enough says so, and the guest ends.
        await foreach (uint number in await count(uint.MaxValue))
            if (number == 5) break;
        got.Clear();
        await foreach (uint number in await count(2)) got.Add(number);
        Assert.Equal([1u, 2u], got);
    }

    [Fact]
    public async Task FuturesAreTasks()
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        var next = instance.GetFunction<Func<Task<uint>, Task<uint>>>("next");
        Assert.Equal(6u, await next(Task.FromResult(5u)));
        var later = new TaskCompletionSource<uint>();
        Task<uint> waiting = next(later.Task);
        Assert.False(waiting.IsCompleted);
        later.SetResult(7);
        Assert.Equal(8u, await waiting);
        Task<uint> answer = await instance.GetFunction<Func<uint, Task<Task<uint>>>>("later")(9);
        Assert.Equal(9u, await answer);
    }

    [Fact]
    public async Task AFutureWithoutAValueTraps()
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        TrapException trap = await Assert.ThrowsAsync<TrapException>(() => instance.GetFunction<Func<Task<uint>, Task<uint>>>("next")(Task.FromException<uint>(new InvalidDataException("secret"))));
        Assert.Contains("no value for a future", trap.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", trap.Message, StringComparison.Ordinal);
    }

    /// <summary>What a guest gives back untouched is what it was.</summary>
    [Fact]
    public void WhatIsGivenBackIsTheSame()
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        var stream = new MemoryStream();
        Assert.Same(stream, instance.GetFunction<Func<Stream, Stream>>("same-bytes")(stream));
        var numbers = new Numbers();
        Assert.Same(numbers, instance.GetFunction<Func<IAsyncEnumerable<uint>, IAsyncEnumerable<uint>>>("same-numbers")(numbers));
        Assert.False(numbers.IsDisposed);
        var text = new TaskCompletionSource<string>();
        Assert.Same(text.Task, instance.GetFunction<Func<Task<string>, Task<string>>>("same-text")(text.Task));
    }

    /// <summary>Nobody else may be in the instance, or ever come into it again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ASequenceThatIsNotReadIsDropped(bool isBegun)
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        var numbers = new Numbers();
        IAsyncEnumerable<uint> rest = await instance.GetFunction<Func<IAsyncEnumerable<uint>, Task<IAsyncEnumerable<uint>>>>("rest")(numbers);
        Assert.NotSame(numbers, rest);
        IAsyncEnumerator<uint> items = rest.GetAsyncEnumerator();
        if (isBegun)
        {
            Assert.True(await items.MoveNextAsync());
            Assert.Equal(2u, items.Current);
        }
        await items.DisposeAsync();
        Assert.True(Eventually.Holds(() => numbers.IsDisposed));
        Assert.False(await items.MoveNextAsync());
    }

    /// <summary>The numbers from 1 on.</summary>
    private sealed class Numbers : IAsyncEnumerable<uint>, IAsyncEnumerator<uint>
    {
        private volatile bool isDisposed;

        internal bool IsDisposed => isDisposed;

        public uint Current { get; private set; }

        public IAsyncEnumerator<uint> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

        public ValueTask<bool> MoveNextAsync()
        {
            Current++;
            return new(true);
        }

        public ValueTask DisposeAsync()
        {
            isDisposed = true;
            return default;
        }
    }

    /// <summary>When the instance is gone, a reader of its stream finds the end.</summary>
    [Fact]
    public async Task AStreamEndsWithItsInstance()
    {
        ComponentInstance instance = Component.Value.Instantiate();
        IAsyncEnumerator<uint> numbers = (await instance.GetFunction<Func<uint, Task<IAsyncEnumerable<uint>>>>("count")(uint.MaxValue)).GetAsyncEnumerator();
        Assert.True(await numbers.MoveNextAsync());
        instance.Dispose();
        while (await numbers.MoveNextAsync()) { }
        await numbers.DisposeAsync();
    }

    [Fact]
    public void TypesThatDoNotFitAreErrors()
    {
        using ComponentInstance instance = Component.Value.Instantiate();
        Assert.Throws<InvalidCastException>(() => instance.GetFunction<Func<Stream, uint>>("next"));
        Assert.Throws<InvalidCastException>(() => instance.GetFunction<Func<uint, Task<Stream>>>("count"));
        Assert.Throws<InvalidCastException>(() => instance.GetFunction<Func<uint, Task<IAsyncEnumerable<string>>>>("count"));
    }

    /// <summary>Gives three bytes at a time, after a while.</summary>
    private sealed class Slow(byte[] bytes) : MemoryStream
    {
        private int at;

        internal int Reads { get; private set; }

        internal bool IsDisposed { get; private set; }

        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reads++;
            if (Reads % 1000 == 1) await Task.Yield();
            int count = Math.Min(Math.Min(3, buffer.Length), bytes.Length - at);
            bytes.AsMemory(at, count).CopyTo(buffer);
            at += count;
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
