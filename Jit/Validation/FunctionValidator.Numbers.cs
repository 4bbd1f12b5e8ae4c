using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>
/// The fast path for code without errors: operators of one byte on numbers, with immediates of a few bytes. What the table
/// below says of an operator is taken from its row. At the first operator that is not of this kind, or is wrong, the general way goes on.
/// </summary>
/// <remarks>
/// Operators follow one another without a pattern, so a processor that had to guess what comes next would be wrong for every third. Three of four operators
/// therefore take the same way, without a branch that depends on which they are (<see cref="Quick.Plain"/>): masks from the table say what counts.
/// </remarks>
internal sealed partial class FunctionValidator
{
    /// <summary>What an operator is to the fast path.</summary>
    private enum Quick : byte
    {
        /// <summary>Not met yet.</summary>
        Unknown,

        /// <summary>The general way validates it.</summary>
        General,

        /// <summary>The table says all: the types, and how long the immediates are.</summary>
        Plain,

        // The others have code of their own.
        GlobalGet, GlobalSet, Select, Unreachable, Block, Loop, If, Else, End, Br, BrIf, Return, Call, CallIndirect,
    }

    /// <summary>
    /// By the byte of an operator an entry, whose parts begin at the bits below. It is made of the operator's row when the operator is met for the first time. Kinds
    /// (<see cref="ValKind"/>) have four bits, and so have masks of kinds, which are all ones where the kind counts and otherwise zero.
    /// </summary>
    private static readonly ulong[] QuickTable = new ulong[256];

    /// <summary>The same where accesses go the general way: there is no memory, or it has addresses of 64 bits.</summary>
    private static readonly ulong[] TableWithoutMemory = new ulong[256];

    /// <summary>Where the number among the immediates stands: <see cref="NoNumber"/>, <see cref="NumberAtOne"/> or <see cref="NumberAtTwo"/>. Then the <see cref="Quick"/>.</summary>
    private const int PlaceAt = 0, QuickAt = 8;

    /// <summary>The kinds of the operand on top, of the one below it, and of the result; masks for the two operands.</summary>
    private const int TopAt = 16, BelowAt = 20, ResultAt = 24, TopMaskAt = 28, BelowMaskAt = 32;

    /// <summary>How many operands are popped, and pushed.</summary>
    private const int PopsAt = 36, PushesAt = 38;

    /// <summary>How many bytes the operator has if its number is one byte; how many more bytes the number may have.</summary>
    private const int BytesAt = 40, MostMoreAt = 44;

    /// <summary>The most that the byte behind the opcode may be, which is the alignment of an access.</summary>
    private const int AlignmentAt = 48;

    /// <summary>Masks: of operators that push the kind of a local, and of those that pop it.</summary>
    private const int ReadsLocalAt = 56, WritesLocalAt = 60;
    private const uint KindMask = 15, PopsMask = 3, PushesMask = 1, BytesMask = 15, MostMoreMask = 3;

    /// <summary>Where a number stands in an operator: nowhere, behind its first byte, behind its second. The values are where <see cref="MoreBytes"/> has the number's length.</summary>
    private const ulong NoNumber = 0, NumberAtOne = 4, NumberAtTwo = 8;

    /// <summary>How many more bytes a number may have. <see cref="IsPadded"/> looks at longer ones; but few functions have indices of locals of three bytes, which go the general way.</summary>
    private const ulong MostMore = 3, MostMoreOfLocal = 1;

    /// <summary>How many more bytes the padded numbers of linkers have, which leave room for any number of 32 bits.</summary>
    private const int MorePadded = 4;

    /// <summary>No operator of the fast path has more bytes.</summary>
    private const int LongestQuick = 16;

    /// <summary>Makes the entry of an operator.</summary>
    private static ulong Learn(ulong[] table, byte first)
    {
        ulong entry = OperatorTable.Find(0, first) is { } op && (op.MemArg is null || table != TableWithoutMemory) ? EntryOf(op) : Special(Quick.General);
        table[first] = entry;
        return entry;
    }

    private static ulong Special(Quick kind) => (ulong)kind << QuickAt;

    private static ulong EntryOf(Operator op)
    {
        if (op.IsRestricted) return Special(Quick.General);
        return op.Id switch
        {
            OpId.LocalGet => Local(ReadsLocalAt) | (1UL << PushesAt),
            OpId.LocalSet => Local(WritesLocalAt) | (1UL << PopsAt) | ((ulong)KindMask << TopMaskAt),
            OpId.LocalTee => Local(ReadsLocalAt) | Local(WritesLocalAt) | (1UL << PopsAt) | (1UL << PushesAt) | ((ulong)KindMask << TopMaskAt),
            // The operand may be of any kind.
            OpId.Drop => Plain(NoNumber, 1) | (1UL << PopsAt),
            OpId.GlobalGet => Special(Quick.GlobalGet),
            OpId.GlobalSet => Special(Quick.GlobalSet),
            OpId.Select => Special(Quick.Select),
            OpId.Unreachable => Special(Quick.Unreachable),
            OpId.Block => Special(Quick.Block),
            OpId.Loop => Special(Quick.Loop),
            OpId.If => Special(Quick.If),
            OpId.Else => Special(Quick.Else),
            OpId.End => Special(Quick.End),
            OpId.Br => Special(Quick.Br),
            OpId.BrIf => Special(Quick.BrIf),
            OpId.Return => Special(Quick.Return),
            OpId.Call => Special(Quick.Call),
            OpId.CallIndirect => Special(Quick.CallIndirect),
            _ when op.HasSignature && FormOf(op) is { } form && TypesOf(op) is { } types => form | types,
            _ => Special(Quick.General),
        };
    }

    /// <summary>An entry for <see cref="Quick.Plain"/> without operands and results.</summary>
    private static ulong Plain(ulong number, ulong bytes, ulong mostMore = MostMore, ulong alignment = byte.MaxValue) =>
        Special(Quick.Plain) | (number << PlaceAt) | (bytes << BytesAt) | (mostMore << MostMoreAt) | (alignment << AlignmentAt);

    /// <summary>The same with the index of a local.</summary>
    private static ulong Local(int maskAt) => Plain(NumberAtOne, 2, MostMoreOfLocal) | ((ulong)KindMask << maskAt);

    /// <summary>What an operator pops and pushes, if an entry can say it.</summary>
    private static ulong? TypesOf(Operator op)
    {
        if (op.Params.Length > 2 || op.Results.Length > 1) return null;
        ulong types = (ulong)op.Params.Length << PopsAt;
        for (int i = 0; i < op.Params.Length; i++)
        {
            // The address of a small memory.
            ValKind operand = op.Params[i].Kind == ValKind.Bottom ? ValKind.I32 : op.Params[i].Kind;
            if (operand == ValKind.Ref) return null;
            bool isTop = i == op.Params.Length - 1;
            types |= ((ulong)operand << (isTop ? TopAt : BelowAt)) | ((ulong)KindMask << (isTop ? TopMaskAt : BelowMaskAt));
        }
        if (op.Results.Length == 0) return types;
        if (op.Results[0].Kind is ValKind.Ref or ValKind.Bottom) return null;
        return types | ((ulong)op.Results[0].Kind << ResultAt) | (1UL << PushesAt);
    }

    /// <summary>The immediates of an operator, if an entry can say them.</summary>
    private static ulong? FormOf(Operator op)
    {
        if (op.Immediates.IsEmpty) return Plain(NoNumber, 1);
        if (op.Immediates.Length > 1) return null;
        return op.Immediates[0].Kind switch
        {
            // The offset stands behind the alignment. That is no larger than the natural one, so it has no bit that says that a memory is named.
            ImmediateKind.MemArg when !op.Has(OpTraits.Atomic) => Plain(NumberAtTwo, 3, alignment: (ulong)op.NaturalAlignment),
            ImmediateKind.I32 or ImmediateKind.I64 => Plain(NumberAtOne, 2),
            ImmediateKind.F32 => Plain(NoNumber, 1 + sizeof(float)),
            ImmediateKind.F64 => Plain(NoNumber, 1 + sizeof(double)),
            _ => null,
        };
    }

    /// <summary>Validates what the fast path knows.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="at">Where the code goes on.</param>
    /// <param name="end">Where it ends.</param>
    /// <returns>Where the first operator is that the general way has to look at, or has been reached after so many bytes.</returns>
    private int PassNumbers(ReadOnlySpan<byte> bytes, int at, int end)
    {
        // Other threads write the table meanwhile. A processor of 32 bits would read an entry in two halves.
        if (!Environment.Is64BitProcess) return at;
        // An operator that is cut off by the end of its code is read beyond it, and refused; but nothing beyond the module is read.
        int last = Math.Min(Math.Min(end - 1, bytes.Length - LongestQuick), at + BytesUntilPoll);
        ulong[] table = hasSmallMemory ? QuickTable : TableWithoutMemory;
        ValKind[] kinds = stack.Kinds, declared = locals.Kinds;
        var count = (uint)locals.Listed;
        int height = stack.End, bottom = stack.Top.Height;
        while (at <= last)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
            ulong entry = table[(byte)word];
            if ((Quick)(byte)(entry >> QuickAt) != Quick.Plain)
            {
                if (entry == 0) entry = Learn(table, (byte)word);
                var special = (Quick)(byte)(entry >> QuickAt);
                if (special == Quick.Plain) continue;
                stack.SetEnd(height);
                int behind = special == Quick.General ? 0 : Control(special, bytes, at + 1, end);
                if (behind == 0) return at;
                kinds = stack.Kinds;
                height = stack.End;
                bottom = stack.Top.Height;
                at = behind;
                continue;
            }
            // How long it is. A shift looks at the five lowest bits of its count alone, which are the place of the number.
            int more = MoreBytes(word) >> (int)entry & 15;
            int next = at + (int)(entry >> BytesAt & BytesMask) + more;
            if ((byte)(word >> 8) > (byte)(entry >> AlignmentAt) || next > end) break;
            if ((uint)more > (uint)(entry >> MostMoreAt & MostMoreMask) && !IsPadded(entry, word, more)) break;
            // The kind of the local that it names. Other operators take local 0, whose kind does not count.
            uint isLocal = (uint)(entry >> ReadsLocalAt | entry >> WritesLocalAt) & KindMask;
            uint index = ((uint)(word >> 8) & 0x7f) | ((uint)(word >> 9) & 0x3f80 & (uint)-more);
            index &= (uint)-(int)(isLocal & 1);
            if (index >= count && isLocal != 0) break;
            uint local = (uint)declared[index] & isLocal;
            if (local == (uint)ValKind.Ref) break;
            // The operands: a bit is set where one is of another kind.
            uint wrong = (((uint)kinds[height - 1] ^ (uint)(entry >> TopAt) ^ (local & (uint)(entry >> WritesLocalAt))) & (uint)(entry >> TopMaskAt))
                | (((uint)kinds[height - 2] ^ (uint)(entry >> BelowAt)) & (uint)(entry >> BelowMaskAt));
            int lower = height - (int)(entry >> PopsAt & PopsMask);
            if ((wrong & KindMask) != 0 || lower < bottom || (uint)lower >= (uint)kinds.Length) break;
            // The result, which does not count where nothing is pushed.
            kinds[lower] = (ValKind)(((uint)(entry >> ResultAt) & KindMask) | (local & (uint)(entry >> ReadsLocalAt)));
            height = lower + (int)(entry >> PushesAt & PushesMask);
            at = next;
        }
        stack.SetEnd(height);
        return at;
    }

    /// <summary>Whether a number of five bytes is one of 32 bits, and so valid. A constant of 64 bits that needs all five goes the general way.</summary>
    private static bool IsPadded(ulong entry, ulong word, int more)
    {
        if (more != MorePadded) return false;
        var place = (int)entry & 15;
        // The last byte has the upper four bits of an offset or of a constant, whose sign goes on in it.
        uint last = (uint)(word >> (place == (int)NumberAtTwo ? 48 : 40)) & 0x7f;
        if (place == (int)NumberAtTwo) return last < 0x10;
        bool isLocal = entry >> ReadsLocalAt != 0;
        return !isLocal && (last < 0x08 || last >= 0x78);
    }

    /// <summary>
    /// How many bytes a number has behind its first: at bit <see cref="NumberAtOne"/> for one that begins at the second byte of a word, at bit <see cref="NumberAtTwo"/> for one that
    /// begins at the third, and at bit <see cref="NoNumber"/> zero. It is 8 if the number does not end in the word.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MoreBytes(ulong word)
    {
        ulong ends = ~word & 0x8080_8080_8080_8080;
        return ((BitOperations.TrailingZeroCount(ends >> 8) >> 3) << (int)NumberAtOne) | ((BitOperations.TrailingZeroCount(ends >> 16) >> 3) << (int)NumberAtTwo);
    }

    /// <summary>Reads an index of more than one byte, of which the first has been read.</summary>
    /// <returns>The index, the largest number if it is none of 32 bits; in the upper half where it ends.</returns>
    private static ulong ReadLongIndex(ReadOnlySpan<byte> bytes, uint first, int at)
    {
        uint index = first & 0x7f;
        for (int shift = 7; ; shift += 7)
        {
            uint next = bytes[at++];
            index |= (next & 0x7f) << shift;
            if (next < 0x80) return Both(shift == 28 && next >= 0x10 ? uint.MaxValue : index, at);
            if (shift == 28) return Both(uint.MaxValue, at);
        }

        static ulong Both(uint index, int at) => index | ((ulong)(uint)at << 32);
    }

    /// <summary>Validates what has code of its own: blocks and branches that carry at most one number, calls whose parameters and results are numbers, globals.</summary>
    /// <returns>Where the next operator is; 0 if the general way is to look at this one, for which nothing has changed then.</returns>
    private int Control(Quick op, ReadOnlySpan<byte> bytes, int at, int end)
    {
        uint index = 0;
        if (op is not (Quick.Else or Quick.End or Quick.Return or Quick.Unreachable))
        {
            index = bytes[at++];
            if (index >= 0x80)
            {
                // The type of a block is a signed number: two bytes are an index, never a byte's type.
                if (op is Quick.Block or Quick.Loop or Quick.If) return 0;
                ulong more = ReadLongIndex(bytes, index, at);
                index = (uint)more;
                at = (int)(more >> 32);
            }
            if (at > end) return 0;
        }
        bool isValid = op switch
        {
            Quick.Unreachable => true,
            Quick.Block => stack.TryOpen(OpId.Block, index),
            Quick.Loop => stack.TryOpen(OpId.Loop, index),
            Quick.If => TryCondition() && OrPutBack(stack.TryOpen(OpId.If, index)),
            Quick.Else => stack.TryElse(),
            Quick.End => stack.TryClose(),
            Quick.Br => stack.CanBranch(index),
            Quick.BrIf => TryCondition() && OrPutBack(stack.CanBranch(index)),
            Quick.Return => stack.EndsWithNumber(Results),
            Quick.GlobalGet => TryGlobalGet(index),
            Quick.GlobalSet => TryGlobalSet(index),
            Quick.Call => index < (uint)module.Funcs.Count && stack.TryCall(module.Funcs[(int)index].Func),
            // The table's number is one byte.
            Quick.CallIndirect => hasPlainTable && bytes[at++] == 0 && at <= end && index < (uint)module.Types.Count
                && module.Types[(int)index].AsFunc is { } callee && TryCondition() && OrPutBack(stack.TryCall(callee)),
            _ => false,
        };
        if (!isValid) return 0;
        if (op is Quick.Unreachable or Quick.Br or Quick.Return) stack.Unreachable();
        return at;
    }

    /// <summary>Puts a condition back if the rest of its operator is not valid.</summary>
    private bool OrPutBack(bool isValid)
    {
        if (!isValid) stack.SetEnd(stack.End + 1);
        return isValid;
    }

    private bool TryGlobalGet(uint index)
    {
        if (index >= (uint)module.Globals.Count || stack.End == stack.Kinds.Length) return false;
        ValKind kind = module.Globals[(int)index].Type.Type.Kind;
        if (kind == ValKind.Ref) return false;
        stack.Kinds[stack.End] = kind;
        stack.SetEnd(stack.End + 1);
        return true;
    }

    private bool TryGlobalSet(uint index)
    {
        if (index >= (uint)module.Globals.Count) return false;
        GlobalType type = module.Globals[(int)index].Type;
        int top = stack.End - 1;
        if (!type.IsMutable || type.Type.Kind == ValKind.Ref || top < stack.Top.Height || stack.Kinds[top] != type.Type.Kind) return false;
        stack.SetEnd(top);
        return true;
    }

    /// <summary>Pops a condition.</summary>
    private bool TryCondition()
    {
        int top = stack.End - 1;
        if (top < stack.Top.Height || stack.Kinds[top] != ValKind.I32) return false;
        stack.SetEnd(top);
        return true;
    }
}
