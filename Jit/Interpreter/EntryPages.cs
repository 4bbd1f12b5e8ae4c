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
    private static readonly Lock Gate = new();
    private static readonly nint[][] AllPages = [[], [], [], []];

    /// <summary>The entries that make tail calls, once they have been needed.</summary>
    private static readonly System.Reflection.Emit.DynamicMethod?[] TailEntries = new System.Reflection.Emit.DynamicMethod?[2];

    /// <summary>The stub of a number.</summary>
    /// <param name="number">The number.</param>
    /// <param name="returnsFloat">Whether the function's result is a float.</param>
    /// <param name="tails">Whether the entry makes tail calls.</param>
    internal static nint For(int number, bool returnsFloat, bool tails)
    {
        int block = number / StubCode.PerPage;
        lock (Gate)
        {
            ref nint[] pages = ref AllPages[(returnsFloat ? 1 : 0) + (tails ? 2 : 0)];
            if (block >= pages.Length) Array.Resize(ref pages, Math.Max(block + 1, pages.Length * 2));
            if (pages[block] == 0)
                pages[block] = StubCode.MakePage(InterpreterCalls.NumberRegister, isFloat: true, Target(returnsFloat, tails), block * StubCode.PerPage);
            return pages[block] + (number % StubCode.PerPage * StubCode.StubSize);
        }
    }

    private static nint Target(bool returnsFloat, bool tails)
    {
        if (!tails) return returnsFloat ? InterpreterCalls.EnterForFloat : InterpreterCalls.EnterForInteger;
        return CodeAddress.Of(TailEntries[returnsFloat ? 1 : 0] ??= CallShapes.MakeSharedEntry(returnsFloat));
    }
}
