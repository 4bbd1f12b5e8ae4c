using System.Reflection;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Jit.Saved;

/// <summary>
/// The code of a module from a saved assembly. As with compiled modules, calls go through cells that at first lead to stubs; but
/// a function's method is there already, and only the runtime has to make machine code of it.
/// </summary>
/// <remarks>Unsafe: addresses of cells. They live as long as the assembly's object, which this one keeps.</remarks>
internal sealed unsafe class SavedCode : FunctionCode
{
    private readonly SavedAssembly assembly;
    private readonly int number;
    private readonly nint* cells;
    private readonly bool[] made;
    private readonly Dictionary<int, int> guards = [];

    /// <summary>The tokens of the first methods of the functions' classes.</summary>
    private readonly int[] classes;

    internal SavedCode(SavedAssembly assembly, ModuleInfo info, int number, nint* cells)
        : base(info)
    {
        this.assembly = assembly;
        this.number = number;
        this.cells = cells;
        int own = info.Funcs.Count - info.ImportedFuncs;
        made = new bool[own];
        classes = new int[(own + SavedWriter.FunctionsInClass - 1) / SavedWriter.FunctionsInClass];
        for (int i = 0; i < classes.Length; i++) classes[i] = assembly.FirstMethodOf(SavedWriter.ClassOf(number, i * SavedWriter.FunctionsInClass));
        for (int i = 0; i < assembly.Header.Guards.Length; i++)
            if (assembly.Header.Guards[i].Module == number) guards[assembly.Header.Guards[i].Func] = i;
        info.State.Code = this;
    }

    /// <summary>The address of the cells.</summary>
    internal nint CellBase => (nint)cells;

    /// <summary>The token of an own function's method.</summary>
    private int TokenOf(int own) => classes[own / SavedWriter.FunctionsInClass] + (own % SavedWriter.FunctionsInClass);

    /// <summary>Fills the cells of all functions whose stubs have numbers.</summary>
    internal void MakeStubs()
    {
        if (!assembly.Stubs.MakeAll(Info, cells)) AskForStubs();
    }

    /// <summary>
    /// Asks for the code of all functions, one by one, where the file's machine code is not used, or there is no room for all stubs at once. The header of a native file does not list
    /// the functions whose stubs have numbers.
    /// </summary>
    internal void AskForStubs()
    {
        for (int func = Info.ImportedFuncs; func < Info.Funcs.Count; func++) CodeOf(func);
    }

    internal override MappedContent? Content => number == 0 ? assembly.Content : null;

    internal override CodeOptions Options => assembly.Header.Options;

    /// <summary>Whether the module compiles bytes.</summary>
    internal bool UsesCompile => assembly.Header.UsesCompile;

    internal override bool MayMakeCode => false;

    internal override void Attach(InstanceCore instance) => assembly.Attach(instance);

    internal override nint CodeOf(int func)
    {
        int own = func - Info.ImportedFuncs;
        nint code = Volatile.Read(ref cells[own]);
        if (code != 0) return code;
        nint stub = assembly.Stubs.Of(Signature.Of(Info.Funcs[func].Type), func);
        if (stub == 0)
        {
            // The runtime's own stub; it leaves the JIT on the caller's stack, which is too little for large functions.
            if (JitThread.IsLarge(Info.Funcs[func]) || guards.ContainsKey(func)) return Compile(func);
            stub = assembly.StubOf(TokenOf(own));
        }
        nint known = Interlocked.CompareExchange(ref cells[own], stub, 0);
        return known != 0 ? known : stub;
    }

    /// <summary>Whether the file has machine code of an own function.</summary>
    internal bool WasCompiledAhead(int func) => assembly.HasCode(TokenOf(func - Info.ImportedFuncs));

    internal override bool IsCompiled(int func) => Volatile.Read(ref made[func - Info.ImportedFuncs]);

    /// <summary>Nothing to do: the runtime has the code, and makes machine code of it when it is called.</summary>
    internal override void AskFor(int func)
    {
    }

    internal override int FuncOfStub(int stubs, int number) => assembly.Stubs.FuncOf(stubs, number);

    internal override nint Compile(int func)
    {
        int own = func - Info.ImportedFuncs;
        if (Volatile.Read(ref made[own])) return cells[own];
        return WasCompiledAhead(func) ? Make(func, own) : JitThread.Run(Info.Funcs[func], () => Make(func, own));
    }

    private nint Make(int func, int own)
    {
        // The runtime lets one thread alone compile a method; that two may come here does no harm.
        nint code = assembly.PointerOf(TokenOf(own));
        if (guards.TryGetValue(func, out int guard) && LargeFrame(own, code, assembly.Header.Guards[guard].Estimate) is var frame and not 0)
            code = assembly.GuardOf(guard, frame, code);
        cells[own] = code;
        Volatile.Write(ref made[own], true);
        return code;
    }

    /// <summary>The frame of a function, with that of its body where the JIT has left that in a method of its own.</summary>
    private long LargeFrame(int own, nint code, long estimate)
    {
        // Native code is not outlined.
        int body = !assembly.Header.IsNative && Prologue.IsOnlyACall(code) ? assembly.CalleeOf(TokenOf(own)) : 0;
        // It is compiled here, too, where there is stack for that.
        return body == 0 ? FrameGuard.LargeFrame(code, estimate) : FrameGuard.LargeFrame(assembly.PointerOf(body), estimate);
    }

    internal override MethodInfo? FindEntry(Signature signature) => assembly.FindEntry(signature);

    internal override nint FindHostAdapter(Signature signature) => assembly.FindHostAdapter(signature);

    internal override IlBuffer EmitIl(int func)
    {
        // The module is decoded anew, so that it has code of its own.
        ModuleInfo info = ModuleDecoder.Decode(assembly.Header.Module, assembly.Header.Settings).WithNested().ElementAt(number);
        return Of(info, Options).EmitIl(func);
    }
}
