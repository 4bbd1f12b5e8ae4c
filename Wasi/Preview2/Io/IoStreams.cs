using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>stream-error</c>.</summary>
internal abstract record StreamError
{
    internal sealed record LastOperationFailed(ComponentResource Error) : StreamError;

    internal sealed record Closed : StreamError;
}

/// <summary><c>wasi:io/streams</c>.</summary>
internal static class IoStreamsInterface
{
    /// <summary>The most bytes of a write that waits.</summary>
    private const int MostBlocking = 4096;

    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("error", state.Types.Error);
        to.Add("pollable", state.Types.Pollable);
        AddInput(to, state);
        AddOutput(to, state);
    }

    private static void AddInput(InterfaceWriter to, WasiState state)
    {
        to.Add("input-stream", state.Types.InputStream);
        to.Add("[method]input-stream.read", (ComponentResource self, ulong count) => Read(state, self, count, false, static bytes => bytes));
        to.Add("[method]input-stream.blocking-read", (ComponentResource self, ulong count) => Read(state, self, count, true, static bytes => bytes));
        to.Add("[method]input-stream.skip", (ComponentResource self, ulong count) => Read(state, self, count, false, static bytes => (ulong)bytes.Length));
        to.Add("[method]input-stream.blocking-skip", (ComponentResource self, ulong count) => Read(state, self, count, true, static bytes => (ulong)bytes.Length));
        to.Add("[method]input-stream.subscribe", (ComponentResource self) => IoPollInterface.New(state, self.Get<InputStream>(), self.Get<InputStream>()));
    }

    private static ComponentResult<T, StreamError> Read<T>(WasiState state, ComponentResource self, ulong count, bool wait, Func<byte[], T> result)
    {
        InputStream stream = self.Get<InputStream>();
        if (stream.IsClosed) return Closed<T>();
        try
        {
            return Take(state, stream, count, wait) is { } bytes ? result(bytes) : Closed<T>();
        }
        catch (Exception e) when (SystemErrors.Of(e) is { } error)
        {
            stream.IsClosed = true;
            return Failed<T>(state, e, error);
        }
    }

    /// <summary>Bytes of a stream; null at its end.</summary>
    private static byte[]? Take(WasiState state, InputStream stream, ulong count, bool wait)
    {
        while (true)
        {
            if (stream.Read(count) is not { } bytes)
            {
                stream.IsClosed = true;
                return null;
            }
            if (bytes.Length > 0 || !wait || count == 0) return bytes;
            IoPollInterface.Wait(state.Waiter, stream);
        }
    }

    private static void AddOutput(InterfaceWriter to, WasiState state)
    {
        to.Add("output-stream", state.Types.OutputStream);
        to.Add("[method]output-stream.check-write", (ComponentResource self) => Do(state, self, static s => (ulong)s.CheckWrite()));
        to.Add("[method]output-stream.write", (ComponentResource self, byte[] bytes) => Do(state, self, s => s.Write(bytes)));
        to.Add("[method]output-stream.blocking-write-and-flush", (ComponentResource self, byte[] bytes) =>
        {
            CheckBlocking((ulong)bytes.Length);
            return Do(state, self, s => s.WriteAndFlush(bytes, state.Waiter));
        });
        to.Add("[method]output-stream.flush", (ComponentResource self) => Do(state, self, static s => s.Flush()));
        to.Add("[method]output-stream.blocking-flush", (ComponentResource self) => Do(state, self, s =>
        {
            s.Flush();
            s.WaitForFlush(state.Waiter);
        }));
        to.Add("[method]output-stream.subscribe", (ComponentResource self) => IoPollInterface.New(state, self.Get<OutputStream>(), self.Get<OutputStream>()));
        to.Add("[method]output-stream.write-zeroes", (ComponentResource self, ulong count) => Do(state, self, s =>
        {
            if (count > WasiState.MostBytes) throw ComponentTrap.Make("write of more than check-write has permitted");
            s.Write(new byte[count]);
        }));
        to.Add("[method]output-stream.blocking-write-zeroes-and-flush", (ComponentResource self, ulong count) =>
        {
            CheckBlocking(count);
            return Do(state, self, s => s.WriteAndFlush(new byte[count], state.Waiter));
        });
        to.Add("[method]output-stream.splice", (ComponentResource self, ComponentResource source, ulong count) => Splice(state, self, source, count, false));
        to.Add("[method]output-stream.blocking-splice", (ComponentResource self, ComponentResource source, ulong count) => Splice(state, self, source, count, true));
    }

    private static void CheckBlocking(ulong count)
    {
        if (count > MostBlocking) throw ComponentTrap.Make($"a blocking write may have {MostBlocking} bytes at most");
    }

    private static ComponentResult<NoValue, StreamError> Do(WasiState state, ComponentResource self, Action<OutputStream> action) => Do(state, self, s =>
    {
        action(s);
        return default(NoValue);
    });

    private static ComponentResult<T, StreamError> Do<T>(WasiState state, ComponentResource self, Func<OutputStream, T> action)
    {
        OutputStream stream = self.Get<OutputStream>();
        if (stream.IsClosed) return Closed<T>();
        try
        {
            return action(stream);
        }
        catch (Exception e) when (SystemErrors.Of(e) is { } error)
        {
            stream.IsClosed = true;
            return Failed<T>(state, e, error);
        }
    }

    /// <summary>Moves bytes from a stream to another: as many as are there and as there is room for.</summary>
    private static ComponentResult<ulong, StreamError> Splice(WasiState state, ComponentResource self, ComponentResource source, ulong count, bool wait)
    {
        ComponentResult<int, StreamError> room = Do(state, self, stream =>
        {
            int bytes;
            while ((bytes = stream.CheckWrite()) == 0 && wait && count > 0) IoPollInterface.Wait(state.Waiter, stream);
            return bytes;
        });
        if (!room.IsOk) return ComponentResult<ulong, StreamError>.Fail(room.Error);
        ComponentResult<byte[], StreamError> read = Read(state, source, Math.Min(count, (ulong)room.Value), wait, static bytes => bytes);
        if (!read.IsOk) return ComponentResult<ulong, StreamError>.Fail(read.Error);
        return Do(state, self, stream =>
        {
            stream.Write(read.Value);
            return (ulong)read.Value.Length;
        });
    }

    private static ComponentResult<T, StreamError> Closed<T>() => ComponentResult<T, StreamError>.Fail(new StreamError.Closed());

    /// <summary>The other end of a pipe is gone: that is how streams end.</summary>
    private static ComponentResult<T, StreamError> Failed<T>(WasiState state, Exception reason, Errno error) => error == Errno.Pipe ? Closed<T>()
        : ComponentResult<T, StreamError>.Fail(new StreamError.LastOperationFailed(state.Types.Error.New(new IoError(reason))));
}
