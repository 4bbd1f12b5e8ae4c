using System.Reflection;

namespace WasmJit.Runtime;

/// <summary>Reads the wasm frames out of .NET stack traces: generated methods carry the names of their functions.</summary>
internal static class WasmStackTrace
{
    /// <summary>The beginning of the name of every generated function. The module's and the function's name follow, with '!' between them.</summary>
    internal const string Prefix = "wasm:";

    /// <summary>The same for functions in which an access through null is an access of a struct, or of an array.</summary>
    internal const string StructPrefix = "wasm-struct:", ArrayPrefix = "wasm-array:";

    internal static IReadOnlyList<WasmFrame> Of(Exception exception)
    {
        const int Ends = ExceptionFrames.KeptAtEachEnd;
        if (exception.InnerException is { } inner && Of(inner, Ends) is { Count: > 0 } found) return found.AsReadOnly();
        return Of(exception, Ends).AsReadOnly();
    }

    private static List<WasmFrame> Of(Exception exception, int ends)
    {
        var trace = new ExceptionFrames(exception);
        if (InterpretedStack.Of(exception) is { Count: > 0 } parts) return Of(trace, parts, ends);
        var frames = new List<WasmFrame>();
        // Frames of other code between those of functions are not counted: between both ends of a deep stack all frames count as functions.
        int first = 0;
        for (; first < trace.Count && (frames.Count < ends || trace.Count - first <= 3 * ends); first++)
            Add(frames, trace, first);
        if (first == trace.Count) return frames;
        var last = new List<WasmFrame>();
        int at = trace.Count - 1;
        for (; at >= first && last.Count < ends; at--)
            Add(last, trace, at);
        if (at >= first) frames.Add(WasmFrame.Left(at - first + 1));
        last.Reverse();
        frames.AddRange(last);
        return frames;
    }

    /// <summary>The same with the functions of interpreter runs in place of the runs' frames.</summary>
    private static List<WasmFrame> Of(in ExceptionFrames trace, List<InterpretedStack.Part> parts, int ends)
    {
        // Runs that were noted at earlier throws of the exception come first. Their stack traces are gone.
        int next = 0, at = 0;
        if (RuntimeCode.IsCompiledWhole)
        {
            // Frames of .NET do not tell their methods, and none of them is a function.
            var all = new List<WasmFrame>();
            foreach (InterpretedStack.Part part in parts) part.AddTo(all, reversed: false);
            return Ends(all, ends);
        }
        if (trace.Count <= 4 * ends)
        {
            int runs = 0;
            for (int i = 0; i < trace.Count; i++)
                if (InterpretedStack.IsRun(trace.MethodAt(i))) runs++;
            next = Math.Max(0, parts.Count - runs);
        }
        var frames = new List<WasmFrame>();
        for (; at < trace.Count && (frames.Count < ends || trace.Count - at <= 3 * ends); at++)
        {
            if (!InterpretedStack.IsRun(trace.MethodAt(at))) Add(frames, trace, at);
            else if (next < parts.Count) parts[next++].AddTo(frames, reversed: false);
        }
        if (at == trace.Count) return Ends(frames, ends);
        var last = new List<WasmFrame>();
        int end = trace.Count - 1;
        next = parts.Count - 1;
        for (; end >= at && last.Count < ends; end--)
        {
            if (!InterpretedStack.IsRun(trace.MethodAt(end))) Add(last, trace, end);
            else if (next >= 0) parts[next--].AddTo(last, reversed: true);
        }
        if (end >= at) frames.Add(WasmFrame.Left(end - at + 1));
        last.Reverse();
        frames.AddRange(last);
        return Ends(frames, ends);
    }

    /// <summary>Both ends of a stack of which parts have been left out, in runs of the interpreter or between them.</summary>
    private static List<WasmFrame> Ends(List<WasmFrame> frames, int ends)
    {
        int first = frames.FindIndex(f => f.Omitted > 0), last = frames.FindLastIndex(f => f.Omitted > 0);
        if (first < 0) return frames;
        first = Math.Min(first, ends);
        last = Math.Max(last, frames.Count - 1 - ends);
        int left = 0;
        for (int i = first; i <= last; i++) left += Math.Max(frames[i].Omitted, 1);
        frames.RemoveRange(first, last - first + 1);
        frames.Insert(first, WasmFrame.Left(left));
        return frames;
    }

    private static void Add(List<WasmFrame> frames, in ExceptionFrames trace, int index)
    {
        MethodBase? method = trace.MethodAt(index);
        if (Parse(method?.Name) is { } parsed) frames.Add(parsed.With(new CompiledFrame(method!, trace.OffsetAt(index), trace.FaultAt(index), trace.TrappedAt(index))));
    }

    internal static WasmFrame? Parse(string? name)
    {
        if (!IsGenerated(name)) return null;
        int colon = name!.IndexOf(':'), bang = name.IndexOf('!');
        return new WasmFrame(bang == colon + 1 ? null : name[(colon + 1)..bang], name[(bang + 1)..]);
    }

    internal static bool IsGenerated(string? name) =>
        name is not null && name.StartsWith("wasm", StringComparison.Ordinal)
        && (name.StartsWith(Prefix, StringComparison.Ordinal) || name.StartsWith(StructPrefix, StringComparison.Ordinal)
            || name.StartsWith(ArrayPrefix, StringComparison.Ordinal));

    /// <summary>The kind of null in the function where a null dereference happened that was not an access to a memory.</summary>
    internal static TrapKind NullKind(Exception exception)
    {
        string? name = new ExceptionFrames(exception).MethodAt(0)?.Name;
        if (name is null) return TrapKind.NullReference;
        return name.StartsWith(StructPrefix, StringComparison.Ordinal) ? TrapKind.NullStructureReference
            : name.StartsWith(ArrayPrefix, StringComparison.Ordinal) ? TrapKind.NullArrayReference
            : TrapKind.NullReference;
    }

    /// <summary>Whether generated code threw the exception, itself or through a helper of the .NET runtime.</summary>
    internal static bool IsFromGuestCode(Exception exception)
    {
        var frames = new ExceptionFrames(exception);
        for (int i = 0; i < frames.Count; i++)
        {
            if (frames.MethodAt(i) is not { } method) return false;
            if (IsGenerated(method.Name) || InterpretedStack.IsRun(method)) return true;
            Type? type = method.DeclaringType;
            if (type?.Assembly == typeof(WasmStackTrace).Assembly) continue;
            if (!DotNetHelpers.Has(type)) return false;
        }
        return false;
    }

    /// <summary>Whether the innermost frame of an exception is generated code, or a helper that touches memory for it.</summary>
    internal static bool IsFromGuest(Exception exception, bool helpersToo = false)
    {
        var frames = new ExceptionFrames(exception);
        int at = 0;
        if (helpersToo)
            while (IsAccess(frames.MethodAt(at)?.DeclaringType)) at++;
        if (frames.MethodAt(at) is not { } method) return false;
        return IsGenerated(method.Name)
            || (helpersToo && method.DeclaringType?.Assembly == typeof(WasmStackTrace).Assembly);
    }

    /// <summary>
    /// Whether a type of .NET has methods that are an access to memory. In optimised code they are instructions of their caller; where the JIT does not
    /// optimise, they are called, and fault themselves.
    /// </summary>
    private static bool IsAccess(Type? type) =>
        type is not null && type.Assembly == typeof(object).Assembly
        && (type == typeof(Interlocked) || type == typeof(Volatile) || type == typeof(System.Runtime.CompilerServices.Unsafe)
            || type.Namespace?.StartsWith("System.Runtime.Intrinsics", StringComparison.Ordinal) == true);
}
