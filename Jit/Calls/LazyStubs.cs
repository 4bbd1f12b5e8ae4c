using System.Reflection.Emit;
using System.Runtime.InteropServices;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>
/// The code that a function has before it is compiled. For most signatures it is a pair of machine instructions that put the
/// function's index into the first free argument register and jump to a method shared by all functions of the signature:
/// <c>static R stub(Instance, args..., int index)</c>. It compiles the function, whose cell then leads to the code itself,
/// and calls it. Where no register is free, or on other processors, each function has a small method of its own.
/// The two instructions depend on nothing but signature and index, so all modules share them.
/// </summary>
internal sealed unsafe class LazyStubs(Signature signature)
{
    private const int PerPage = 255;

    /// <summary>The encodings of <c>mov register, imm32</c> for the six argument registers, System V convention.</summary>
    private static readonly byte[][] MoveToRegister = [[0xbf], [0xbe], [0xba], [0xb9], [0x41, 0xb8], [0x41, 0xb9]];

    private static readonly bool HasThunks =
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS());

    private readonly Lock gate = new();
    private readonly Dictionary<int, nint> pages = [];
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<object, Dictionary<int, DynamicMethod>> single = [];
    private DynamicMethod? shared;
    private nint sharedCode;

    /// <summary>The stub of a function of a module; <paramref name="owner"/> lives as long as the stub is used.</summary>
    internal nint For(object owner, int index)
    {
        if (HasThunks && signature.IsScalar && signature.IntegerArguments < MoveToRegister.Length) return Thunk(index);
        lock (gate)
        {
            Dictionary<int, DynamicMethod> methods = single.GetOrCreateValue(owner);
            if (!methods.TryGetValue(index, out DynamicMethod? method)) methods[index] = method = Make(index);
            return CodeAddress.Of(method);
        }
    }

    private nint Thunk(int index)
    {
        int block = index / PerPage;
        nint page;
        lock (gate)
        {
            if (!pages.TryGetValue(block, out page)) pages[block] = page = MakePage(block * PerPage);
        }
        return page + (index % PerPage * 16);
    }

    private nint MakePage(int first)
    {
        if (sharedCode == 0)
        {
            shared = Make(null);
            sharedCode = CodeAddress.Of(shared);
        }
        Span<byte> code = stackalloc byte[4096];
        code.Fill(0xcc);
        BitConverter.TryWriteBytes(code[(PerPage * 16)..], sharedCode);
        byte[] move = MoveToRegister[signature.IntegerArguments];
        for (int i = 0; i < PerPage; i++)
        {
            Span<byte> thunk = code.Slice(i * 16, 16);
            move.CopyTo(thunk);
            int at = move.Length;
            BitConverter.TryWriteBytes(thunk[at..], first + i);
            at += 4;
            thunk[at] = 0xff; // jmp [rip + distance to the last 16 bytes of the page]
            thunk[at + 1] = 0x25;
            BitConverter.TryWriteBytes(thunk[(at + 2)..], (PerPage * 16) - (i * 16) - (at + 6));
        }
        return Pages.PublishCode(code);
    }

    private DynamicMethod Make(int? index)
    {
        Type[] parameters = index is null ? [.. signature.Parameters, typeof(int)] : signature.Parameters;
        var method = new DynamicMethod("wasm stub " + signature.Key, signature.Return, parameters, typeof(LazyStubs).Module, true);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder code = il.DeclareLocal(typeof(nint));
        il.Emit(OpCodes.Ldarg_0);
        if (index is { } constant) il.Emit(OpCodes.Ldc_I4, constant);
        else il.Emit(OpCodes.Ldarg, (short)signature.Parameters.Length);
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(LazyStubs), nameof(Compile)));
        il.Emit(OpCodes.Stloc, code);
        for (int i = 0; i < signature.Parameters.Length; i++) il.Emit(OpCodes.Ldarg, (short)i);
        il.Emit(OpCodes.Ldloc, code);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, signature.Return, signature.Parameters, null);
        il.Emit(OpCodes.Ret);
        return method;
    }

    private static nint Compile(InstanceCore instance, int index) => instance.Services.CompileFunc(instance, index);
}
