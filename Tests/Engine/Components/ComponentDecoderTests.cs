using WasmJit.Components;
using WasmJit.Jit.Format;
using Xunit;
using static WasmJit.Tests.ComponentBinary;

namespace WasmJit.Tests;

/// <summary>Components byte by byte: what they are decoded to, where things are, and what is malformed.</summary>
public sealed class ComponentDecoderTests
{
    /// <summary>A function type without parameters and result.</summary>
    private static readonly byte[] NoFunc = [ComponentTypeByte.Func, 0, ComponentTypeByte.NoResult, 0];

    /// <summary>A core module that exports a function <c>f</c>: [] -> [].</summary>
    private static readonly byte[] CoreModule = Wat.ToBinary("(module (func (export \"f\")))");

    private static T Only<T>(byte[] bytes)
        where T : Definition => Assert.IsType<T>(Assert.Single(ComponentDecoder.Decode(bytes).Definitions));

    [Fact]
    public void DefinitionsStandInTheOrderOfTheBytesWithTheirOffsets()
    {
        byte[] bytes = Of(
            Whole(ComponentSectionId.CoreModule, CoreModule),
            Section(ComponentSectionId.CoreInstance, [0, 0, 0]),
            Section(ComponentSectionId.Alias, [0, 0, 1, 0, 1, (byte)'f']),
            Section(ComponentSectionId.Type, NoFunc),
            Section(ComponentSectionId.Canon, [0, 0, 0, 0, 0]),
            Section(ComponentSectionId.Export, [.. Extern("f"), 1, 0, 0]));
        ComponentDefinition component = Load(bytes);
        Assert.Equal(
            [typeof(CoreModuleDefinition), typeof(CoreInstantiation), typeof(CoreExportAlias), typeof(TypeDefinition), typeof(LiftDefinition), typeof(ExportDefinition)],
            component.Definitions.Select(d => d.GetType()));
        // Eight bytes of header; then an id, a size, and where it has one a count before each.
        Assert.Equal([10, 44, 50, 59, 66, 74], component.Definitions.Select(d => d.Offset));
        Assert.Equal(("f", SortByte.Func), (component.Spaces.Signature.Exports[0].Name, component.Spaces.Signature.Exports[0].Type.Sort.Byte()));
        ModuleInfoIsInPlace(component);
    }

    private static void ModuleInfoIsInPlace(ComponentDefinition component)
    {
        var module = (CoreModuleDefinition)component.Definitions[0];
        Assert.Equal((10, 10 + CoreModule.Length), (module.Module.Begin, module.Module.End));
    }

    [Fact]
    public void TypesKeepTheirIndices()
    {
        var type = (RecordSyntax)Only<TypeDefinition>(Of(Section(ComponentSectionId.Type, [ComponentTypeByte.Record, 2, .. Name("a"), ComponentTypeByte.U8, .. Name("b-c"), .. Index(300)]))).Type;
        Assert.Equal(["a", "b-c"], type.Fields.Select(f => f.Label.Text));
        Assert.Equal((PrimitiveKind.U8, null, 300u), (type.Fields[0].Type.Primitive, type.Fields[1].Type.Primitive, type.Fields[1].Type.Index));
    }

    [Fact]
    public void AttributesOfNamesAreRead()
    {
        ExternName name = Only<ImportDefinition>(Of(Section(
            ComponentSectionId.Import, [2, .. Name("a:b/c@1"), 3, 0, .. Name("d:e/f"), 1, .. Name(".2.3"), 2, .. Name("x"), 1, 0]))).Name;
        Assert.Equal(("a:b/c@1", "d:e/f", ".2.3", "x"), (name.Name, name.Implements, name.VersionSuffix, name.ExternalId));
    }

    [Fact]
    public void OptionsAreRead()
    {
        LowerDefinition lower = Only<LowerDefinition>(Of(Section(ComponentSectionId.Canon, [1, 0, 7, 4, 1, 3, 2, 4, 3, 6])));
        Assert.Equal((7u, StringEncoding.Utf16, 2u, 3u, true), (lower.Func, lower.Options.Encoding, lower.Options.Memory, lower.Options.Realloc, lower.Options.IsAsync));
        Assert.Equal((null, null), (lower.Options.PostReturn, lower.Options.Callback));
    }

    /// <summary>Every built-in has what its row says behind its opcode, and nothing else.</summary>
    [Fact]
    public void BuiltinsHaveTheirImmediates()
    {
        foreach (CanonOp op in Enum.GetValues<CanonOp>().Where(op => op is not (CanonOp.Lift or CanonOp.Lower)))
        {
            Assert.True(CanonBuiltins.TryGet(op, out CanonImmediates immediates));
            byte[] bytes =
            [
                (byte)op,
                .. immediates.HasFlag(CanonImmediates.Type) ? (byte[])[5] : [],
                .. immediates.HasFlag(CanonImmediates.Result) ? (byte[])[ComponentTypeByte.OneResult, ComponentTypeByte.U8] : [],
                .. immediates.HasFlag(CanonImmediates.Slot) ? (byte[])[TypeByte.I64, 1] : [],
                .. (immediates & (CanonImmediates.Async | CanonImmediates.Cancellable | CanonImmediates.Shared)) != 0 ? (byte[])[1] : [],
                .. immediates.HasFlag(CanonImmediates.CoreType) ? (byte[])[6] : [],
                .. immediates.HasFlag(CanonImmediates.Table) ? (byte[])[7] : [],
                .. immediates.HasFlag(CanonImmediates.Memory) ? (byte[])[8] : [],
                .. immediates.HasFlag(CanonImmediates.Options) ? (byte[])[1, 6] : [],
            ];
            BuiltinDefinition builtin = Only<BuiltinDefinition>(Of(Section(ComponentSectionId.Canon, bytes)));
            var expected = new BuiltinDefinition(builtin.Offset, op)
            {
                Type = immediates.HasFlag(CanonImmediates.Type) ? 5u : 0,
                Result = immediates.HasFlag(CanonImmediates.Result) ? new TypeUse(PrimitiveKind.U8, 0, builtin.Offset + 2) : null,
                SlotType = immediates.HasFlag(CanonImmediates.Slot) ? ValType.I64 : default,
                Slot = immediates.HasFlag(CanonImmediates.Slot) ? 1u : 0,
                IsAsync = immediates.HasFlag(CanonImmediates.Async),
                IsCancellable = immediates.HasFlag(CanonImmediates.Cancellable),
                IsShared = immediates.HasFlag(CanonImmediates.Shared),
                CoreType = immediates.HasFlag(CanonImmediates.CoreType) ? 6u : 0,
                Table = immediates.HasFlag(CanonImmediates.Table) ? 7u : 0,
                Memory = immediates.HasFlag(CanonImmediates.Memory) ? 8u : 0,
                Options = builtin.Options,
            };
            Assert.Equal(expected, builtin);
            Assert.Equal(immediates.HasFlag(CanonImmediates.Options), builtin.Options.IsAsync);
            Assert.Equal(op, CanonBuiltins.Find(CanonBuiltins.Name(op)));
        }
    }

    public static TheoryData<string, string, int> Malformed() => new()
    {
        { "", "unexpected end", 0 },
        { "0061736d0d000100 0d00", "malformed section id", 8 },
        { "0061736d01000000", "expected a version header for a component", 4 },
        { "0061736d0d000100 0705 0140000101", "invalid leading byte (0x1) for number of results", 14 },
        { "0061736d0d000100 0702 0162", "invalid leading byte (0x62) for component defined type", 11 },
        { "0061736d0d000100 0703 017162", "unexpected end of section or function", 12 },
        { "0061736d0d000100 0703 01737300", "section size mismatch", 12 },
        { "0061736d0d000100 0705 0172020161", "unexpected end of section or function", 15 },
        { "0061736d0d000100 0605 0106020000", "invalid leading byte (0x6) for component outer alias kind", 11 },
        { "0061736d0d000100 0605 0101000001", "length out of bounds", 14 },
        { "0061736d0d000100 0802 0107", "invalid leading byte (0x7) for canonical function", 11 },
        { "0061736d0d000100 0803 010c02", "invalid boolean value", 12 },
        { "0061736d0d000100 0108 0061736d0d000100", "expected a version header for a module", 14 },
        { "0061736d0d000100 0408 0061736d0c000100", "unknown binary version", 14 },
        { "0061736d0d000100 0302 0140", "malformed definition type", 11 },
        { "0061736d0d000100 0303 010060", "invalid leading byte (0x60) for non-final sub type", 12 },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void WhatIsMalformedIsSaidWithItsPlace(string hex, string reason, int offset)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        var e = Assert.Throws<MalformedModuleException>(() => ComponentDecoder.Decode(bytes));
        Assert.Equal((reason, offset), (e.Reason[..Math.Min(reason.Length, e.Reason.Length)], (int)e.Offset));
    }

    /// <summary>Every form that the text reader knows is one that the decoder knows.</summary>
    [Fact]
    public void EveryFormOfTheTextIsDecoded()
    {
        foreach (string form in ComponentForms.All)
        {
            byte[] bytes = Wat.ToBinary($"(component {form})");
            Assert.True(ComponentDecoder.Decode(bytes).Definitions.Count > 0, form);
        }
    }
}
