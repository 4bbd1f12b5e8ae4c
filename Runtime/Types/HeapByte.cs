namespace WasmJit.Runtime;

/// <summary>The bytes of abstract heap types in the binary format (spec 5.3.3, with runtime linking).</summary>
internal static class HeapByte
{
    internal const byte Func = 0x70, NoFunc = 0x73, Extern = 0x6f, NoExtern = 0x72, Any = 0x6e, Eq = 0x6d, I31 = 0x6c, Struct = 0x6b, Array = 0x6a,
        None = 0x71, Exn = 0x69, NoExn = 0x74;

    /// <summary>Those of the extension.</summary>
    internal const byte Module = 0x5e, Instance = 0x5d, Memory = 0x5c, Table = 0x5b, Global = 0x5a, Tag = 0x59, Slice = 0x58;

    internal const byte FirstLinking = Slice, LastLinking = Module;
}
