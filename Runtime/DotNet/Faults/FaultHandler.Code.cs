using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>Platforms whose faults can be traps.</summary>
internal enum FaultPlatform
{
    None,
    LinuxX64,
    LinuxArm64,
    WindowsX64,
}

/// <summary>
/// The machine code of the handler, as data: an assembler takes longer to be loaded than an empty program runs. A test
/// assembles it again. Handlers write only registers that a call may change, and not those of their arguments, which are the next handler's, too. A fault
/// elsewhere clears the thread's record, so that the record always speaks of the last fault. With a fault in an arena they keep the registers, for <see
/// cref="InterpreterFault"/>.
/// </summary>
internal static unsafe partial class FaultHandler
{
    private const int RangesAt = 19, TableAt = 94;

    /// <summary>
    /// How many registers the handlers keep, as the system has them in a row: on x64 all general ones (on Linux those from r8 to rsp, on Windows those from
    /// rax to r15), on ARM64 x0 to x28.
    /// </summary>
    internal const int X64Registers = 16, Arm64Registers = 29;

    /// <summary>Where these registers begin in what the system says of a fault: in <c>ucontext_t</c> of Linux, in <c>CONTEXT</c> of Windows.</summary>
    internal const int LinuxX64RegistersAt = 40, LinuxArm64RegistersAt = 184, WindowsX64RegistersAt = 0x78;

    /// <summary>Linux, x64: void handler(int signal, siginfo_t* rsi, void* context).</summary>
    private static ReadOnlySpan<byte> Body =>
    [
        0x83, 0x7e, 0x08, 0x00,                                        // cmp dword [rsi+8], 0 : signals that a process sent carry no address
        0x0f, 0x8e, 0x9e, 0x00, 0x00, 0x00,                            // jle chain
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
        0x49, 0xc1, 0xe2, 0x08,                                        // shl r10, 8
        0x48, 0xb9, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,    // mov rcx, table
        0x4e, 0x8b, 0x1c, 0x11,                                        // probe: mov r11, [rcx+r10]
        0x4d, 0x39, 0xcb,                                              // cmp r11, r9
        0x74, 0x15,                                                    // je store
        0x4d, 0x85, 0xdb,                                              // test r11, r11
        0x74, 0x34,                                                    // jz chain
        0x49, 0x81, 0xc2, 0x00, 0x01, 0x00, 0x00,                      // add r10, RecordBytes
        0x49, 0x81, 0xe2, 0xff, 0xff, 0x3f, 0x00,                      // and r10, Records * RecordBytes - 1
        0xeb, 0xe2,                                                    // jmp probe
        0x4e, 0x89, 0x44, 0x11, 0x08,                                  // store: mov [rcx+r10+8], r8
        0x4d, 0x85, 0xc0,                                              // test r8, r8
        0x74, 0x1a,                                                    // jz chain
        0x45, 0x31, 0xc9,                                              // xor r9d, r9d
        0x4e, 0x8d, 0x5c, 0x11, 0x10,                                  // lea r11, [rcx+r10+10h]
        0x4a, 0x8b, 0x44, 0xca, 0x28,                                  // copy: mov rax, [rdx+r9*8+28h] : the context's registers
        0x4b, 0x89, 0x04, 0xcb,                                        // mov [r11+r9*8], rax
        0x49, 0xff, 0xc1,                                              // inc r9
        0x49, 0x83, 0xf9, 0x10,                                        // cmp r9, X64Registers
        0x72, 0xee,                                                    // jb copy
    ];

    /// <summary>At the end of the body (chain): mov rax, old; jmp rax. Without a handler to go on to it is ret.</summary>
    private static ReadOnlySpan<byte> Chain => [0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0];

    private const byte Ret = 0xc3;

    private const int WindowsRangesAt = 37, WindowsTableAt = 118;

    /// <summary>
    /// Windows, x64: int handler(EXCEPTION_POINTERS* rcx), which always goes on to the next handler. A thread's number is in its environment block.
    /// </summary>
    private static ReadOnlySpan<byte> WindowsBody =>
    [
        0x48, 0x8b, 0x11,                                              // mov rdx, [rcx] : the record
        0x81, 0x3a, 0x05, 0x00, 0x00, 0xc0,                            // cmp dword [rdx], AccessViolation
        0x0f, 0x85, 0xb1, 0x00, 0x00, 0x00,                            // jne chain
        0x83, 0x7a, 0x18, 0x02,                                        // cmp dword [rdx+18h], 2 : parameters
        0x0f, 0x82, 0xa7, 0x00, 0x00, 0x00,                            // jb chain
        0x49, 0x89, 0xcb,                                              // mov r11, rcx
        0x45, 0x31, 0xc0,                                              // xor r8d, r8d
        0x48, 0x8b, 0x42, 0x28,                                        // mov rax, [rdx+28h]
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
        0x48, 0xc7, 0x42, 0x28, 0x08, 0x00, 0x00, 0x00,                // mov qword [rdx+28h], NullAddress
        0x49, 0x8b, 0x53, 0x08,                                        // find: mov rdx, [r11+8] : the context
        0x65, 0x44, 0x8b, 0x0c, 0x25, 0x48, 0x00, 0x00, 0x00,          // mov r9d, gs:[48h]
        0x4d, 0x89, 0xca,                                              // mov r10, r9
        0x49, 0xc1, 0xea, 0x06,                                        // shr r10, 6
        0x49, 0x81, 0xe2, 0xff, 0x3f, 0x00, 0x00,                      // and r10, Records - 1
        0x49, 0xc1, 0xe2, 0x08,                                        // shl r10, 8
        0x48, 0xb9, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,    // mov rcx, table
        0x4e, 0x8b, 0x1c, 0x11,                                        // probe: mov r11, [rcx+r10]
        0x4d, 0x39, 0xcb,                                              // cmp r11, r9
        0x74, 0x15,                                                    // je store
        0x4d, 0x85, 0xdb,                                              // test r11, r11
        0x74, 0x34,                                                    // jz chain
        0x49, 0x81, 0xc2, 0x00, 0x01, 0x00, 0x00,                      // add r10, RecordBytes
        0x49, 0x81, 0xe2, 0xff, 0xff, 0x3f, 0x00,                      // and r10, Records * RecordBytes - 1
        0xeb, 0xe2,                                                    // jmp probe
        0x4e, 0x89, 0x44, 0x11, 0x08,                                  // store: mov [rcx+r10+8], r8
        0x4d, 0x85, 0xc0,                                              // test r8, r8
        0x74, 0x1a,                                                    // jz chain
        0x45, 0x31, 0xc9,                                              // xor r9d, r9d
        0x4e, 0x8d, 0x5c, 0x11, 0x10,                                  // lea r11, [rcx+r10+10h]
        0x4a, 0x8b, 0x44, 0xca, 0x78,                                  // copy: mov rax, [rdx+r9*8+78h] : the context's registers
        0x4b, 0x89, 0x04, 0xcb,                                        // mov [r11+r9*8], rax
        0x49, 0xff, 0xc1,                                              // inc r9
        0x49, 0x83, 0xf9, 0x10,                                        // cmp r9, X64Registers
        0x72, 0xee,                                                    // jb copy
        0x31, 0xc0,                                                    // chain: xor eax, eax : go on to the next handler
        0xc3,                                                          // ret
    ];

    /// <summary>Linux, ARM64: void handler(int signal, siginfo_t* x1, void* context). The constants are behind it.</summary>
    private static ReadOnlySpan<uint> Arm64Body =>
    [
        0xb9400828,    // ldr w8, [x1, #8] : signals that a process sent carry no address
        0x7100011f,    // cmp w8, #0
        0x5400052d,    // b.le chain
        0xaa1f03e8,    // mov x8, xzr
        0xf9400829,    // ldr x9, [x1, #16]
        0x5800050a,    // ldr x10, ranges
        0xf940014b,    // ldr x11, [x10]
        0xb40001ab,    // range: cbz x11, find
        0xf940054c,    // ldr x12, [x10, #8]
        0xeb0c013f,    // cmp x9, x12
        0x54000083,    // b.lo next
        0xf940094c,    // ldr x12, [x10, #16]
        0xeb0c013f,    // cmp x9, x12
        0x54000083,    // b.lo hit
        0x9100414a,    // next: add x10, x10, #16
        0xd100056b,    // sub x11, x11, #1
        0x17fffff7,    // b range
        0xaa0903e8,    // hit: mov x8, x9
        0xd280010c,    // mov x12, #NullAddress
        0xf900082c,    // str x12, [x1, #16]
        0xd53bd049,    // find: mrs x9, tpidr_el0
        0xd3464d2b,    // ubfx x11, x9, #6, #RecordBits
        0xd378dd6b,    // lsl x11, x11, #8
        0x5800030a,    // ldr x10, table
        0xf86b694c,    // probe: ldr x12, [x10, x11]
        0xeb09019f,    // cmp x12, x9
        0x540000a0,    // b.eq store
        0xb400020c,    // cbz x12, chain
        0x9104016b,    // add x11, x11, #RecordBytes
        0x9240556b,    // and x11, x11, #(Records * RecordBytes - 1)
        0x17fffffa,    // b probe
        0x8b0b014a,    // store: add x10, x10, x11
        0xf9000548,    // str x8, [x10, #8]
        0xb4000148,    // cbz x8, chain
        0xd28003ac,    // mov x12, #Arm64Registers
        0xaa0203eb,    // mov x11, x2 : the handler behind this one needs x2, too
        0xf9405d69,    // copy: ldr x9, [x11, #184] : the context's registers
        0xf9000949,    // str x9, [x10, #16]
        0x9100216b,    // add x11, x11, #8
        0x9100214a,    // add x10, x10, #8
        0xd100058c,    // sub x12, x12, #1
        0xb400004c,    // cbz x12, chain
        0x17fffffa,    // b copy
        0x580000d0,    // chain: ldr x16, old
        0xd61f0200,    // br x16
    ];

    /// <summary>Where <see cref="Arm64Body"/> goes on to another handler, in instructions; ret without one.</summary>
    private const int Arm64ChainAt = 43;

    private const uint Arm64Ret = 0xd65f03c0;

    /// <summary>ulong f(): mrs x0, tpidr_el0; ret.</summary>
    private static ReadOnlySpan<uint> ThreadPointerArm64 => [0xd53bd040, Arm64Ret];

    /// <summary>The handler for two tables.</summary>
    /// <param name="platform">Whose handler.</param>
    /// <param name="ranges">The table of ranges.</param>
    /// <param name="table">The table of threads.</param>
    /// <param name="old">The handler to go on to; 0 for none. On Windows the system does that.</param>
    internal static byte[] CodeOf(FaultPlatform platform, nint ranges, nint table, nint old) => platform switch
    {
        FaultPlatform.LinuxX64 => LinuxX64(ranges, table, old),
        FaultPlatform.LinuxArm64 => LinuxArm64(ranges, table, old),
        FaultPlatform.WindowsX64 => WindowsX64(ranges, table),
        _ => throw new PlatformNotSupportedException(),
    };

    private static byte[] LinuxX64(nint ranges, nint table, nint old)
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

    private static byte[] WindowsX64(nint ranges, nint table)
    {
        byte[] code = WindowsBody.ToArray();
        BitConverter.TryWriteBytes(code.AsSpan(WindowsRangesAt), (long)ranges);
        BitConverter.TryWriteBytes(code.AsSpan(WindowsTableAt), (long)table);
        return code;
    }

    private static byte[] LinuxArm64(nint ranges, nint table, nint old)
    {
        ReadOnlySpan<byte> body = MemoryMarshal.AsBytes(Arm64Body);
        byte[] code = new byte[body.Length + (3 * 8)];
        body.CopyTo(code);
        if (old == 0) BitConverter.TryWriteBytes(code.AsSpan(Arm64ChainAt * 4), Arm64Ret);
        BitConverter.TryWriteBytes(code.AsSpan(body.Length), (long)ranges);
        BitConverter.TryWriteBytes(code.AsSpan(body.Length + 8), (long)table);
        BitConverter.TryWriteBytes(code.AsSpan(body.Length + 16), (long)old);
        return code;
    }
}
