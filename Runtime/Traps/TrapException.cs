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
    /// <summary>A table, array or segment larger than the system can hold; what the guest's own allocator has no room for.</summary>
    OutOfMemory,
    /// <summary>A component broke a rule of the component model: of values, handles, or calls between components. The message says which.</summary>
    ComponentModel,
    /// <summary><c>module.drop</c> or <c>func.drop</c> of a module or function that another instance has had compiled.</summary>
    NotTheOwner,
    /// <summary>A call of a function that the guest which made it has dropped.</summary>
    DroppedFunction,
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

    /// <summary>Where in the module's bytes the instruction is that trapped; -1 if only the frames can tell.</summary>
    internal int At { get; init; } = -1;

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
