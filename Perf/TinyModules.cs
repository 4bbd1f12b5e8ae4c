namespace WasmJit.Perf;

/// <summary>Modules of a few bytes for the measurements of latencies.</summary>
internal static class TinyModules
{
    private static readonly byte[] Header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

    // One type, i32 -> i32.
    private static readonly byte[] Types = [0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f];

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
            0x03, 0x02, 0x01, 0x00,
            0x07, 0x05, 0x01, 0x01, (byte)'f', 0x00, 0x00,
            0x0a, (byte)(8 + constant.Length), 0x01, (byte)(6 + constant.Length), 0x00,
            0x20, 0x00, 0x41, .. constant, 0x6a, 0x0b,
        ];
    }

    /// <summary>Imports <c>env.host</c>; its export <c>loop</c> calls it n times, each with the result of the one before.</summary>
    public static byte[] HostCaller() =>
    [
        .. Header,
        .. Types,
        0x02, 0x0c, 0x01, 0x03, (byte)'e', (byte)'n', (byte)'v', 0x04, (byte)'h', (byte)'o', (byte)'s', (byte)'t', 0x00, 0x00,
        0x03, 0x02, 0x01, 0x00,
        0x07, 0x08, 0x01, 0x04, (byte)'l', (byte)'o', (byte)'o', (byte)'p', 0x00, 0x01,
        // (local i32) loop (local.set 1 (call 0 (local.get 1))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))) end
        0x0a, 0x1a, 0x01, 0x18, 0x01, 0x01, 0x7f,
        0x03, 0x40, 0x20, 0x01, 0x10, 0x00, 0x21, 0x01, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b,
        0x20, 0x01, 0x0b,
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
