using System.Reflection;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>Why a guest trapped.</summary>
public enum TrapKind
{
    /// <summary>An <c>unreachable</c> instruction.</summary>
    Unreachable,
    /// <summary>An access beyond a linear memory.</summary>
    OutOfBoundsMemoryAccess,
    /// <summary>An access beyond a table or an element segment.</summary>
    OutOfBoundsTableAccess,
    /// <summary>An access beyond an array of the garbage-collected heap.</summary>
    OutOfBoundsArrayAccess,
    /// <summary>Division or remainder by zero.</summary>
    IntegerDivideByZero,
    /// <summary>A quotient or a truncated float that its type cannot hold.</summary>
    IntegerOverflow,
    /// <summary>Truncation of NaN.</summary>
    InvalidConversionToInteger,
    /// <summary><c>call_indirect</c> beyond the table.</summary>
    UndefinedElement,
    /// <summary><c>call_indirect</c> of an empty slot.</summary>
    UninitializedElement,
    /// <summary><c>call_indirect</c> of a function of another type.</summary>
    IndirectCallTypeMismatch,
    /// <summary>The stack of the thread is used up.</summary>
    CallStackExhausted,
    /// <summary>A null reference where none may be.</summary>
    NullReference,
    /// <summary>A call of a null function reference.</summary>
    NullFunctionReference,
    /// <summary>A field of a null struct.</summary>
    NullStructureReference,
    /// <summary>An element or the length of a null array.</summary>
    NullArrayReference,
    /// <summary>The number of a null i31.</summary>
    NullI31Reference,
    /// <summary><c>throw_ref</c> of null.</summary>
    NullExceptionReference,
    /// <summary>A null descriptor (custom-descriptors).</summary>
    NullDescriptorReference,
    /// <summary><c>ref.cast</c> of an object of another type.</summary>
    CastFailure,
    /// <summary>A descriptor other than the one asked for (custom-descriptors).</summary>
    DescriptorCastFailure,
    /// <summary>An atomic access that is not aligned.</summary>
    UnalignedAtomic,
    /// <summary>An atomic wait on memory that is not shared.</summary>
    ExpectedSharedMemory,
    /// <summary><c>compile</c> of bytes that are not a module.</summary>
    MalformedModule,
    /// <summary><c>compile</c> of an invalid module.</summary>
    InvalidModule,
    /// <summary><c>compile</c> of a module of another type.</summary>
    ModuleTypeMismatch,
    /// <summary><c>instantiate</c> with imports that do not match.</summary>
    UnlinkableModule,
    /// <summary>A null module reference.</summary>
    NullModuleReference,
    /// <summary>A null instance reference.</summary>
    NullInstanceReference,
    /// <summary>A null reference to a memory.</summary>
    NullMemoryReference,
    /// <summary>A null reference to a table.</summary>
    NullTableReference,
    /// <summary>A null reference to a global.</summary>
    NullGlobalReference,
    /// <summary>A null slice.</summary>
    NullSliceReference,
    /// <summary>An access beyond a slice, or a slice that does not fit.</summary>
    OutOfBoundsSliceAccess,
    /// <summary>A write through a read-only slice.</summary>
    ReadOnlySlice,
    /// <summary>The host does not let guests compile.</summary>
    RuntimeCompileNotAllowed,
    /// <summary>A quota that the host has set is used up.</summary>
    QuotaExceeded,
    /// <summary>A call of an imported function that the host did not give; see <c>UnknownImports</c>.</summary>
    UnknownImport,
    /// <summary>The <see cref="Fuel"/> that the host gave is used up.</summary>
    OutOfFuel,
    /// <summary>A table, array or segment larger than the system can hold.</summary>
    OutOfMemory,
    /// <summary>A component broke a rule of the component model: of values, handles, or calls between components. The message says which.</summary>
    ComponentModel,
}

/// <summary>A frame of the wasm stack.</summary>
/// <param name="Module">The module's name, null if it has none.</param>
/// <param name="Function">The function's name, or its index as <c>func[7]</c>.</param>
public sealed record WasmFrame(string? Module, string Function)
{
    /// <summary>
    /// 0 for a function. A deep stack has only its first and last frames, and between them one frame that stands for so many.
    /// </summary>
    public int Omitted { get; internal init; }

    internal static WasmFrame Left(int count) => new(null, $"... {count} frames ...") { Omitted = count };

    /// <inheritdoc/>
    public override string ToString() => Module is null ? Function : $"{Module}!{Function}";
}

/// <summary>
/// A guest has trapped. The instance can be called again, with everything that the guest has written. Programs that keep a stack in memory, as those
/// in C and Rust do, have not put its pointer back.
/// </summary>
public sealed class TrapException : WasmJitException
{
    private IReadOnlyList<WasmFrame>? stack;

    internal TrapException(TrapKind kind, string? detail = null, Exception? inner = null)
        : base(detail is not null && kind == TrapKind.ComponentModel ? detail : detail is null ? Trap.Text(kind) : $"{Trap.Text(kind)}{(char.IsAsciiDigit(detail[0]) ? "" : ":")} {detail}", inner)
    {
        Kind = kind;
        WasmJitMetrics.Trapped(kind);
    }

    /// <summary>The same trap, which has been counted, without the frames.</summary>
    private TrapException(TrapException deep)
        : base(deep.Message)
    {
        Kind = deep.Kind;
        below = deep.WasmStack;
        isShortened = true;
    }

    /// <summary>The reason.</summary>
    public TrapKind Kind { get; }

    /// <summary>
    /// For <see cref="TrapKind.OutOfBoundsMemoryAccess"/> found by guard pages: the first address in the memory that could not be accessed. Otherwise
    /// null.
    /// </summary>
    public ulong? Address { get; internal init; }

    /// <summary>
    /// The guest's functions that were running, innermost first. A deep stack has both ends; see <see cref="WasmFrame.Omitted"/>.
    /// </summary>
    public IReadOnlyList<WasmFrame> WasmStack => stack ??= [.. below, .. WasmStackTrace.Of(this)];

    /// <summary>As for any exception, but a deep stack has only both ends.</summary>
    public override string? StackTrace => ExceptionFrames.Text(this, () => base.StackTrace);

    /// <summary>
    /// Whether the exception comes from the end of the stack through the frames of a guest. It holds them all, some megabytes.
    /// </summary>
    internal bool IsDeep => Kind == TrapKind.CallStackExhausted && !isShortened;

    private readonly bool isShortened;

    /// <summary>The frames up to where it was shortened.</summary>
    private readonly IReadOnlyList<WasmFrame> below = [];

    /// <summary>The same exception without the frames, of which it keeps both ends.</summary>
    internal TrapException Shortened() => new(this);
}

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
            if (Parse(trace.MethodAt(first)?.Name) is { } parsed) frames.Add(parsed);
        if (first == trace.Count) return frames;
        var last = new List<WasmFrame>();
        int at = trace.Count - 1;
        for (; at >= first && last.Count < ends; at--)
            if (Parse(trace.MethodAt(at)?.Name) is { } parsed) last.Add(parsed);
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
            MethodBase? method = trace.MethodAt(at);
            if (!InterpretedStack.IsRun(method)) Add(frames, method);
            else if (next < parts.Count) parts[next++].AddTo(frames, reversed: false);
        }
        if (at == trace.Count) return Ends(frames, ends);
        var last = new List<WasmFrame>();
        int end = trace.Count - 1;
        next = parts.Count - 1;
        for (; end >= at && last.Count < ends; end--)
        {
            MethodBase? method = trace.MethodAt(end);
            if (!InterpretedStack.IsRun(method)) Add(last, method);
            else if (next >= 0) parts[next--].AddTo(last, reversed: true);
        }
        if (end >= at) frames.Add(WasmFrame.Left(end - at + 1));
        last.Reverse();
        frames.AddRange(last);
        return Ends(frames, ends);
    }

    /// <summary>Both ends of a stack of which several parts have been left out, in runs of the interpreter and between them.</summary>
    private static List<WasmFrame> Ends(List<WasmFrame> frames, int ends)
    {
        int first = frames.FindIndex(f => f.Omitted > 0), last = frames.FindLastIndex(f => f.Omitted > 0);
        if (first == last) return frames;
        first = Math.Min(first, ends);
        last = Math.Max(last, frames.Count - 1 - ends);
        int left = 0;
        for (int i = first; i <= last; i++) left += Math.Max(frames[i].Omitted, 1);
        frames.RemoveRange(first, last - first + 1);
        frames.Insert(first, WasmFrame.Left(left));
        return frames;
    }

    private static void Add(List<WasmFrame> frames, MethodBase? method)
    {
        if (Parse(method?.Name) is { } parsed) frames.Add(parsed);
    }

    internal static WasmFrame? Parse(string? name)
    {
        if (!IsGenerated(name)) return null;
        int colon = name!.IndexOf(':'), bang = name.IndexOf('!');
        return new WasmFrame(bang == colon + 1 ? null : name[(colon + 1)..bang], name[(bang + 1)..]);
    }

    private static bool IsGenerated(string? name) =>
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
        if (new ExceptionFrames(exception).MethodAt(0) is not { } method) return false;
        return IsGenerated(method.Name)
            || (helpersToo && method.DeclaringType?.Assembly == typeof(WasmStackTrace).Assembly);
    }
}
