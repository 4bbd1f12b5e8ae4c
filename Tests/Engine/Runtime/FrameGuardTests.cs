using System.Linq.Expressions;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>
/// No method steps over the end of the stack: bodies that the JIT has not inlined, parts, areas of arguments. What fails here
/// ends the process.
/// </summary>
public sealed class FrameGuardTests
{
    private static Exception? OnThread(int kilobytes, Action action)
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(action), kilobytes << 10);
        thread.Start();
        thread.Join();
        return error;
    }

    private static void IsExhausted(Exception? error) =>
        Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(error).Kind);

    [Theory]
    [InlineData(18_000, 256)]
    [InlineData(18_000, 8192)]
    [InlineData(4_000, 1024)]
    public void RecursionInABodyThatIsNotInlinedIsExhaustion(int calls, int kilobytes)
    {
        Instance instance = new Engine(Tiers.Compiled).CompileText(LargeFrameModules.DeepCalls(calls)).Instantiate();
        instance.GetExport<Func<int>>("none")();
        IsExhausted(OnThread(kilobytes, () => instance.GetExport<Func<int>>("go")()));
        // The instance stays usable.
        instance.GetExport<Func<int>>("none")();
    }

    [Fact]
    public void TheSameInASavedModule()
    {
        var engine = new Engine(Tiers.Compiled);
        Module saved = engine.LoadSaved(Saved(engine.CompileText(LargeFrameModules.DeepCalls(4_000))));
        Instance instance = saved.Instantiate();
        Assert.Equal(
            engine.CompileText(LargeFrameModules.DeepCalls(4_000)).Instantiate().GetExport<Func<int>>("none")(),
            instance.GetExport<Func<int>>("none")());
        IsExhausted(OnThread(1024, () => instance.GetExport<Func<int>>("go")()));
        IsExhausted(OnThread(256, () => instance.GetExport<Func<int>>("go")()));
    }

    private static MemoryStream Saved(Module module)
    {
        var stream = new MemoryStream();
        module.Save(stream);
        stream.Position = 0;
        return stream;
    }

    [Fact]
    public void CompilingAheadReadsNoCodeBehindAMethod()
    {
        const int Functions = 24, Calls = 2_000;
        var engine = new Engine(new EngineOptions { Compilation = Compilation.Ahead, BackgroundThreads = 2 });
        Instance instance = engine.CompileText(LargeFrameModules.ManyLocals(Functions, Calls)).Instantiate();
        Assert.Equal(LargeFrameModules.ManyLocalsResult(Functions, Calls), instance.GetExport<Func<int>>("go")());
    }

    public static TheoryData<int, string, string, string, int> WideCalls()
    {
        var data = new TheoryData<int, string, string, string, int>();
        foreach (string how in new[] { "call", "tail", "tail_indirect", "tail_ref", "host" })
        {
            data.Add(990, "v128", "", how, 256);
            data.Add(990, "i64", "i64 i64 i64", how, 256);
        }
        data.Add(60, "v128", "", "tail", 256);
        data.Add(500, "v128", string.Join(' ', Enumerable.Repeat("v128", 200)), "tail", 512);
        data.Add(500, "v128", string.Join(' ', Enumerable.Repeat("v128", 200)), "call", 512);
        return data;
    }

    /// <summary>At every depth the call runs, or traps.</summary>
    [Theory]
    [MemberData(nameof(WideCalls))]
    public void CallsWithManyValuesAtTheEndOfTheStack(int count, string type, string results, string how, int kilobytes)
    {
        Module module = new Engine(Tiers.Compiled).CompileText(LargeFrameModules.ManyArguments(count, type, results, how));
        Instance instance = module.Instantiate(new Imports { { "host", "wide", Host(module) } });
        bool ran = false, trapped = false;
        for (int depth = 0; depth < 1 << 20; depth = Math.Max(depth + 1, depth + (depth / 4)))
        {
            int calls = depth;
            Exception? error = OnThread(kilobytes, () => instance.GetExport<Action<int>>("go")(calls));
            if (error is null)
            {
                ran = true;
                continue;
            }
            IsExhausted(error);
            trapped = true;
        }
        Assert.True(ran);
        Assert.True(trapped);
    }

    /// <summary>A host function of the import's type that gives back what it gets.</summary>
    private static Delegate Host(Module module)
    {
        var type = module.Imports[0].Type.Func;
        Signature signature = Signature.Of(type);
        ParameterExpression[] parameters = [.. signature.HostParameters.Select(p => Expression.Parameter(p))];
        return Expression.Lambda(signature.DelegateType, Expression.Default(signature.HostReturn), parameters).Compile();
    }

    [Fact]
    public void ThePrologueIsReadAndNothingBehindIt()
    {
        // A method that is nothing but a jump or a return stands at the very end of a page that nothing follows.
        foreach (byte[] code in (byte[][])[[0xc3], [0x41, 0x57, 0xc3], [0xeb, 0xfe], [0xff, 0xe0], [0x48, 0x89, 0xf8, 0xff, 0xe0]])
        {
            using var page = new LastBytes(code);
            Assert.Equal(0, Prologue.FrameOf(page.Address));
            Assert.True(Prologue.IsOnlyACall(page.Address));
        }
        using var frame = new LastBytes([0x55, 0x48, 0x81, 0xec, 0x00, 0x00, 0x10, 0x00]);
        Assert.Equal(1 << 20, Prologue.FrameOf(frame.Address));
    }

    [Fact]
    public void AMethodThatOnlyCallsIsToldFromOthers()
    {
        var caller = new DynamicMethod("caller", typeof(int), [typeof(int), typeof(int)], typeof(FrameGuardTests).Module, true);
        ILGenerator il = caller.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Call, typeof(FrameGuardTests).GetMethod(nameof(Far), System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!);
        il.Emit(OpCodes.Ret);
        Assert.True(Prologue.IsOnlyACall(CodeAddress.Of(caller)));

        var tests = new DynamicMethod("tests", typeof(int), [typeof(int)], typeof(FrameGuardTests).Module, true);
        il = tests.GetILGenerator();
        Label other = il.DefineLabel();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Brfalse, other);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(FrameGuardTests).GetMethod(nameof(Near), System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!);
        il.Emit(OpCodes.Ret);
        il.MarkLabel(other);
        il.Emit(OpCodes.Ldc_I4_7);
        il.Emit(OpCodes.Ret);
        Assert.False(Prologue.IsOnlyACall(CodeAddress.Of(tests)));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static int Far(int a, int b) => a + b;

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static int Near(int a) => a;

    /// <summary>Bytes at the end of a page, behind which no address can be read.</summary>
    private sealed unsafe class LastBytes : IDisposable
    {
        private readonly byte* pages = WasmJit.Runtime.Pages.Reserve(2 * 4096);

        internal LastBytes(byte[] bytes)
        {
            Assert.True(WasmJit.Runtime.Pages.Commit(pages, 4096));
            bytes.CopyTo(new Span<byte>(pages + 4096 - bytes.Length, bytes.Length));
            Address = (nint)(pages + 4096 - bytes.Length);
        }

        internal nint Address { get; }

        public void Dispose() => WasmJit.Runtime.Pages.Release(pages, 2 * 4096);
    }
}
