using WasmJit.Jit.Format;

namespace WasmJit.Perf;

/// <summary>Modules of a few bytes for the measurements of latencies.</summary>
internal static class TinyModules
{
    private static readonly byte[] Header = [.. "\0asm\x01\0\0\0"u8];

    // One type, i32 -> i32.
    private static readonly byte[] Types = [SectionId.Type, 6, 1, TypeByte.Func, 1, TypeByte.I32, 1, TypeByte.I32];

    /// <summary>
    /// <c>(func (export "f") (param i32) (result i32) local.get 0 i32.const NUMBER i32.add)</c>: no two numbers give the same bytes.
    /// </summary>
    public static byte[] Adder(int number)
    {
        byte[] constant = Leb128(number);
        return
        [
            .. Header,
            .. Types,
            SectionId.Function, 2, 1, 0,
            SectionId.Export, 5, 1, 1, (byte)'f', ExternByte.Func, 0,
            SectionId.Code, (byte)(8 + constant.Length), 1, (byte)(6 + constant.Length), 0,
            Opcode.LocalGet, 0, Opcode.I32Const, .. constant, Opcode.I32Add, Opcode.End,
        ];
    }

    /// <summary>Imports <c>env.host</c>; its export <c>loop</c> calls it n times, each with the result of the one before.</summary>
    public static byte[] HostCaller() =>
    [
        .. Header,
        .. Types,
        SectionId.Import, 12, 1, 3, .. "env"u8, 4, .. "host"u8, ExternByte.Func, 0,
        SectionId.Function, 2, 1, 0,
        SectionId.Export, 8, 1, 4, .. "loop"u8, ExternByte.Func, 1,
        // (local i32) loop (local.set 1 (call 0 (local.get 1))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))) end
        SectionId.Code, 26, 1, 24, 1, 1, TypeByte.I32,
        Opcode.Loop, TypeByte.EmptyBlock, Opcode.LocalGet, 1, Opcode.Call, 0, Opcode.LocalSet, 1,
        Opcode.LocalGet, 0, Opcode.I32Const, 1, Opcode.I32Sub, Opcode.LocalTee, 0, Opcode.BrIf, 0, Opcode.End,
        Opcode.LocalGet, 1, Opcode.End,
    ];

    // Signed LEB128 of full length, so that all adders have one size.
    private static byte[] Leb128(int number)
    {
        var bytes = new byte[5];
        ulong rest = (ulong)(long)number;
        for (int i = 0; i < 5; i++, rest >>= 7) bytes[i] = (byte)(rest & 0x7f | (i < 4 ? 0x80u : 0u));
        return bytes;
    }
}
