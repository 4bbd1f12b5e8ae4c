using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The machine code of stubs, a page for each 255. A page is freed when its <see cref="LazyStubs"/> are gone for good. It is not enough that nobody
/// refers to them, because finalizers may still call code that does, and may bring it back.
/// </summary>
/// <remarks>Unsafe: a page is released only when the object is gone that everybody has who can reach the page.</remarks>
internal static unsafe class StubPages
{
    /// <summary>How many stubs a page has.</summary>
    internal const int PerPage = 255;

    private const int PageSize = 4096;

    /// <summary>Fewer pages than this are not searched for unused ones.</summary>
    private const int LeastToSweep = 256;

    /// <summary>The encodings of <c>mov register, imm32</c> for the integer argument registers, System V convention.</summary>
    private static readonly byte[][] MoveToRegister = [[0xbf], [0xbe], [0xba], [0xb9], [0x41, 0xb8], [0x41, 0xb9]];

    private static readonly Lock Gate = new();
    private static readonly List<(WeakReference<LazyStubs> Owner, nint Page)> Pages = [];
    private static int sweepAt = LeastToSweep;

    /// <summary>How many pages there are.</summary>
    internal static int Count
    {
        get
        {
            lock (Gate)
            {
                Sweep();
                return Pages.Count;
            }
        }
    }

    /// <summary>Makes a page.</summary>
    /// <param name="owner">Who keeps it.</param>
    /// <param name="shape">What its functions are like.</param>
    /// <param name="target">Where all stubs go on.</param>
    /// <param name="first">The number of the first.</param>
    internal static nint Make(LazyStubs owner, StubShape shape, nint target, int first)
    {
        Span<byte> code = stackalloc byte[PageSize];
        Write(code, shape, target, first);
        lock (Gate)
        {
            if (Pages.Count >= sweepAt)
            {
                Sweep();
                sweepAt = Math.Max(LeastToSweep, Pages.Count * 2);
            }
            if (!Mappings.TryTakeNow(1)) throw Trap.Make(TrapKind.OutOfMemory, "the process has nearly as many mappings as the system allows");
            nint page = Runtime.Pages.PublishCode(code);
            Pages.Add((new WeakReference<LazyStubs>(owner, trackResurrection: true), page));
            return page;
        }
    }

    private static void Sweep()
    {
        Pages.RemoveAll(static item =>
        {
            if (item.Owner.TryGetTarget(out _)) return false;
            Runtime.Pages.Release((byte*)item.Page, PageSize);
            Mappings.Give(1);
            return true;
        });
    }

    private static void Write(Span<byte> code, StubShape shape, nint target, int first)
    {
        int integers = shape.IntegerArguments, floats = shape.FloatArguments;
        code.Fill(0xcc);
        BitConverter.TryWriteBytes(code[(PerPage * 16)..], target);
        for (int i = 0; i < PerPage; i++)
        {
            Span<byte> thunk = code.Slice(i * 16, 16);
            int at = 0;
            if (shape.UsesFloatRegister)
            {
                thunk[at++] = 0xb8; // mov eax, imm32
                BitConverter.TryWriteBytes(thunk[at..], first + i);
                at += 4;
                byte register = (byte)(0xc0 | (floats << 3));
                ReadOnlySpan<byte> move = [0x66, 0x0f, 0x6e, register]; // movd xmm, eax
                move.CopyTo(thunk[at..]);
                at += move.Length;
            }
            else
            {
                byte[] move = MoveToRegister[integers];
                move.CopyTo(thunk);
                at = move.Length;
                BitConverter.TryWriteBytes(thunk[at..], first + i);
                at += 4;
            }
            thunk[at] = 0xff; // jmp [rip + distance to the last 16 bytes of the page]
            thunk[at + 1] = 0x25;
            BitConverter.TryWriteBytes(thunk[(at + 2)..], (PerPage * 16) - (i * 16) - (at + 6));
        }
    }
}
