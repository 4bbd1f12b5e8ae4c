using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>The code of a module, shared by its instances: made in this process, or saved by another.</summary>
internal abstract class FunctionCode(ModuleInfo info) : AttachedCode, IHostAdapters, INamedFunctions
{
    internal ModuleInfo Info { get; } = info;

    /// <summary>What the code was made with.</summary>
    internal abstract CodeOptions Options { get; }

    /// <summary>What the active data segments make of a memory, where that is in a file; null if they are to be copied.</summary>
    internal virtual MappedContent? Content => null;

    /// <summary>What compiles before calls, if anything does.</summary>
    internal virtual Lookahead? Ahead => null;

    /// <summary>What compiles functions that are hot, if anything does.</summary>
    internal virtual Lookahead? Hot => null;

    /// <summary>What knows fast paths for exceptions through the code, if anything does.</summary>
    internal virtual Runtime.Unwinder? Unwinder => null;

    /// <summary>Whether what the module needs and does not have may be made in this process.</summary>
    internal virtual bool MayMakeCode => true;

    /// <summary>The code of an own function as it is now: itself, or something that makes it.</summary>
    internal abstract nint CodeOf(int func);

    /// <summary>The code of an own function, made if it has not been.</summary>
    internal abstract nint Compile(int func);

    /// <summary>Whether the machine code of an own function is there.</summary>
    internal abstract bool IsCompiled(int func);

    /// <summary>How an own function was compiled.</summary>
    internal virtual CodeForm FormOf(int func) => new(1);

    /// <summary>Asks for the machine code of an own function: soon, if other threads compile; now, if this one must.</summary>
    internal abstract void AskFor(int func);

    /// <summary>The register code of the own functions; null if they are not interpreted.</summary>
    internal virtual InterpretedModule? Interpreted => null;

    /// <summary>Has the threads that compile hot functions begin before there is one, if the module is large.</summary>
    internal void Rehearse()
    {
        if (Lookahead.MayRehearse(Info)) Hot?.Rehearse();
    }

    /// <summary>Gives a new instance what the code looks for in it.</summary>
    internal virtual unsafe void Attach(InstanceCore instance)
    {
        if (Interpreted is not null) instance.Functions = Interpreted.States;
    }

    /// <summary>The function that a number of a stub's stands for; see <see cref="LazyStubs"/>.</summary>
    internal abstract int FuncOfStub(int stubs, int number);

    /// <summary>The method that enters functions of a signature from .NET, null if it is to be made.</summary>
    internal virtual System.Reflection.MethodInfo? FindEntry(Signature signature) => null;

    /// <summary>The code of the method that calls host functions of a signature, 0 if it is to be made.</summary>
    internal virtual nint FindHostAdapter(Signature signature) => 0;

    bool IHostAdapters.MayMakeCode => MayMakeCode;

    nint IHostAdapters.FindHostAdapter(Signature signature) => FindHostAdapter(signature);

    /// <summary>The one code of a module: nested modules have one for all their closures.</summary>
    internal static FunctionCode Of(ModuleInfo info, CodeOptions options) =>
        (FunctionCode)(info.State.Code
            ?? Interlocked.CompareExchange(ref info.State.Code, new CompiledModule(info, options), null) ?? info.State.Code);

    /// <summary>Makes the code of all functions now, those of nested modules too, on several threads.</summary>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal void CompileAll(CancellationToken cancellation = default)
    {
        if (WasmThread.CurrentScope is not { } scope)
        {
            CompileAll(null, cancellation);
            return;
        }
        CancellationToken token = scope.Token;
        JitThread.RunElsewhere(() =>
        {
            CompileAll(scope, token);
            return 0;
        });
    }

    private void CompileAll(CancellationScope? scope, CancellationToken cancellation)
    {
        foreach (ModuleInfo module in Info.WithNested())
        {
            FunctionCode code = Of(module, Options);
            try
            {
                Parallelism.For(module.ImportedFuncs, module.Funcs.Count, (i, _) =>
                {
                    using (CancellationScope.Lend(scope)) code.Compile(i);
                }, cancellation);
            }
            catch (Exception e) when (scope?.Stopped is not null && e is OperationCanceledException)
            {
                CancellationScope.ThrowIfStopped();
                throw;
            }
        }
    }

    /// <summary>The IL of a function, for listings.</summary>
    internal abstract IlBuffer EmitIl(int func);

    internal string NameOf(int func, NullMeaning nulls = NullMeaning.None) => NameOf(Info, func, nulls);

    string INamedFunctions.ShownName(int func) => $"{Info.ShownModule}!{Info.ShownName(func)}";

    /// <summary>The name of a function's method, by which stack traces find it.</summary>
    internal static string NameOf(ModuleInfo info, int func, NullMeaning nulls)
    {
        string prefix = nulls switch
        {
            NullMeaning.Struct => WasmStackTrace.StructPrefix,
            NullMeaning.Array => WasmStackTrace.ArrayPrefix,
            NullMeaning.None => WasmStackTrace.Prefix,
        };
        return $"{prefix}{info.ShownModule}!{info.ShownName(func)}";
    }
}
