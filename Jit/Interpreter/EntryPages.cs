using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// What cells hold for functions that the interpreter runs, where the calling convention has methods for all signatures
/// (<see cref="InterpreterCalls"/>): a few machine instructions that put the function's number among the module's own into a
/// register and jump there. They depend on nothing but the number and the kind of result, and live as long as the process.
/// </summary>
internal static class EntryPages
{
    private const int PerPage = 255, PageSize = 4096, StubSize = 16;

    private static readonly Lock Gate = new();
    private static readonly nint[][] AllPages = [[], [], [], []];

    /// <summary>The entries that make tail calls, while somebody has needed them.</summary>
    private static readonly System.Reflection.Emit.DynamicMethod?[] TailEntries = new System.Reflection.Emit.DynamicMethod?[2];

    /// <summary>The stub of a number.</summary>
    /// <param name="number">The number.</param>
    /// <param name="returnsFloat">Whether the function's result is a float.</param>
    /// <param name="tails">Whether the entry makes tail calls.</param>
    internal static nint For(int number, bool returnsFloat, bool tails)
    {
        int block = number / PerPage;
        lock (Gate)
        {
            ref nint[] pages = ref AllPages[(returnsFloat ? 1 : 0) + (tails ? 2 : 0)];
            if (block >= pages.Length) Array.Resize(ref pages, Math.Max(block + 1, pages.Length * 2));
            if (pages[block] == 0) pages[block] = MakePage(block * PerPage, Target(returnsFloat, tails));
            return pages[block] + (number % PerPage * StubSize);
        }
    }

    private static nint Target(bool returnsFloat, bool tails)
    {
        if (!tails) return returnsFloat ? InterpreterCalls.EnterForFloat : InterpreterCalls.EnterForInteger;
        return CodeAddress.Of(TailEntries[returnsFloat ? 1 : 0] ??= CallShapes.MakeSharedEntry(returnsFloat));
    }

    private static nint MakePage(int first, nint target)
    {
        Span<byte> code = stackalloc byte[PageSize];
        for (int i = 0; i < code.Length; i++) code[i] = 0xcc;
        BitConverter.TryWriteBytes(code[(PerPage * StubSize)..], target);
        for (int i = 0; i < PerPage; i++)
        {
            Span<byte> stub = code.Slice(i * StubSize, StubSize);
            stub[0] = 0xb8; // mov eax, imm32
            BitConverter.TryWriteBytes(stub[1..], first + i);
            ReadOnlySpan<byte> move = [0x66, 0x0f, 0x6e, 0xc0 | (InterpreterCalls.NumberRegister << 3)]; // movd xmm7, eax
            move.CopyTo(stub[5..]);
            stub[9] = 0xff; // jmp [rip + distance to the last 16 bytes of the page]
            stub[10] = 0x25;
            BitConverter.TryWriteBytes(stub[11..], ((PerPage - i) * StubSize) - 15);
        }
        return Pages.PublishCode(code);
    }
}
