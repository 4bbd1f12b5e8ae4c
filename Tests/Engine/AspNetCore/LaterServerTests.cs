using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Components of WASI 0.3 behind a server. Their tasks go on when the response has been given.</summary>
public sealed class LaterServerTests
{
    /// <summary>
    /// Counts its requests, and answers with the status 200 and the count. What it does with the count in <c>$count</c> before it answers, and then behind that, is given.
    /// </summary>
    private static WasmComponent Guest(string before, string behind) => new Engine(new EngineOptions { Interruptible = true, CountFuel = true }).CompileComponent(Wat.ToBinary(WasiMirror.Server(
        $"""
        (global $count (mut i32) (i32.const 0)) (global $status (mut i32) (i32.const 0)) (global $fields (mut i32) (i32.const 0))
        (data (i32.const 512) "content-length5")
        (func (export "handle") (param $request i32) (local $ends i64)
          (call $drop-request (local.get $request))
          (global.set $count (i32.add (global.get $count) (i32.const 1)))
          (global.set $status (i32.add (global.get $count) (i32.const 200)))
          (global.set $fields (call $fields))
          {before}
          (local.set $ends (call $new))
          (call $response (global.get $fields) (i32.const 0) (i32.const 0) (i32.wrap_i64 (local.get $ends)) (i32.const 64))
          (drop (call $status (i32.load (i32.const 64)) (global.get $status)))
          (call $drop-sent (i32.load (i32.const 68)))
          (drop (call $write (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))) (i32.const 128)))
          (call $return (i32.const 0) (i32.load (i32.const 64)) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
          {behind})
        """,
        ("drop-request", "drop http/types request"),
        ("fields", "http/types#[constructor]fields"),
        ("append", "http/types#[method]fields.append"),
        ("response", "http/types#[static]response.new"),
        ("status", "http/types#[method]response.set-status-code"),
        ("wait", "clocks/monotonic-clock#wait-for"))));

    private static readonly WasiHttpHandlerOptions Kept = new() { KeptInstances = 1, MaximumConcurrency = 1, Timeout = Eventually.Patience };

    private static async Task<int[]> Statuses(ServedGuest guest, int count)
    {
        int[] all = new int[count];
        for (int i = 0; i < count; i++) all[i] = await guest.Status($"/{i}");
        return all;
    }

    [Fact]
    public async Task InstancesAreKept()
    {
        await using ServedGuest guest = await ServedGuest.Start(Guest("", "(call $wait (i64.const 1000000))"), Kept);
        int[] statuses = await Statuses(guest, 3);
        Assert.Equal([201, 202, 203], statuses);
        Assert.Empty(guest.Failures);
    }

    /// <summary>The trap belongs to the request whose task it was, which has its response by then. The next one has a fresh instance.</summary>
    [Theory]
    [InlineData("(call $wait (i64.const 1000000))")]
    [InlineData("")]
    public async Task ATrapBehindTheResponseIsOfItsRequest(string wait)
    {
        await using ServedGuest guest = await ServedGuest.Start(
            Guest("", $"(if (i32.eq (global.get $count) (i32.const 2)) (then {wait} (unreachable)))"), Kept);
        // Without a wait the trap may come before the response has been sent: a server does not send what its guest has not stood by.
        int[] expected = wait.Length == 0 ? [201, 500, 201, 500, 201] : [201, 202, 201, 202, 201];
        Assert.Equal(expected, await Statuses(guest, 5));
        Assert.Equal(["/1", "/3"], guest.Failures.Select(f => f.Request.Split(' ')[^1]));
        Assert.All(guest.Failures, f => Assert.Equal(TrapKind.Unreachable, Assert.IsType<TrapException>(f.Reason).Kind));
    }

    /// <summary>What a task does behind its response is done on the fuel of its request.</summary>
    [Fact]
    public async Task ATaskThatGoesOnIsStopped()
    {
        await using ServedGuest guest = await ServedGuest.Start(
            Guest("", "(if (i32.eq (global.get $count) (i32.const 2)) (then (call $wait (i64.const 1000000)) (loop $on (br $on))))"), Kept with { Fuel = 100_000 });
        int[] statuses = await Statuses(guest, 3);
        Assert.Equal([201, 202, 201], statuses);
        (string request, Exception reason) = Assert.Single(guest.Failures);
        Assert.Equal(("GET /1", TrapKind.OutOfFuel), (request, Assert.IsType<TrapException>(reason).Kind));
    }

    /// <summary>What a server does not send, since the header says otherwise, is an error of this one request, whatever the server says it with.</summary>
    [Fact]
    public async Task AResponseThatCannotBeCompletedIsAnError()
    {
        await using ServedGuest guest = await ServedGuest.Start(
            Guest("""
                (if (i32.eq (global.get $count) (i32.const 2)) (then
                  (global.set $status (i32.const 204))
                  (call $append (global.get $fields) (i32.const 512) (i32.const 14) (i32.const 526) (i32.const 1) (i32.const 64))))
                """, ""),
            Kept);
        int[] statuses = await Statuses(guest, 3);
        Assert.Equal((201, 203), (statuses[0], statuses[2]));
        Assert.IsType<InvalidOperationException>(await guest.Failure());
    }
}
