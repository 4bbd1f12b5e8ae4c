namespace WasmJit.Jit.Format;

// Apart from the numbers, which the source generators have, too.
internal static partial class ExternByte
{
    /// <summary>The kind that a byte stands for; null for a type, and for a byte that is not a kind.</summary>
    internal static ExternKind? KindOf(byte sort) => sort switch
    {
        Func => ExternKind.Func,
        Table => ExternKind.Table,
        Memory => ExternKind.Memory,
        Global => ExternKind.Global,
        Tag => ExternKind.Tag,
        Module => ExternKind.Module,
        Instance => ExternKind.Instance,
        _ => null,
    };
}
