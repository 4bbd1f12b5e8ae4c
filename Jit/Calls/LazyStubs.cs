using System.Reflection.Emit;
using System.Runtime.InteropServices;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>
/// The code that a function has before it is compiled. Mostly it is a few machine instructions that put a number into the first
/// free argument register and jump to a method shared by all functions of the signature:
/// <c>static R stub(Instance, args..., number)</c>. It compiles the function of that number, whose cell then leads to the code
/// itself, and calls it. Where no register is free, or on other processors, each function has a small method of its own.
/// The instructions depend on nothing but signature and number, so all modules share them; which function a number stands for
/// is the module's business.
/// </summary>
internal sealed unsafe class LazyStubs
{
    /// <summary>How many stubs are made at a time.</summary>
    internal const int PerPage = 255;

    private const int PageSize = 4096;
    private const int IntegerRegisters = 6, FloatRegisters = 8;

    /// <summary>The encodings of <c>mov register, imm32</c> for the integer argument registers, System V convention.</summary>
    private static readonly byte[][] MoveToRegister = [[0xbf], [0xbe], [0xba], [0xb9], [0x41, 0xb8], [0x41, 0xb9]];

    private static int count;

    private readonly Signature signature;
    private readonly Lock gate = new();
    private readonly Dictionary<int, nint> pages = [];
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<object, Dictionary<int, DynamicMethod>> single = [];
    private readonly bool usesFloatRegister;
    private DynamicMethod? shared;
    private nint sharedCode;

    internal LazyStubs(Signature signature)
        : this(signature, Interlocked.Increment(ref count), 0)
    {
    }

    /// <summary>Stubs whose shared method was saved with a module.</summary>
    internal LazyStubs(Signature signature, int id, nint savedCode)
    {
        this.signature = signature;
        Id = id;
        sharedCode = savedCode;
        IsNumbered = HasThunks && CanBeNumbered(signature, out usesFloatRegister);
    }

    private static bool HasThunks { get; } =
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS());

    /// <summary>Whether a register is left for a number, by the System V convention.</summary>
    internal static bool CanBeNumbered(Signature signature, out bool usesFloatRegister)
    {
        bool fitsInteger = signature.IsScalar && signature.IntegerArguments < IntegerRegisters;
        // A result that goes through a buffer takes an integer register; registers of floats are numbered for themselves.
        usesFloatRegister = !fitsInteger && !signature.HasVectors && signature.FloatArguments < FloatRegisters;
        return fitsInteger || usesFloatRegister;
    }

    /// <summary>Which signature's stubs these are.</summary>
    internal int Id { get; }

    /// <summary>Whether stubs are told apart by a number, <see cref="Numbered"/>; otherwise <see cref="Single"/> makes them.</summary>
    internal bool IsNumbered { get; }

    /// <summary>The stub of a number. It lives as long as the process, or until <see cref="Release"/>.</summary>
    internal nint Numbered(int number)
    {
        int block = number / PerPage;
        nint page;
        lock (gate)
        {
            if (!pages.TryGetValue(block, out page)) pages[block] = page = MakePage(block * PerPage);
        }
        return page + (number % PerPage * 16);
    }

    /// <summary>A stub that is a method; <paramref name="owner"/> lives as long as it is used.</summary>
    internal nint Single(object owner, int func)
    {
        lock (gate)
        {
            Dictionary<int, DynamicMethod> methods = single.GetOrCreateValue(owner);
            if (!methods.TryGetValue(func, out DynamicMethod? method)) methods[func] = method = Make(func);
            return CodeAddress.Of(method);
        }
    }

    private nint MakePage(int first)
    {
        if (sharedCode == 0)
        {
            shared = Make(null);
            sharedCode = CodeAddress.Of(shared);
        }
        Span<byte> code = stackalloc byte[PageSize];
        code.Fill(0xcc);
        BitConverter.TryWriteBytes(code[(PerPage * 16)..], sharedCode);
        for (int i = 0; i < PerPage; i++)
        {
            Span<byte> thunk = code.Slice(i * 16, 16);
            int at = 0;
            if (usesFloatRegister)
            {
                thunk[at++] = 0xb8; // mov eax, imm32
                BitConverter.TryWriteBytes(thunk[at..], first + i);
                at += 4;
                byte register = (byte)(0xc0 | (signature.FloatArguments << 3));
                ReadOnlySpan<byte> move = [0x66, 0x0f, 0x6e, register]; // movd xmm, eax
                move.CopyTo(thunk[at..]);
                at += move.Length;
            }
            else
            {
                byte[] move = MoveToRegister[signature.IntegerArguments];
                move.CopyTo(thunk);
                at = move.Length;
                BitConverter.TryWriteBytes(thunk[at..], first + i);
                at += 4;
            }
            thunk[at] = 0xff; // jmp [rip + distance to the last 16 bytes of the page]
            thunk[at + 1] = 0x25;
            BitConverter.TryWriteBytes(thunk[(at + 2)..], (PerPage * 16) - (i * 16) - (at + 6));
        }
        return Pages.PublishCode(code);
    }

    /// <summary>Gives the pages back. Nobody may come to the stubs any more.</summary>
    internal void Release()
    {
        lock (gate)
        {
            foreach (nint page in pages.Values) Pages.Release((byte*)page, PageSize);
            pages.Clear();
        }
    }

    internal static string NameOf(Signature signature) => "wasm stub " + signature.Key;

    /// <summary>The parameters of the method for all functions that have numbers.</summary>
    internal static Type[] Parameters(Signature signature)
    {
        CanBeNumbered(signature, out bool usesFloat);
        return [.. signature.Parameters, usesFloat ? typeof(float) : typeof(int)];
    }

    /// <summary>The method of a function, or the one for all that have numbers.</summary>
    private DynamicMethod Make(int? func)
    {
        Type[] parameters = func is not null ? signature.Parameters : Parameters(signature);
        var method = new DynamicMethod(NameOf(signature), signature.Return, parameters, typeof(LazyStubs).Module, true);
        Write(method.GetILGenerator(), signature, Id, func);
        return method;
    }

    /// <summary>The body of a stub: of one function, or of all that have numbers.</summary>
    internal static void Write(ILGenerator il, Signature signature, int id, int? func)
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
            CanBeNumbered(signature, out bool usesFloatRegister);
            il.Emit(OpCodes.Ldc_I4, id);
            il.Emit(OpCodes.Ldarg, (short)signature.Parameters.Length);
            if (usesFloatRegister) il.Emit(OpCodes.Call, typeof(BitConverter).GetMethod(nameof(BitConverter.SingleToInt32Bits))!);
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(LazyStubs), nameof(CompileNumbered)));
        }
        il.Emit(OpCodes.Stloc, code);
        for (int i = 0; i < signature.Parameters.Length; i++) il.Emit(OpCodes.Ldarg, (short)i);
        il.Emit(OpCodes.Ldloc, code);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, signature.Return, signature.Parameters, null);
        il.Emit(OpCodes.Ret);
    }

    private static nint Compile(InstanceCore instance, int func) => instance.Services.CompileFunc(instance, func);

    private static nint CompileNumbered(InstanceCore instance, int stubs, int number) =>
        instance.Services.CompileFunc(instance, instance.Services.FuncOfStub(stubs, number));
}
