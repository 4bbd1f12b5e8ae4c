using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Functions that RyuJIT does not compile, or that are too much for a method and cannot be cut. They stay interpreted; where the mode or an operator forbids that, the host gets
/// the exception that is documented, and no other one.
/// </summary>
[Collection("JIT events")]
public sealed class RefusedFunctionTests : IDisposable
{
    private const string Refused = "refused-by-this-test";

    private static readonly byte[] Numbers = Wat.ToBinary($"""
        (module (func ${Refused} (export "f") (param i32) (result i32) (local i32)
          (loop $l (local.set 1 (i32.add (local.get 1) (local.get 0))) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (local.get 1)))
        """);

    private static readonly byte[] Vectors = Wat.ToBinary($"""
        (module (func ${Refused} (export "f") (param i32) (result i32) (i32x4.extract_lane 3 (i32x4.splat (local.get 0)))))
        """);

    public RefusedFunctionTests() => CodeAddress.BeforeEach = static method =>
    {
        if (method.Name.Contains(Refused, StringComparison.Ordinal)) throw new InvalidProgramException();
    };

    public void Dispose() => CodeAddress.BeforeEach = null;

    [Theory]
    [InlineData(Compilation.Lazy, true)]
    [InlineData(Compilation.Lazy, false)]
    [InlineData(Compilation.Interpreted, true)]
    [InlineData(Compilation.Tiered, true)]
    public void TheCallSaysThatItIsRefused(Compilation compilation, bool vectors)
    {
        Func<int, int> f = new Engine(new EngineOptions { Compilation = compilation }).Compile(vectors ? Vectors : Numbers).Instantiate().GetExport<Func<int, int>>("f");
        for (int i = 0; i < 2; i++) Assert.IsType<InvalidProgramException>(Assert.Throws<UnsupportedModuleException>(() => f(5)).InnerException);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void CompilationAheadSaysSo(bool vectors, bool inParts)
    {
        EngineOptions options = new() { Compilation = Compilation.Ahead };
        if (inParts) options = options with { PartSize = new PartSize(4, 4, 4) };
        Assert.Throws<UnsupportedModuleException>(() => new Engine(options).Compile(vectors ? Vectors : Numbers));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void HotFunctionsStayInterpreted(int threads)
    {
        Module module = new Engine(new EngineOptions { Compilation = Compilation.Tiered, BackgroundThreads = threads }).Compile(Numbers);
        Func<int, int> f = module.Instantiate().GetExport<Func<int, int>>("f");
        Assert.Equal(15, f(5));
        module.Code.AskFor(0);
        module.Code.Hot?.Wait();
        for (int i = 0; i < 3; i++) Assert.Equal(500_000_500_000 & 0xffff_ffff, (uint)f(1_000_000));
        module.Code.Hot?.Wait();
        Assert.False(module.Code.IsCompiled(0));
        Assert.Contains("does not compile it", module.Code.FormOf(0).Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void EmissionSaysThatItIsTooMuch()
    {
        byte[] bytes = HostileModules.All["branches with a thousand results"](100_000);
        Assert.Contains("instructions of IL", Assert.Throws<UnsupportedModuleException>(() => new Engine(new EngineOptions { Compilation = Compilation.Ahead }).Compile(bytes)).Message, StringComparison.Ordinal);
        Module module = new Engine(new EngineOptions { Compilation = Compilation.Tiered, BackgroundThreads = 0 }).Compile(bytes);
        Func<int> run = module.Instantiate().GetExport<Func<int>>("run");
        module.Code.AskFor(0);
        Assert.Equal(42, run());
        Assert.False(module.Code.IsCompiled(0));
    }

    /// <summary>
    /// More results at once than a method has locals, while something lies on the IL stack from the first to the last: the function can be cut all the same. What
    /// the parts compute is tested with fewer (<see cref="HostileSizeTests"/>), since RyuJIT would take seconds.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnExpressionOfManyLoadsCanBeCut(bool usesStack)
    {
        const int loads = IlBuffer.MaxLocals + 1_000;
        Module module = new Engine(Tiers.Compiled).Compile(HostileModules.Loads(usesStack ? 2 : loads, usesStack ? loads : 0));
        Signature signature = Signature.Of(module.Info.Funcs[0].Type);
        IlBuffer il = module.Code.EmitIl(0);
        Partition partition = Assert.IsType<Partition>(Partition.Of(il, signature, new PartSize(10_000, 800, 5_000)));
        for (int part = 0; part < partition.Parts; part++)
        {
            IlBuffer code = PartWriter.Write(partition, part);
            Assert.InRange(code.Locals.Count, 0, 10_000);
            Assert.InRange(code.Instructions, 0, 60_000);
        }
    }
}
