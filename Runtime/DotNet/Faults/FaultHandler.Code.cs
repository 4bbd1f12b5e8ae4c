namespace WasmJit.Runtime;

/// <summary>
/// The machine code of the handler, as data: an assembler takes longer to be loaded than an empty program runs. A test
/// assembles it again.
/// </summary>
internal static unsafe partial class FaultHandler
{
    private const int RangesAt = 19, TableAt = 94;

    /// <summary>
    /// void handler(int signal, siginfo_t* rsi, void* context); only registers that a call may change. A fault elsewhere
    /// clears the thread's record, so that the record always speaks of the last fault.
    /// </summary>
    private static ReadOnlySpan<byte> Body =>
    [
        0x83, 0x7e, 0x08, 0x00,                                        // cmp dword [rsi+8], 0 : signals that a process sent carry no address
        0x0f, 0x8e, 0x7c, 0x00, 0x00, 0x00,                            // jle chain
        0x45, 0x31, 0xc0,                                              // xor r8d, r8d
        0x48, 0x8b, 0x46, 0x10,                                        // mov rax, [rsi+10h]
        0x48, 0xb9, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,    // mov rcx, ranges
        0x4c, 0x8b, 0x09,                                              // mov r9, [rcx]
        0x4d, 0x85, 0xc9,                                              // range: test r9, r9
        0x74, 0x20,                                                    // jz find
        0x48, 0x3b, 0x41, 0x08,                                        // cmp rax, [rcx+8]
        0x72, 0x06,                                                    // jb next
        0x48, 0x3b, 0x41, 0x10,                                        // cmp rax, [rcx+10h]
        0x72, 0x09,                                                    // jb hit
        0x48, 0x83, 0xc1, 0x10,                                        // next: add rcx, 10h
        0x49, 0xff, 0xc9,                                              // dec r9
        0xeb, 0xe6,                                                    // jmp range
        0x49, 0x89, 0xc0,                                              // hit: mov r8, rax
        0x48, 0xc7, 0x46, 0x10, 0x08, 0x00, 0x00, 0x00,                // mov qword [rsi+10h], NullAddress
        0x45, 0x31, 0xc9,                                              // find: xor r9d, r9d
        0x64, 0x4d, 0x8b, 0x09,                                        // mov r9, fs:[r9]
        0x4d, 0x89, 0xca,                                              // mov r10, r9
        0x49, 0xc1, 0xea, 0x06,                                        // shr r10, 6
        0x49, 0x81, 0xe2, 0xff, 0x3f, 0x00, 0x00,                      // and r10, Records - 1
        0x49, 0xc1, 0xe2, 0x04,                                        // shl r10, 4
        0x48, 0xb9, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,    // mov rcx, table
        0x4e, 0x8b, 0x1c, 0x11,                                        // probe: mov r11, [rcx+r10]
        0x4d, 0x39, 0xcb,                                              // cmp r11, r9
        0x74, 0x12,                                                    // je store
        0x4d, 0x85, 0xdb,                                              // test r11, r11
        0x74, 0x12,                                                    // jz chain
        0x49, 0x83, 0xc2, 0x10,                                        // add r10, 10h
        0x49, 0x81, 0xe2, 0xff, 0xff, 0x03, 0x00,                      // and r10, Records * 16 - 1
        0xeb, 0xe5,                                                    // jmp probe
        0x4e, 0x89, 0x44, 0x11, 0x08,                                  // store: mov [rcx+r10+8], r8
    ];

    /// <summary>At the end of the body (chain): mov rax, old; jmp rax. Without a handler to go on to it is ret.</summary>
    private static ReadOnlySpan<byte> Chain => [0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0];

    private const byte Ret = 0xc3;

    /// <summary>The handler for two tables.</summary>
    /// <param name="ranges">The table of ranges.</param>
    /// <param name="table">The table of threads.</param>
    /// <param name="old">The handler to go on to; 0 for none.</param>
    internal static byte[] CodeOf(nint ranges, nint table, nint old)
    {
        byte[] code = new byte[Body.Length + (old == 0 ? 1 : Chain.Length)];
        Body.CopyTo(code);
        BitConverter.TryWriteBytes(code.AsSpan(RangesAt), (long)ranges);
        BitConverter.TryWriteBytes(code.AsSpan(TableAt), (long)table);
        if (old == 0)
        {
            code[Body.Length] = Ret;
            return code;
        }
        Chain.CopyTo(code.AsSpan(Body.Length));
        BitConverter.TryWriteBytes(code.AsSpan(Body.Length + 2), (long)old);
        return code;
    }
}
