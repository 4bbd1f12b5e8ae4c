using System.Diagnostics.CodeAnalysis;
using System.Text;
using WasmJit.Components;

namespace WasmJit.Text;

/// <summary>The components of scripts on an engine.</summary>
/// <param name="engine">The engine.</param>
/// <param name="saved">Whether each component is saved, and run as it is loaded from there.</param>
internal sealed class ScriptComponents(Engine engine, bool saved) : IScriptComponents
{
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "A script with components gets the exception that says so.")]
    public object Compile(byte[] bytes)
    {
        WasmComponent component = engine.CompileComponent(bytes);
        if (!saved) return component;
        var file = new MemoryStream();
        component.Save(file);
        file.Position = 0;
        return new Engine(engine.Options with { Compilation = Compilation.Never }).LoadSavedComponent(file);
    }

    public object Instantiate(object component) => ((WasmComponent)component).Instantiate();

    public WastValue? Invoke(object instance, string export, IReadOnlyList<WastValue> arguments)
    {
        ExportedFunction function = ((ComponentInstance)instance).GetFunction(export);
        ComponentValue result = function.Call([.. arguments.Select(ToValue)]);
        return function.HasResult ? ToScript(result) : null;
    }

    private static ComponentValue ToValue(WastValue value) => value switch
    {
        WastScalar { Value: bool b } => ComponentValue.From(b),
        WastScalar { Value: byte n } => ComponentValue.From(n),
        WastScalar { Value: sbyte n } => ComponentValue.From(n),
        WastScalar { Value: ushort n } => ComponentValue.From(n),
        WastScalar { Value: short n } => ComponentValue.From(n),
        WastScalar { Value: uint n } => ComponentValue.From(n),
        WastScalar { Value: int n } => ComponentValue.From(n),
        WastScalar { Value: ulong n } => ComponentValue.From(n),
        WastScalar { Value: long n } => ComponentValue.From(n),
        WastScalar { Value: Rune c } => ComponentValue.From(c),
        WastScalar { Value: string s } => ComponentValue.From(s),
        WastNumber { Kind: ValKind.F32 } n => ComponentValue.From(BitConverter.UInt32BitsToSingle((uint)n.Bits)),
        WastNumber { Kind: ValKind.F64 } n => ComponentValue.From(BitConverter.UInt64BitsToDouble(n.Bits)),
        WastSequence { Type: "list" } s => ComponentValue.List(s.Items.Select(ToValue)),
        WastSequence s => ComponentValue.Tuple(s.Items.Select(ToValue)),
        WastRecord r => ComponentValue.Record(r.Fields.Select(f => (f.Name, ToValue(f.Value)))),
        WastCase { Type: "enum" } c => ComponentValue.Enum(c.Name),
        WastCase { Type: "variant" } c => ComponentValue.Variant(c.Name, Payload(c)),
        WastCase { Type: "option" } c => c.Payload is null ? ComponentValue.Nothing : ComponentValue.Some(Payload(c)),
        WastCase { Name: "ok" } c => ComponentValue.Ok(Payload(c)),
        WastCase c => ComponentValue.Error(Payload(c)),
        WastFlags f => ComponentValue.Flags(f.Names),
        _ => throw new NotSupportedException($"{value} is not a value of a component."),
    };

    private static ComponentValue Payload(WastCase value) => value.Payload is null ? default : ToValue(value.Payload);

    private static WastValue ToScript(ComponentValue value) => value.Kind switch
    {
        ComponentValueKind.Bool => new WastScalar("bool", value.AsBool()),
        ComponentValueKind.S8 => new WastScalar("s8", value.AsS8()),
        ComponentValueKind.U8 => new WastScalar("u8", value.AsU8()),
        ComponentValueKind.S16 => new WastScalar("s16", value.AsS16()),
        ComponentValueKind.U16 => new WastScalar("u16", value.AsU16()),
        ComponentValueKind.S32 => new WastScalar("s32", value.AsS32()),
        ComponentValueKind.U32 => new WastScalar("u32", value.AsU32()),
        ComponentValueKind.S64 => new WastScalar("s64", value.AsS64()),
        ComponentValueKind.U64 => new WastScalar("u64", value.AsU64()),
        ComponentValueKind.F32 => new WastNumber(ValKind.F32, BitConverter.SingleToUInt32Bits(value.AsF32())),
        ComponentValueKind.F64 => new WastNumber(ValKind.F64, BitConverter.DoubleToUInt64Bits(value.AsF64())),
        ComponentValueKind.Char => new WastScalar("char", value.AsChar()),
        ComponentValueKind.String => new WastScalar("string", value.AsString()),
        ComponentValueKind.List or ComponentValueKind.Map => new WastSequence("list", [.. value.Items.Select(ToScript)]),
        ComponentValueKind.Tuple => new WastSequence("tuple", [.. value.Items.Select(ToScript)]),
        ComponentValueKind.Record => new WastRecord([.. value.Names.Select(name => (name, ToScript(value[name])))]),
        ComponentValueKind.Flags => new WastFlags([.. value.Names]),
        ComponentValueKind.Variant => Case("variant", value),
        ComponentValueKind.Enum => Case("enum", value),
        ComponentValueKind.Option => Case("option", value),
        ComponentValueKind.Result => new WastCase("result", value.CaseName == "ok" ? "ok" : "err", Optional(value.Payload)),
        _ => throw new NotSupportedException($"{value} cannot be written in scripts."),
    };

    private static WastCase Case(string type, ComponentValue value) => new(type, value.CaseName, Optional(value.Payload));

    private static WastValue? Optional(ComponentValue value) => value.Kind == ComponentValueKind.None ? null : ToScript(value);
}
