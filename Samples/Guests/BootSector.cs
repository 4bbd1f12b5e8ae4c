using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace WasmJit.Guests;

/// <summary>A boot sector: it counts the primes below 60,000 some times, mixes numbers, prints the result as eight digits, and halts.</summary>
public static class BootSector
{
    private const int Limit = 60_000, Start = 0x7c00, Segment = 0x1000;

    /// <summary>The sector's 512 bytes.</summary>
    /// <param name="rounds">How often.</param>
    public static byte[] Make(int rounds)
    {
        var a = new Assembler(16);
        Label round = a.CreateLabel(), clear = a.CreateLabel(), number = a.CreateLabel(), cross = a.CreateLabel(), next = a.CreateLabel(), print = a.CreateLabel(), digit = a.CreateLabel();
        a.cli();
        a.xor(ax, ax);
        a.mov(ss, ax);
        a.mov(sp, Start);
        a.mov(ax, Segment);
        a.mov(ds, ax);
        a.mov(es, ax);
        a.mov(ebp, rounds);
        a.xor(ebx, ebx);
        a.Label(ref round);
        // One byte for each number.
        a.xor(di, di);
        a.Label(ref clear);
        a.mov(__byte_ptr[di], 0);
        a.inc(di);
        a.cmp(di, Limit);
        a.jb(clear);
        a.mov(si, 2);
        a.Label(ref number);
        a.cmp(__byte_ptr[si], 0);
        a.jne(next);
        a.imul(ebx, ebx, 1_103_515_245);
        a.movzx(eax, si);
        a.add(ebx, eax);
        a.movzx(edi, si);
        a.add(edi, edi);
        a.Label(ref cross);
        a.cmp(edi, Limit);
        a.jae(next);
        a.mov(__byte_ptr[di], 1);
        a.add(edi, eax);
        a.jmp(cross);
        a.Label(ref next);
        a.inc(si);
        a.cmp(si, Limit);
        a.jb(number);
        a.dec(ebp);
        a.jnz(round);
        a.mov(cx, 8);
        a.Label(ref print);
        a.rol(ebx, 4);
        a.mov(al, bl);
        a.and(al, 15);
        a.add(al, (byte)'0');
        a.cmp(al, (byte)'9');
        a.jbe(digit);
        a.add(al, 'a' - '9' - 1);
        a.Label(ref digit);
        a.@out(0xe9, al);
        a.dec(cx);
        a.jnz(print);
        a.hlt();

        using var code = new MemoryStream();
        a.Assemble(new StreamCodeWriter(code), Start);
        byte[] sector = new byte[512];
        code.ToArray().CopyTo(sector, 0);
        (sector[510], sector[511]) = (0x55, 0xaa);
        return sector;
    }

    /// <summary>What it prints.</summary>
    /// <param name="rounds">How often.</param>
    public static string Expected(int rounds)
    {
        uint mixed = 0;
        for (int round = 0; round < rounds; round++)
        {
            var crossed = new bool[Limit];
            for (uint number = 2; number < Limit; number++)
            {
                if (crossed[number]) continue;
                mixed = (mixed * 1_103_515_245) + number;
                for (uint multiple = 2 * number; multiple < Limit; multiple += number) crossed[multiple] = true;
            }
        }
        return mixed.ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
    }
}
