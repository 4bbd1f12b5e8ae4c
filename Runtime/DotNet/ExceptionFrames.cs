using System.Diagnostics;
using System.Reflection;
using System.Text;

namespace WasmJit.Runtime;

/// <summary>
/// The frames that an exception has come through, of which a few are looked at. <see cref="StackTrace"/> makes an object of a kilobyte of each frame,
/// and a stack that is used up has hundreds of thousands. So this reads the runtime's own list, and resolves only the frames in question. Where that
/// list cannot be read, it uses StackTrace.
/// </summary>
internal readonly struct ExceptionFrames
{
    /// <summary>How many frames at each end of a deep stack are kept.</summary>
    internal const int KeptAtEachEnd = 50;

    private static readonly Access? List = Access.Find();

    private readonly object? helper;
    private readonly StackTrace? trace;
    private readonly Exception exception;

    internal ExceptionFrames(Exception exception)
    {
        this.exception = exception;
        helper = List?.Read(exception);
        trace = helper is null ? new StackTrace(exception, false) : null;
        Count = helper is null ? trace!.FrameCount : List!.Count(helper);
    }

    /// <summary>Whether the runtime's own list is read.</summary>
    internal static bool IsShort => List is not null;

    internal int Count { get; }

    /// <summary>The method of a frame, innermost first; null if it is not known.</summary>
    internal MethodBase? MethodAt(int index) =>
        index >= Count ? null : helper is null ? trace!.GetFrame(index)?.GetMethod() : List!.Method(helper, index);

    /// <summary>Where in the method's machine code a frame is; -1 if that is not known.</summary>
    internal int OffsetAt(int index) =>
        index >= Count ? -1 : helper is null ? trace!.GetFrame(index)?.GetNativeOffset() ?? -1 : List!.Offset(helper, index);

    /// <summary>What the instruction does that has faulted in a frame; null if the frame has called.</summary>
    internal CodeKind? FaultAt(int index) =>
        index > 0 ? null : exception is NullReferenceException ? CodeKind.Other : exception is DivideByZeroException or OverflowException ? CodeKind.Divide : null;

    /// <summary>Where in a module's bytes the innermost frame is, if the exception itself knows; otherwise -1.</summary>
    internal int TrappedAt(int index)
    {
        if (exception is not TrapException { At: >= 0 } trap) return -1;
        // Frames of the engine's own methods, which make the exception, may come first.
        for (int i = 0; i < index; i++)
            if (WasmStackTrace.IsGenerated(MethodAt(i)?.Name)) return -1;
        return trap.At;
    }

    /// <summary>The text of a stack trace: all of it, or both ends.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="whole">Makes the whole text.</param>
    internal static string? Text(Exception exception, Func<string?> whole)
    {
        // Exceptions that were not thrown have none.
        var frames = new ExceptionFrames(exception);
        if (frames.Count <= 4 * KeptAtEachEnd) return InterpretedStack.Complete(exception, whole());
        var text = new StringBuilder();
        for (int i = 0; i < frames.Count; i++)
        {
            if (i == KeptAtEachEnd)
            {
                int left = frames.Count - (2 * KeptAtEachEnd);
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"   ... {left} frames").AppendLine();
                i += left;
            }
            MethodBase? method = frames.MethodAt(i);
            text.Append("   at ").Append(method?.DeclaringType is { } type ? $"{type.FullName}." : "").Append(method?.Name ?? "?").AppendLine();
        }
        return text.ToString();
    }

    /// <summary>The runtime's list of frames, which is internal: found by name, for all versions that have it in this form.</summary>
    private sealed class Access
    {
        private readonly ConstructorInfo make;
        private readonly MethodInfo fill, count, method;
        private readonly MethodInfo? offset;
        private readonly int exceptionAt, skipAt, filesAt;

        private Access(ConstructorInfo make, MethodInfo fill, MethodInfo count, MethodInfo method, MethodInfo? offset)
        {
            this.make = make;
            this.fill = fill;
            this.count = count;
            this.method = method;
            this.offset = offset;
            Type[] types = [.. fill.GetParameters().Select(p => p.ParameterType)];
            exceptionAt = Array.IndexOf(types, typeof(Exception));
            skipAt = Array.IndexOf(types, typeof(int));
            filesAt = Array.IndexOf(types, typeof(bool));
            if (exceptionAt < 0 || filesAt < 0 || types.Length != (skipAt < 0 ? 2 : 3)) throw new MissingMethodException();
        }

        internal static Access? Find()
        {
            try
            {
                const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
                if (typeof(object).Assembly.GetType("System.Diagnostics.StackFrameHelper") is not { } type) return null;
                ConstructorInfo? make = type.GetConstructor(Any, []) ?? type.GetConstructor(Any, [typeof(Thread)]);
                MethodInfo? fill = type.GetMethod("InitializeSourceInfo", Any);
                MethodInfo? count = type.GetMethod("GetNumberOfFrames", Any), method = type.GetMethod("GetMethodBase", Any, [typeof(int)]);
                return make is null || fill is null || count is null || method is null ? null : new Access(make, fill, count, method, type.GetMethod("GetOffset", Any, [typeof(int)]));
            }
            catch (Exception e) when (e is AmbiguousMatchException or MissingMethodException)
            {
                return null;
            }
        }

        internal object Read(Exception exception)
        {
            object helper = make.Invoke(new object?[make.GetParameters().Length]);
            var arguments = new object?[skipAt < 0 ? 2 : 3];
            arguments[exceptionAt] = exception;
            arguments[filesAt] = false;
            if (skipAt >= 0) arguments[skipAt] = 0;
            fill.Invoke(helper, arguments);
            return helper;
        }

        internal int Count(object helper) => (int)count.Invoke(helper, null)!;

        internal int Offset(object helper, int index) => offset is null ? -1 : (int)offset.Invoke(helper, [index])!;

        internal MethodBase? Method(object helper, int index) => (MethodBase?)method.Invoke(helper, [index]);
    }
}
