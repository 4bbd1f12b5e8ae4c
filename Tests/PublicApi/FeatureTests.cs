using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What the host switches off is invalid, with the name of the switch in the message.</summary>
public sealed class FeatureTests
{
    [Theory]
    [InlineData(Features.ReferenceTypes, "(table 1 funcref) (table 1 funcref)")]
    [InlineData(Features.ReferenceTypes, "(func (param externref))")]
    [InlineData(Features.Simd, "(func (param v128))")]
    [InlineData(Features.Simd, "(func (drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4))))")]
    [InlineData(Features.TailCalls, "(func $f (return_call $f))")]
    [InlineData(Features.FunctionReferences, "(type $f (func)) (func (param (ref $f)))")]
    [InlineData(Features.Gc, "(type (struct))")]
    [InlineData(Features.Gc, "(func (drop (ref.i31 (i32.const 1))))")]
    [InlineData(Features.Exceptions | Features.LegacyExceptions, "(tag)")]
    [InlineData(Features.MultiMemory, "(memory 1) (memory 1)")]
    [InlineData(Features.Memory64, "(memory i64 1)")]
    [InlineData(Features.Threads, "(memory 1 1 shared)")]
    [InlineData(Features.Threads, "(func (atomic.fence))")]
    [InlineData(Features.CustomPageSizes, "(memory 1 (pagesize 1))")]
    [InlineData(Features.WideArithmetic, "(func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1)))")]
    [InlineData(Features.CustomDescriptors, "(type $f (func)) (func (param (ref (exact $f))))")]
    public void SwitchedOffIsInvalid(Features feature, string fields)
    {
        byte[] bytes = Wat.ToBinary($"(module {fields})");
        Assert.True(new Engine().Validate(bytes, out ModuleException? error), error?.Message);
        var engine = new Engine(new EngineOptions { Features = Features.All & ~feature });
        Assert.False(engine.Validate(bytes, out error));
        Assert.IsType<InvalidModuleException>(error);
        Assert.Contains("switched off", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstVersionNeedsNoFeature()
    {
        var engine = new Engine(new EngineOptions { Features = Features.None });
        Module module = engine.CompileText("""
            (module (memory 1) (table 1 funcref) (global (mut i32) (i32.const 3))
              (func (export "f") (result i32) (i32.extend8_s (global.get 0))))
            """);
        Assert.Equal(3, module.Instantiate().GetExport<Func<int>>("f")());
    }
}
