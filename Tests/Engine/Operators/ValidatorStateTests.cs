using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Jit.Validation;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the validator's classes remember, each alone.</summary>
public sealed class ValidatorStateTests
{
    private static readonly CodePosition Position = new() { Offset = 0x123 };

    private static LocalTypes Locals(string body, out ModuleInfo module)
    {
        module = new Engine().CompileText($"(module (type $s (struct)) (func (param i32) {body}))").Info;
        var locals = new LocalTypes(module, Position);
        locals.Declare(0);
        return locals;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40_000)]
    public void LocalsWithoutDefaultHaveNoValueUntilTheyAreWritten(int run)
    {
        LocalTypes locals = Locals($"(local (ref $s)) {string.Concat(Enumerable.Repeat("(local i64)", run))}", out _);
        uint last = (uint)run + 1;
        Assert.Equal(ValType.I64, locals.TypeOf(last));
        Assert.True(locals.HasValue(0, ValType.I32) && locals.HasValue(last, ValType.I64));
        ValType reference = locals.TypeOf(1);
        Assert.False(locals.HasValue(1, reference));
        int before = locals.Written;
        locals.Write(1);
        locals.Write(1);
        Assert.True(locals.HasValue(1, reference));
        Assert.Equal(before + 1, locals.Written);
        locals.Forget(before);
        Assert.False(locals.HasValue(1, reference));
        InvalidModuleException error = Assert.Throws<InvalidModuleException>(() => locals.TypeOf(last + 1));
        Assert.Equal(0x123, error.Offset);
    }

    [Fact]
    public void UnreachableCodeHasOperandsOfAnyType()
    {
        var stack = new TypeStack(Locals("", out _), Position);
        ImmutableArray<ValType> result = [ValType.I64];
        stack.PushFrame(OpId.Block, [], result);
        Assert.Throws<InvalidModuleException>(() => stack.Pop());
        stack.Push(ValType.F32);
        Assert.Throws<InvalidModuleException>(() => stack.Pop(ValType.I64));
        stack.Unreachable();
        Assert.Equal(ValType.Bottom, stack[0]);
        Assert.Equal(ValType.Bottom, stack.Pop(ValType.I64));
        stack.Push(ValType.I64);
        Assert.Equal(1, stack.Height);
        Assert.Equal(OpId.Block, stack.PopFrame().Kind);
        Assert.Equal(0, stack.Depth);
    }

    [Fact]
    public void BlocksEndWithTheirResultsAndNothingElse()
    {
        var stack = new TypeStack(Locals("", out _), Position);
        stack.PushFrame(OpId.Block, [], []);
        stack.Push(ValType.I32);
        stack.PushFrame(OpId.Loop, [ValType.I32], [ValType.F64]);
        Assert.Equal([ValType.I32], stack.Label(0).Label.ToArray());
        Assert.Throws<InvalidModuleException>(() => stack.Label(2));
        stack.Push(ValType.F64);
        Assert.Contains("but stack has [i32]", Assert.Throws<InvalidModuleException>(() => stack.PopFrame()).Message, StringComparison.Ordinal);
    }
}
