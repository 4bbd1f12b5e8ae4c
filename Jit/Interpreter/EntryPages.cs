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

    /// <summary>How many pages are made at a time, but for the first, which serves most modules: publishing takes longer than writing.</summary>
    private const int PagesAtATime = 16;

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
            if (block >= pages.Length || pages[block] == 0) Make(ref pages, block, Target(returnsFloat, tails));
            return pages[block] + (number % StubCode.PerPage * StubCode.StubSize);
        }
    }

    private static void Make(ref nint[] pages, int block, nint target)
    {
        int begin = block == 0 ? 0 : Math.Max(1, block & -PagesAtATime), end = block == 0 ? 1 : (block | (PagesAtATime - 1)) + 1;
        if (end > pages.Length) Array.Resize(ref pages, Math.Max(end, pages.Length * 2));
        nint at = StubCode.MakePages(InterpreterCalls.NumberRegister, isFloat: true, target, begin * StubCode.PerPage, end - begin);
        for (int page = begin; page < end; page++) pages[page] = at + ((page - begin) * StubCode.PageSize);
    }

    private static nint Target(bool returnsFloat, bool tails)
    {
        if (!tails) return returnsFloat ? InterpreterCalls.EnterForFloat : InterpreterCalls.EnterForInteger;
        return CodeAddress.Of(TailEntries[returnsFloat ? 1 : 0] ??= CallShapes.MakeSharedEntry(returnsFloat));
    }
}
