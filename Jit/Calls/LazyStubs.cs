using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The code of a function before it is compiled. Mostly it is a few machine instructions that put a number into the first free argument register and
/// jump to a method shared by all functions of a shape (<see cref="StubShape"/>): <c>static R stub(Instance, args..., number)</c>. That method
/// compiles the function of the number, whose cell then leads to the code itself, and calls it. If no register is free, or on other processors, each
/// function has a small method of its own. The instructions depend on nothing but shape and number, so all modules share them; each module knows
/// which function a number stands for. Stubs live as long as a signature that uses them.
/// </summary>
internal sealed unsafe class LazyStubs
{
    /// <summary>How many stubs are made at a time.</summary>
    internal const int PerPage = StubCode.PerPage;

    private static readonly WeakTable<string, LazyStubs> Known = new();

    private static int count;

    private readonly StubShape shape;
    private readonly Lock gate = new();
    private readonly Dictionary<int, nint> pages = [];
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<AttachedCode, Dictionary<int, DynamicMethod>> single = [];
    private readonly Signature? interpreted;
    private DynamicMethod? shared;
    private nint sharedCode;

    /// <summary>Stubs that run functions of a signature in the interpreter, in place of compiling them.</summary>
    internal LazyStubs(Signature interpreted)
        : this(StubShape.Saved(interpreted), Interlocked.Increment(ref count), 0) => this.interpreted = interpreted;

    /// <summary>Stubs whose shared method was saved with a module.</summary>
    internal LazyStubs(StubShape shape, int id, nint savedCode)
    {
        this.shape = shape;
        Id = id;
        sharedCode = savedCode;
    }

    /// <summary>The stubs of a signature. Other signatures of the same shape have them too.</summary>
    internal static LazyStubs Of(Signature signature)
    {
        var shape = StubShape.Of(signature);
        return Known.GetOrAdd(shape.Key, shape, static s => new LazyStubs(s, Interlocked.Increment(ref count), 0));
    }

    /// <summary>Which shape's stubs these are.</summary>
    internal int Id { get; }

    /// <summary>Whether stubs are told apart by a number, <see cref="Numbered"/>; otherwise <see cref="Single"/> makes them.</summary>
    internal bool IsNumbered => shape.IsNumbered;

    /// <summary>The stub of a number. It lives as long as this object.</summary>
    internal nint Numbered(int number)
    {
        int block = number / PerPage;
        nint page;
        lock (gate)
        {
            if (!pages.TryGetValue(block, out page))
            {
                if (sharedCode == 0)
                {
                    shared = Make(null);
                    sharedCode = CodeAddress.Of(shared);
                }
                pages[block] = page = StubPages.Make(this, shape, sharedCode, block * PerPage);
            }
        }
        return page + (number % PerPage * StubCode.StubSize);
    }

    /// <summary>A stub that is a method; <paramref name="owner"/> lives as long as it is used.</summary>
    internal nint Single(AttachedCode owner, int func)
    {
        lock (gate)
        {
            Dictionary<int, DynamicMethod> methods = single.GetOrCreateValue(owner);
            if (!methods.TryGetValue(func, out DynamicMethod? method)) methods[func] = method = Make(func);
            return CodeAddress.Of(method);
        }
    }

    internal static string NameOf(string key) => "wasm stub " + key;

    /// <summary>The method of a function, or the one for all that have numbers.</summary>
    private DynamicMethod Make(int? func)
    {
        Type[] parameters = func is not null ? shape.Parameters : shape.NumberedParameters;
        var method = RuntimeCode.Method(NameOf(shape.Key), shape.Return, parameters, typeof(LazyStubs).Module);
        if (interpreted is not null) CallShapes.WriteEntry(method.GetILGenerator(), interpreted, Id, func);
        else Write(method.GetILGenerator(), shape, Id, func);
        return method;
    }

    /// <summary>The body of a stub: of one function, or of all that have numbers.</summary>
    internal static void Write(ILGenerator il, StubShape shape, int id, int? func)
    {
        LocalBuilder code = il.DeclareLocal(typeof(nint));
        il.Emit(OpCodes.Ldarg_0);
        if (func is { } constant)
        {
            il.Emit(OpCodes.Ldc_I4, constant);
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(LazyStubs), nameof(Compile)));
        }
        else
        {
            il.Emit(OpCodes.Ldc_I4, id);
            il.Emit(OpCodes.Ldarg, (short)shape.Parameters.Length);
            if (shape.UsesFloatRegister) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToInt32Bits))!);
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(LazyStubs), nameof(CompileNumbered)));
        }
        il.Emit(OpCodes.Stloc, code);
        for (int i = 0; i < shape.Parameters.Length; i++) il.Emit(OpCodes.Ldarg, (short)i);
        il.Emit(OpCodes.Ldloc, code);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, shape.Return, shape.Parameters, null);
        il.Emit(OpCodes.Ret);
    }

    private static nint Compile(InstanceCore instance, int func) => instance.Services.CompileFunc(instance, func);

    private static nint CompileNumbered(InstanceCore instance, int stubs, int number) =>
        instance.Services.CompileFunc(instance, instance.Services.FuncOfStub(stubs, number));
}
