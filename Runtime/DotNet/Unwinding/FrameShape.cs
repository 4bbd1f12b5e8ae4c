namespace WasmJit.Runtime;

/// <summary>A register that a function saves, and where: bytes above the stack pointer.</summary>
internal readonly record struct SavedRegister(int Register, int Offset);

/// <summary>
/// How a function's frame is built, read from the pushes and the subtraction with which its machine code begins. Frames of RyuJIT's code keep their
/// size until they are left. A form that the reader does not know has no shape.
/// </summary>
/// <param name="Size">Bytes from the stack pointer, as it is in calls, to the return address.</param>
/// <param name="Saved">The registers of callers that the function saves.</param>
internal sealed unsafe record FrameShape(int Size, SavedRegister[] Saved)
{
    /// <summary>The registers that a function must leave as they were, in the order of <see cref="UnwindCode"/>'s plans.</summary>
    internal const int Rbx = 0, Rbp = 1, R12 = 2, Registers = 6;

    private const int MaxSize = 1 << 16;

    /// <summary>The frame of the function whose code begins at an address; null if it is not one of the known forms.</summary>
    /// <remarks>Unsafe: reads machine code, which the caller keeps alive.</remarks>
    internal static FrameShape? Of(nint code)
    {
        var at = (byte*)code;
        Span<int> pushed = stackalloc int[8];
        int count = 0;
        for (; count < pushed.Length; count++)
        {
            if (*at == 0x41 && at[1] is >= 0x54 and <= 0x57)
            {
                pushed[count] = R12 + at[1] - 0x54;
                at += 2;
            }
            else if (*at is 0x50 or 0x53 or 0x55)
            {
                // push rax makes room.
                pushed[count] = *at == 0x53 ? Rbx : *at == 0x55 ? Rbp : -1;
                at++;
            }
            else
            {
                break;
            }
        }
        // vzeroupper; test [rsp - page], eax
        while (true)
        {
            if (*at == 0xc5 && at[1] == 0xf8 && at[2] == 0x77) at += 3;
            else if (*at == 0x85 && at[1] == 0x84 && at[2] == 0x24) at += 7;
            else break;
        }
        int locals = 0;
        if (*at == 0x48 && at[1] == 0x83 && at[2] == 0xec) locals = (sbyte)at[3];
        else if (*at == 0x48 && at[1] == 0x81 && at[2] == 0xec) locals = *(int*)(at + 3);
        // lea r11, [rsp - size] begins the frames that are too large.
        else if (*at == 0x4c && at[1] == 0x8d && (at[2] & 0x3f) == 0x1c) return null;
        if (locals is < 0 or > MaxSize) return null;
        int size = locals + (8 * count);
        var saved = new List<SavedRegister>();
        for (int i = 0; i < count; i++)
            if (pushed[i] >= 0) saved.Add(new SavedRegister(pushed[i], size - (8 * (i + 1))));
        return new FrameShape(size, [.. saved]);
    }
}
