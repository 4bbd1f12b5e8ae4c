using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Runtime;

/// <summary>How generated code and its helpers trap. Each thrower is a call that never returns, which the JIT moves out of line.</summary>
internal static class Trap
{
    internal static string Text(TrapKind kind) => kind switch
    {
        TrapKind.Unreachable => "unreachable",
        TrapKind.OutOfBoundsMemoryAccess => "out of bounds memory access",
        TrapKind.OutOfBoundsTableAccess => "out of bounds table access",
        TrapKind.OutOfBoundsArrayAccess => "out of bounds array access",
        TrapKind.IntegerDivideByZero => "integer divide by zero",
        TrapKind.IntegerOverflow => "integer overflow",
        TrapKind.InvalidConversionToInteger => "invalid conversion to integer",
        TrapKind.UndefinedElement => "undefined element",
        TrapKind.UninitializedElement => "uninitialized element",
        TrapKind.IndirectCallTypeMismatch => "indirect call type mismatch",
        TrapKind.CallStackExhausted => "call stack exhausted",
        TrapKind.NullReference => "null reference",
        TrapKind.NullFunctionReference => "null function reference",
        TrapKind.NullStructureReference => "null structure reference",
        TrapKind.NullArrayReference => "null array reference",
        TrapKind.NullI31Reference => "null i31 reference",
        TrapKind.NullExceptionReference => "null exception reference",
        TrapKind.NullDescriptorReference => "null descriptor reference",
        TrapKind.CastFailure => "cast failure",
        TrapKind.DescriptorCastFailure => "descriptor cast failure",
        TrapKind.UnalignedAtomic => "unaligned atomic",
        TrapKind.ExpectedSharedMemory => "expected shared memory",
        TrapKind.MalformedModule => "malformed module",
        TrapKind.InvalidModule => "invalid module",
        TrapKind.ModuleTypeMismatch => "module type mismatch",
        TrapKind.UnlinkableModule => "unlinkable module",
        TrapKind.NullModuleReference => "null module reference",
        TrapKind.NullInstanceReference => "null instance reference",
        TrapKind.NullMemoryReference => "null memory reference",
        TrapKind.NullTableReference => "null table reference",
        TrapKind.NullGlobalReference => "null global reference",
        TrapKind.NullSliceReference => "null slice reference",
        TrapKind.OutOfBoundsSliceAccess => "out of bounds slice access",
        TrapKind.ReadOnlySlice => "read-only slice",
        TrapKind.RuntimeCompileNotAllowed => "runtime compile not allowed",
        TrapKind.QuotaExceeded => "quota exceeded",
        TrapKind.UnknownImport => "unknown import called",
        TrapKind.OutOfFuel => "out of fuel",
        TrapKind.OutOfMemory => "out of memory",
        TrapKind.ComponentModel => "rule of the component model",
        TrapKind.NotTheOwner => "not the owner",
        TrapKind.DroppedFunction => "dropped function",
    };

    /// <summary>The exception of the operator at an offset in the module's bytes, for <c>throw</c> in generated code.</summary>
    internal static TrapException Unreachable(int at) => new(TrapKind.Unreachable) { At = at };

    /// <summary>The exception of a trap.</summary>
    internal static TrapException Make(TrapKind kind) => new(kind);

    internal static TrapException Make(TrapKind kind, string? detail) => new(kind, detail);

    [DoesNotReturn]
    internal static void Throw(TrapKind kind) => throw new TrapException(kind);

    [DoesNotReturn]
    internal static void OutOfBoundsMemory() => throw new TrapException(TrapKind.OutOfBoundsMemoryAccess);

    /// <summary>The detail of a trap on a memory that code which leaves its checks to guard pages must not reach.</summary>
    internal const string NoGuardPages = "the memory has no guard pages";

    [DoesNotReturn]
    internal static void UnguardedMemory() => throw new TrapException(TrapKind.OutOfBoundsMemoryAccess, NoGuardPages);

    [DoesNotReturn]
    internal static void UnalignedAtomic() => throw new TrapException(TrapKind.UnalignedAtomic);

    [DoesNotReturn]
    internal static void IntegerDivideByZero() => throw new TrapException(TrapKind.IntegerDivideByZero);

    [DoesNotReturn]
    internal static void IntegerOverflow() => throw new TrapException(TrapKind.IntegerOverflow);

    [DoesNotReturn]
    internal static void InvalidConversion() => throw new TrapException(TrapKind.InvalidConversionToInteger);

    [DoesNotReturn]
    internal static void NullFunction() => throw new TrapException(TrapKind.NullFunctionReference);
}
