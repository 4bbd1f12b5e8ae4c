using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Runtime;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>
/// This engine and Wasmtime in one process, each with its own handler of faults: every fault arrives at the engine that caused it, whichever engine was first, with
/// a third handler before both, and null dereferences of the host stay what they are.
/// </summary>
internal static unsafe partial class SharedProcess
{
    private const string Text = """(module (memory (export "m") 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))""";

    private const int Rounds = 50;

    /// <summary>Prints how many faults arrived where.</summary>
    /// <param name="order">Who is first: <c>here</c> or <c>there</c>; with <c>-then-another</c>, a handler comes that only calls the one before.</param>
    /// <param name="output">Where.</param>
    internal static void Run(string order, TextWriter output)
    {
        Func<bool>? here = null;
        if (order.StartsWith("here", StringComparison.Ordinal)) (here = Here())();
        Func<bool> there = There();
        there();
        here ??= Here();
        if (order.EndsWith("-then-another", StringComparison.Ordinal)) InstallAnother();
        int ours = 0, theirs = 0, nulls = 0;
        for (int i = 0; i < Rounds; i++)
        {
            if (here()) ours++;
            if (there()) theirs++;
            if (IsNull()) nulls++;
        }
        output.WriteLine($"here {ours} there {theirs} null {nulls}");
    }

    /// <summary>The exit code of a process that <see cref="RunDeaf"/> has ended.</summary>
    internal const int Deaf = 7;

    /// <summary>With a handler that calls no other, an engine that compares causes no faults. Any other fault is the handler's: it ends the process.</summary>
    internal static void RunDeaf(TextWriter output)
    {
        Func<bool> here = Here(MemoryChecks.Explicit);
        // mov eax, exit_group; mov edi, 7; syscall
        Install([0xb8, 231, 0, 0, 0, 0xbf, Deaf, 0, 0, 0, 0x0f, 0x05]);
        int ours = 0;
        for (int i = 0; i < Rounds; i++) ours += here() ? 1 : 0;
        output.WriteLine($"here {ours}");
        IsNull();
    }

    private static Func<bool> Here(MemoryChecks checks = MemoryChecks.Guard)
    {
        var engine = new Engine(new EngineOptions { MemoryChecks = checks });
        Func<int, int> load = engine.CompileText(Text).Instantiate().GetExport<Func<int, int>>("load");
        return () =>
        {
            try
            {
                load(0);
                load(65536);
                return false;
            }
            catch (TrapException e)
            {
                return e.Kind == TrapKind.OutOfBoundsMemoryAccess && (!engine.UsesGuardPages || e.Address == 65536);
            }
        };
    }

    private static Func<bool> There()
    {
        var engine = new W.Engine();
        var store = new W.Store(engine);
        W.Module module = W.Module.FromBytes(engine, "load", Wat.ToBinary(Text));
        W.Instance instance = new W.Linker(engine).Instantiate(store, module);
        return () =>
        {
            try
            {
                instance.GetFunction("load")!.Invoke(65536);
                return false;
            }
            catch (W.TrapException e)
            {
                return e.Type == W.TrapCode.MemoryOutOfBounds;
            }
        };
    }

    private static bool IsNull()
    {
        try
        {
            Touch(null);
            return false;
        }
        catch (NullReferenceException)
        {
            return true;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Touch(int* at) => *at;

    /// <summary>A handler of x64 that jumps to the one that was there.</summary>
    private static void InstallAnother()
    {
        byte* action = stackalloc byte[256];
        if (sigaction(11, null, action) != 0) throw new InvalidOperationException("no handler to read");
        Install([0x48, 0xb8, .. BitConverter.GetBytes(*(long*)action), 0xff, 0xe0]); // mov rax, old; jmp rax
    }

    private static void Install(byte[] code)
    {
        byte* action = stackalloc byte[256];
        if (sigaction(11, null, action) != 0) throw new InvalidOperationException("no handler to read");
        *(nint*)action = Pages.PublishCode(code);
        if (sigaction(11, action, null) != 0) throw new InvalidOperationException("no handler to set");
    }

    [LibraryImport("libc")]
    private static partial int sigaction(int signal, void* action, void* old);
}
