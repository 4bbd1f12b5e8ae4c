using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Which IL a method's machine code was made of. The runtime tells that for frames of exceptions alone, so an exception is made whose list of frames
/// names the places in question. For DynamicMethods it does not know.
/// </summary>
/// <remarks>
/// Safe because the list is a managed array of numbers that only the runtime's own reader gets. It is used if the reader gives back, for a method whose
/// frame is known, what was written into the list; the methods named in it are alive.
/// </remarks>
internal static class DebugOffsets
{
    /// <summary>The list: a header with the number of frames and that of objects that it keeps alive, then frames of four words: address, stack pointer, method, flags.</summary>
    private const int Header = 16, Frame = 32, KeptAt = 4, MethodAt = 16, FlagsAt = 24;

    private static readonly FieldInfo? List = typeof(Exception).GetField("_stackTrace", BindingFlags.Instance | BindingFlags.NonPublic);

    private static readonly byte[]? Template = Find();

    /// <summary>Whether the runtime's list has the form that is known.</summary>
    internal static bool IsSupported => Template is not null;

    /// <summary>The offsets in a method's IL for offsets in its machine code, -1 where there is none; null if they cannot be found out.</summary>
    /// <param name="method">The method.</param>
    /// <param name="code">Where its code begins.</param>
    /// <param name="offsets">Offsets of instructions.</param>
    internal static int[]? Of(MethodBase method, nint code, ReadOnlySpan<int> offsets)
    {
        if (Template is not { } template) return null;
        return Ask(template, method.MethodHandle.Value, code, offsets, frame => frame.GetILOffset());
    }

    private static int[]? Ask(byte[] template, nint method, nint code, ReadOnlySpan<int> offsets, Func<StackFrame, int> read)
    {
        byte[] list = new byte[Header + (offsets.Length * Frame)];
        template.AsSpan(0, Header).CopyTo(list);
        BitConverter.TryWriteBytes(list, offsets.Length);
        BitConverter.TryWriteBytes(list.AsSpan(KeptAt), 0);
        for (int i = 0; i < offsets.Length; i++)
        {
            Span<byte> frame = list.AsSpan(Header + (i * Frame), Frame);
            template.AsSpan(Header, Frame).CopyTo(frame);
            // An address is taken for the one behind a call.
            BitConverter.TryWriteBytes(frame, code + offsets[i] + 1);
            BitConverter.TryWriteBytes(frame[MethodAt..], method);
        }
        var exception = new InvalidOperationException();
        List!.SetValue(exception, Unsafe.As<sbyte[]>(list));
        var trace = new StackTrace(exception, false);
        if (trace.FrameCount != offsets.Length) return null;
        int[] found = new int[offsets.Length];
        for (int i = 0; i < found.Length; i++) found[i] = read(trace.GetFrame(i)!);
        return found;
    }

    /// <summary>Looks at the list of a real exception. Null if it does not have the known form.</summary>
    private static byte[]? Find()
    {
        if (List is null || !Environment.Is64BitProcess) return null;
        try
        {
            Exception thrown = Caught();
            StackFrame? known = new StackTrace(thrown, false).GetFrame(0);
            object? value = List.GetValue(thrown);
            if (value is object?[] withKept && withKept.GetType() == typeof(object[])) value = withKept.Length > 0 ? withKept[0] : null;
            if (value is not sbyte[] { Length: >= Header + Frame } signed || known?.GetMethod() is not { } method) return null;
            byte[] bytes = [.. Unsafe.As<byte[]>(signed).AsSpan(0, Header + Frame)];
            nint handle = method.MethodHandle.Value;
            if (BitConverter.ToInt32(bytes) < 1 || BitConverter.ToInt64(bytes, Header + MethodAt) != handle) return null;
            int native = known.GetNativeOffset();
            nint code = (nint)BitConverter.ToInt64(bytes, Header) - native;
            // No flags: the address is one behind a call.
            bytes.AsSpan(Header + FlagsAt, sizeof(int)).Clear();
            int[]? back = Ask(bytes, handle, code, [native - 1, 0], frame => frame.GetNativeOffset());
            return back is [var first, 1] && first == native ? bytes : null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            return null;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Exception Caught()
    {
        try
        {
            throw new InvalidOperationException();
        }
        catch (InvalidOperationException e)
        {
            return e;
        }
    }
}
