using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Runtime;

/// <summary>
/// The machine code in an assembly's file (ReadyToRun). Guests call the code itself. With tiered compilation, .NET's pointers to its methods lead to stubs that count calls: RyuJIT
/// would compile once more what is called often, on a thread whose stack is too small for large functions, and within limits that they exceed.
/// </summary>
/// <remarks>
/// Unsafe: reads the image's headers and the runtime's stubs, which live as long as the assembly. Instructions that are not those of a known stub are left
/// alone, and so is a stub that leads anywhere but into the image.
/// </remarks>
internal sealed unsafe class NativeImage
{
    /// <summary>The section of a ReadyToRun header with an entry for each method that has code.</summary>
    private const uint MethodEntries = 103;

    private const uint Signature = 0x00525452; // "RTR"

    /// <summary>More than the headers take.</summary>
    private const int FirstBytes = 1024;

    private readonly byte* start;
    private readonly uint size;
    private readonly byte* entries;

    private NativeImage(byte* start, uint size, byte* entries)
    {
        this.start = start;
        this.size = size;
        this.entries = entries;
    }

    /// <summary>The image around something in it; null if there is none there, or one whose code is not used.</summary>
    /// <param name="address">An address in the image: that of a resource, as .NET gives it.</param>
    /// <param name="relative">The same relative to the image's beginning, if .NET has mapped it for its code.</param>
    internal static NativeImage? Of(nint address, int relative)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !OperatingSystem.IsLinux()) return null;
        var start = (byte*)address - relative;
        // A file that is only read lies otherwise, and there may be nothing where it would begin.
        Span<byte> first = stackalloc byte[FirstBytes];
        if ((nuint)start % (nuint)Environment.SystemPageSize != 0 || !TryRead(start, first) || first[0] != 'M' || first[1] != 'Z') return null;
        // From the DOS header to the optional one of 64 bits, with the size of the image and the directory of the CLR's header.
        const int headersAt = 0x3c, optionalHeader = 4 + 20, sizeOfImage = 56, clrDirectory = 112 + (14 * 8), resources = 24, nativeDirectory = 64;
        int headers = BitConverter.ToInt32(first[headersAt..]);
        if (headers < 0 || headers > FirstBytes - optionalHeader - clrDirectory - sizeof(int)) return null;
        byte* optional = start + headers + optionalHeader;
        uint size = *(uint*)(optional + sizeOfImage), clr = *(uint*)(optional + clrDirectory);
        if ((uint)relative >= size || clr == 0 || clr >= size || *(uint*)(start + clr + resources) + sizeof(int) != (uint)relative) return null;
        uint native = *(uint*)(start + clr + nativeDirectory);
        if (native == 0 || native >= size || *(uint*)(start + native) != Signature) return null;
        const uint countAt = 12, sectionsAt = 16, sectionBytes = 12;
        if (native > size - sectionsAt) return null;
        uint sections = *(uint*)(start + native + countAt);
        if (sections > (size - native - sectionsAt) / sectionBytes) return null;
        for (uint* section = (uint*)(start + native + sectionsAt); sections > 0; sections--, section += 3)
            if (section[0] == MethodEntries) return section[1] < size ? new NativeImage(start, size, start + section[1]) : null;
        return null;
    }

    /// <summary>Reads memory of which it is not known whether it is there.</summary>
    private static bool TryRead(byte* from, Span<byte> to)
    {
        try
        {
            using SafeFileHandle memory = PlainFile.OpenHandle("/proc/self/mem");
            return RandomAccess.Read(memory, to, (long)from) == to.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Whether a method, given by its token, has code. The runtime may refuse it all the same.</summary>
    internal bool HasCode(int token)
    {
        // An array of blocks of 16 elements, each a tree of bits; what has no code has no leaf.
        const int block = 16;
        uint index = (uint)(token & 0xffffff) - 1;
        byte* at = entries;
        uint header = Decode(ref at);
        if (index >= header >> 2) return false;
        uint start = index / block;
        byte* node = at + ((header & 3) switch { 0 => at[start], 1 => ((ushort*)at)[start], _ => ((uint*)at)[start] });
        for (uint bit = block / 2; bit > 0; bit /= 2)
        {
            byte* left = node;
            uint value = Decode(ref left);
            if ((index & bit) != 0 && (value & 2) != 0) node += value >> 2;
            else if ((index & bit) == 0 && (value & 1) != 0) node = left;
            else return (value & 3) == 0 && value >> 2 == index % block;
        }
        return true;
    }

    /// <summary>A number of one to five bytes, whose lowest bits say how many.</summary>
    private static uint Decode(ref byte* at)
    {
        uint first = *at;
        int more = (first & 1) == 0 ? 0 : (first & 2) == 0 ? 1 : (first & 4) == 0 ? 2 : (first & 8) == 0 ? 3 : 4;
        if (more == 4)
        {
            uint whole = *(uint*)(at + 1);
            at += 5;
            return whole;
        }
        uint value = first >> (more + 1);
        for (int i = 1; i <= more; i++) value |= (uint)at[i] << ((8 * i) - more - 1);
        at += more + 1;
        return value;
    }

    private bool Has(nint address) => (nuint)(address - (nint)start) < size;

    /// <summary>The code in the image that a pointer to a method leads to; the pointer itself if it leads elsewhere.</summary>
    internal nint CodeBehind(nint pointer)
    {
        if (Has(pointer)) return pointer;
        var at = (byte*)pointer;
        // A stub that also says which method it is for begins with mov r10, [rip + n]
        if (at[0] == 0x4c && at[1] == 0x8b && at[2] == 0x15) at += 7;
        // jmp [rip + n]
        if (at[0] != 0xff || at[1] != 0x25) return pointer;
        nint target = *(nint*)(at + 6 + *(int*)(at + 2));
        return Has(target) ? target : pointer;
    }
}
