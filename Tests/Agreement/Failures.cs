using System.Text.RegularExpressions;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>What Wasmtime says when something fails.</summary>
internal static partial class Failures
{
    /// <summary>The suite's words for traps, and the package's.</summary>
    private static readonly (string Words, W.TrapCode Code)[] Traps =
    [
        ("integer divide by zero", W.TrapCode.IntegerDivisionByZero),
        ("integer overflow", W.TrapCode.IntegerOverflow),
        ("invalid conversion to integer", W.TrapCode.BadConversionToInteger),
        ("unreachable", W.TrapCode.Unreachable),
        ("out of bounds memory access", W.TrapCode.MemoryOutOfBounds),
        ("out of bounds table access", W.TrapCode.TableOutOfBounds),
        ("undefined element", W.TrapCode.TableOutOfBounds),
        ("undefined", W.TrapCode.TableOutOfBounds),
        ("uninitialized element", W.TrapCode.IndirectCallToNull),
        ("uninitialized", W.TrapCode.IndirectCallToNull),
        ("indirect call", W.TrapCode.BadSignature),
        ("out of bounds array access", W.TrapCode.ArrayOutOfBounds),
        ("cast failure", W.TrapCode.CastFailure),
        ("null", W.TrapCode.NullReference),
        ("unaligned atomic", W.TrapCode.HeapMisaligned),
        ("expected shared memory", W.TrapCode.AtomicWaitNonSharedMemory),
        ("call stack exhausted", W.TrapCode.StackOverflow),
    ];

    /// <summary>Whether a failure is the one that a command expects.</summary>
    internal static bool Agree(string kind, string message, W.WasmtimeException e) => kind switch
    {
        "assert_trap" or "assert_exhaustion" =>
            e is W.TrapException trap && Traps.First(t => message.StartsWith(t.Words, StringComparison.Ordinal)).Code == trap.Type,
        "assert_exception" => e.Message.Contains("thrown Wasm exception", StringComparison.Ordinal),
        _ => e is not W.TrapException,
    };

    /// <summary>The innermost cause in one line, without addresses and offsets.</summary>
    internal static string Reason(W.WasmtimeException e)
    {
        string last = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
        return Offset().Replace(last, "");
    }

    [GeneratedRegex(@" \(at offset 0x[0-9a-f]+\)|^(\d+: )?Invalid input WebAssembly code at offset \d+: |^\d+: ")]
    private static partial Regex Offset();

    internal static string KindOf(W.Export export) => export switch
    {
        W.FunctionExport => "Func",
        W.TableExport => "Table",
        W.MemoryExport => "Memory",
        W.GlobalExport => "Global",
        _ => "Tag",
    };
}
