using WasmJit.Jit.Format;
using Xunit;

namespace WasmJit.Tests;

/// <summary>A run of fifty thousand locals is five bytes. Unused locals must cost nothing.</summary>
public sealed class ManyLocalsTests
{
    private const string Many = "(local $first i64) {0} (local $last i32)";

    private static Engine Engine { get; } = new();

    private static string Locals(string type, int count = 40_000) =>
        $"(local {string.Concat(Enumerable.Repeat(type + " ", count))})";

    [Fact]
    public async Task AHundredThousandFunctionsOfFiftyThousandLocalsAreValidatedInTime()
    {
        byte[] bytes = Module(100_000, 0);
        // One by one these locals are five thousand million, which takes minutes.
        await Task.Run(() => Engine.Compile(bytes)).WaitAsync(Eventually.Patience);
    }

    [Theory]
    [InlineData("(local.set 20000 (ref.func 0)) (drop (local.get 20000))", null)]
    [InlineData("(drop (local.get 20000))", "uninitialized local 20000")]
    [InlineData("(local.set 20000 (ref.func 0)) (drop (local.get 20001))", "uninitialized local 20001")]
    [InlineData("(block (local.set 20000 (ref.func 0))) (drop (local.get 20000))", "uninitialized local 20000")]
    [InlineData("(block (local.set 20000 (ref.func 0)) (drop (local.get 20000)))", null)]
    [InlineData("(drop (local.tee 20000 (ref.func 0))) (block (drop (local.get 20000)))", null)]
    [InlineData("(if (i32.const 1) (then (local.set 20000 (ref.func 0))) (else (drop (local.get 20000))))", "uninitialized local 20000")]
    [InlineData("(drop (local.get $first)) (drop (i32.eqz (local.get $last)))", null)]
    [InlineData("(local.set $last (i32.const 1)) (local.set 0 (i64.const 1))", null)]
    [InlineData("(local.set 40000 (ref.func 0)) (drop (local.get 40000))", null)]
    [InlineData("(local.set 40001 (ref.func 0))", "type mismatch")]
    [InlineData("(drop (local.get 40002))", "unknown local 40002")]
    public void OfASmallFunctionTypesAndValuesOfLocalsAreKnownAllTheSame(string body, string? error)
    {
        byte[] bytes = Wat.ToBinary($"(module (func (export \"f\")) (func {string.Format(Many, Locals("(ref func)"))} {body}) (func (local i32) (drop (local.get 0))))");
        Exception? thrown = Record.Exception(() => Engine.Compile(bytes));
        if (error is null) Assert.Null(thrown);
        else Assert.Contains(error, Assert.IsType<InvalidModuleException>(thrown).Message);
    }

    [Fact]
    public async Task HundredsOfFunctionsOfFiftyThousandLocalsAreCompiledInTime()
    {
        Instance instance = Engine.Compile(Module(300, 300)).Instantiate();
        Task calls = Task.Run(() =>
        {
            for (int i = 0; i < 300; i++) instance.GetExport<Action>($"{i}")();
        });
        // With a variable of RyuJIT's for each, one function takes a quarter of a second.
        await calls.WaitAsync(Eventually.Patience);
    }

    /// <summary>Functions of no operators, each with all the locals that it may have; the first ones are exported by their numbers.</summary>
    private static byte[] Module(int functions, int exported)
    {
        var code = new ByteWriter();
        code.U32((uint)functions);
        var body = new ByteWriter();
        body.U8(1);
        body.U32(50_000);
        body.Bytes([TypeByte.I64, Opcode.End]);
        for (int i = 0; i < functions; i++) code.Sized(body);
        var declared = new ByteWriter();
        declared.U32((uint)functions);
        declared.Bytes(new byte[functions]);
        var exports = new ByteWriter();
        exports.U32((uint)exported);
        for (int i = 0; i < exported; i++)
        {
            byte[] name = System.Text.Encoding.UTF8.GetBytes($"{i}");
            exports.Bytes([(byte)name.Length, .. name, 0]);
            exports.U32((uint)i);
        }
        var module = new ByteWriter();
        module.Bytes([0, .. "asm"u8, 1, 0, 0, 0, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function]);
        module.Sized(declared);
        module.U8(SectionId.Export);
        module.Sized(exports);
        module.U8(SectionId.Code);
        module.Sized(code);
        return module.Span.ToArray();
    }

    [Fact]
    public void SuchAFunctionRuns()
    {
        Instance instance = Engine.CompileText($"""
            (module
              (func $f (export "f") (param i32) (result i32) {Locals("(ref func)", 30_000)} (local $n i64)
                (local.set 29000 (ref.func $f))
                (local.set $n (i64.extend_i32_u (local.get 0)))
                (i32.add (ref.is_null (local.get 29000)) (i32.wrap_i64 (local.get $n)))))
            """).Instantiate();
        Assert.Equal(7, instance.GetExport<Func<int, int>>("f")(7));
    }
}
