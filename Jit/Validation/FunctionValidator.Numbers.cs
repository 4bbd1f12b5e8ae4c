using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>
/// The fast path for code without errors: operators of one byte on numbers, with immediates of a few bytes. What the table
/// below says of an operator is taken from its row. At the first operator that is not of this kind, or is wrong, the general way goes on.
/// </summary>
internal sealed partial class FunctionValidator
{
    /// <summary>What an operator is to this loop.</summary>
    private enum Quick : byte
    {
        /// <summary>Not met yet.</summary>
        Unknown,
        General,
        Plain, Access, Signed32, Signed64, Fixed32, Fixed64,
        LocalGet, LocalSet, LocalTee, GlobalGet, GlobalSet, Drop, Select, Unreachable, Block, Loop, If, Else, End, Br, BrIf, Return, Call, CallIndirect,
    }

    /// <summary>
    /// By the byte of an operator: a <see cref="Quick"/>, then, of four bits each, the operand on top, the one below, the result, and the alignment. A
    /// row is read when its operator is met for the first time.
    /// </summary>
    private static readonly uint[] QuickTable = new uint[256];
    private const int TopAt = 8, BelowAt = 12, ResultAt = 16, AlignmentAt = 20, Mask = 15;

    /// <summary>No operator of the loop has more bytes.</summary>
    private const int LongestQuick = 16;

    private static uint Learn(byte first)
    {
        uint entry = OperatorTable.Find(0, first) is { } op ? EntryOf(op) : (uint)Quick.General;
        QuickTable[first] = entry;
        return entry;
    }

    private static uint EntryOf(Operator op)
    {
        Quick kind = op.IsRestricted ? Quick.General : op.Id switch
        {
            OpId.LocalGet => Quick.LocalGet,
            OpId.LocalSet => Quick.LocalSet,
            OpId.LocalTee => Quick.LocalTee,
            OpId.GlobalGet => Quick.GlobalGet,
            OpId.GlobalSet => Quick.GlobalSet,
            OpId.Drop => Quick.Drop,
            OpId.Select => Quick.Select,
            OpId.Unreachable => Quick.Unreachable,
            OpId.Block => Quick.Block,
            OpId.Loop => Quick.Loop,
            OpId.If => Quick.If,
            OpId.Else => Quick.Else,
            OpId.End => Quick.End,
            OpId.Br => Quick.Br,
            OpId.BrIf => Quick.BrIf,
            OpId.Return => Quick.Return,
            OpId.Call => Quick.Call,
            OpId.CallIndirect => Quick.CallIndirect,
            _ => op.HasSignature ? FormOf(op) : Quick.General,
        };
        var entry = (uint)kind;
        if (kind is < Quick.Plain or > Quick.Fixed64) return entry;
        if (op.Params.Length > 2 || op.Results.Length > 1) return (uint)Quick.General;
        int at = TopAt;
        for (int i = op.Params.Length - 1; i >= 0; i--, at += BelowAt - TopAt)
        {
            // The address of a small memory.
            ValKind operand = op.Params[i].Kind == ValKind.Bottom ? ValKind.I32 : op.Params[i].Kind;
            if (operand == ValKind.Ref) return (uint)Quick.General;
            entry |= (uint)operand << at;
        }
        if (op.Results.Length == 0) return entry | ((uint)op.NaturalAlignment << AlignmentAt);
        if (op.Results[0].Kind is ValKind.Ref or ValKind.Bottom) return (uint)Quick.General;
        return entry | ((uint)op.Results[0].Kind << ResultAt) | ((uint)op.NaturalAlignment << AlignmentAt);
    }

    private static Quick FormOf(Operator op)
    {
        if (op.Immediates.IsEmpty) return Quick.Plain;
        if (op.Immediates.Length > 1) return Quick.General;
        return op.Immediates[0].Kind switch
        {
            ImmediateKind.MemArg when !op.Has(OpTraits.Atomic) => Quick.Access,
            ImmediateKind.I32 => Quick.Signed32,
            ImmediateKind.I64 => Quick.Signed64,
            ImmediateKind.F32 => Quick.Fixed32,
            ImmediateKind.F64 => Quick.Fixed64,
            _ => Quick.General,
        };
    }

    /// <summary>Validates what is plain in this sense.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="at">Where the code goes on.</param>
    /// <param name="end">Where it ends.</param>
    /// <returns>Where the first operator is that the general way has to look at, or has been reached after so many bytes.</returns>
    private int PassNumbers(ReadOnlySpan<byte> bytes, int at, int end)
    {
        // What an operator has behind the end of its code is read, and found there, but never beyond the module.
        int last = Math.Min(Math.Min(end - 1, bytes.Length - LongestQuick), at + BytesUntilPoll);
        uint[] table = QuickTable;
        ValKind[] kinds = stack.Kinds;
        ReadOnlySpan<ValKind> declared = locals.Kinds;
        int height = stack.Height, bottom = stack.Top.Height;
        while (at <= last)
        {
            uint entry = table[bytes[at]];
            if (entry == (uint)Quick.Unknown) entry = Learn(bytes[at]);
            int next = at + 1;
            ValKind kind;
            uint index;
            switch ((Quick)(byte)entry)
            {
                case Quick.Plain: break;
                case Quick.Access:
                    if (!hasSmallMemory || bytes[next] > (entry >> AlignmentAt & Mask)) goto General;
                    next = Pass(bytes, next + 1);
                    break;
                case Quick.Signed32 or Quick.Signed64: next = Pass(bytes, next); break;
                case Quick.Fixed32: next += sizeof(uint); break;
                case Quick.Fixed64: next += sizeof(ulong); break;
                case Quick.LocalGet:
                    index = bytes[next++];
                    if (index >= 0x80)
                    {
                        ulong more = More(bytes, index, next);
                        index = (uint)more;
                        next = (int)(more >> 32);
                    }
                    if (index >= (uint)declared.Length || next > end || height == kinds.Length) goto General;
                    kind = declared[(int)index];
                    if (kind == ValKind.Ref) goto General;
                    kinds[height++] = kind;
                    at = next;
                    continue;
                case Quick.LocalSet or Quick.LocalTee:
                    index = bytes[next++];
                    if (index >= 0x80)
                    {
                        ulong more = More(bytes, index, next);
                        index = (uint)more;
                        next = (int)(more >> 32);
                    }
                    if (index >= (uint)declared.Length || next > end || height <= bottom) goto General;
                    kind = declared[(int)index];
                    if (kind == ValKind.Ref || kinds[height - 1] != kind) goto General;
                    if ((Quick)(byte)entry == Quick.LocalSet) height--;
                    at = next;
                    continue;
                case Quick.Drop:
                    if (height <= bottom) goto General;
                    height--;
                    at = next;
                    continue;
                case Quick.Select:
                    if (height - 3 < bottom || kinds[height - 1] != ValKind.I32 || kinds[height - 2] != kinds[height - 3]
                        || kinds[height - 2] is ValKind.Ref or ValKind.Bottom)
                        goto General;
                    height -= 2;
                    at = next;
                    continue;
                case Quick.Unknown or Quick.General: goto General;
                default:
                    stack.SetHeight(height);
                    next = Control((Quick)(byte)entry, bytes, next, end);
                    if (next == 0) goto General;
                    height = stack.Height;
                    bottom = stack.Top.Height;
                    at = next;
                    continue;
            }
            if (next > end || next == 0) goto General;
            int top = height;
            kind = (ValKind)(entry >> TopAt & Mask);
            if (kind != ValKind.Bottom)
            {
                if (top <= bottom || kinds[--top] != kind) goto General;
                kind = (ValKind)(entry >> BelowAt & Mask);
                if (kind != ValKind.Bottom && (top <= bottom || kinds[--top] != kind)) goto General;
            }
            kind = (ValKind)(entry >> ResultAt & Mask);
            if (kind != ValKind.Bottom)
            {
                if (top == kinds.Length) goto General;
                kinds[top++] = kind;
            }
            height = top;
            at = next;
        }
    General:
        stack.SetHeight(height);
        return at;
    }

    /// <summary>Passes a number that has few bytes, so that it is within all limits; 0 if it has more.</summary>
    private static int Pass(ReadOnlySpan<byte> bytes, int at)
    {
        for (int more = 4; bytes[at++] >= 0x80; more--)
            if (more == 1) return 0;
        return at;
    }

    /// <summary>An index of two or three bytes, of which the first has been read; the largest number if there are more.</summary>
    private static ulong More(ReadOnlySpan<byte> bytes, uint first, int at)
    {
        uint second = bytes[at++], index = (first & 0x7f) | (second << 7);
        if (second < 0x80) return Found(index, at);
        uint third = bytes[at++];
        return Found(third < 0x80 ? (index & 0x3fff) | (third << 14) : uint.MaxValue, at);
    }

    private static ulong Found(uint index, int at) => index | ((ulong)(uint)at << 32);

    /// <summary>Blocks, branches and calls that carry at most one number, or, calls, numbers alone; globals.</summary>
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
                ulong more = More(bytes, index, at);
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
            Quick.If => TryCondition() && Or(stack.TryOpen(OpId.If, index)),
            Quick.Else => stack.TryElse(),
            Quick.End => stack.TryClose(),
            Quick.Br => stack.CanBranch(index),
            Quick.BrIf => TryCondition() && Or(stack.CanBranch(index)),
            Quick.Return => stack.EndsWithNumber(Results),
            Quick.GlobalGet => TryGlobalGet(index),
            Quick.GlobalSet => TryGlobalSet(index),
            Quick.Call => index < (uint)module.Funcs.Count && stack.TryCall(module.Funcs[(int)index].Func),
            // The table's number is one byte.
            Quick.CallIndirect => hasPlainTable && bytes[at++] == 0 && at <= end && index < (uint)module.Types.Count
                && module.Types[(int)index].AsFunc is { } callee && TryCondition() && Or(stack.TryCall(callee)),
            _ => false,
        };
        if (!isValid) return 0;
        if (op is Quick.Unreachable or Quick.Br or Quick.Return) stack.Unreachable();
        return at;
    }

    /// <summary>Puts a condition back where the rest is not as it should be.</summary>
    private bool Or(bool isValid)
    {
        if (!isValid) stack.SetHeight(stack.Height + 1);
        return isValid;
    }

    private bool TryGlobalGet(uint index)
    {
        if (index >= (uint)module.Globals.Count || stack.Height == stack.Kinds.Length) return false;
        ValKind kind = module.Globals[(int)index].Type.Type.Kind;
        if (kind == ValKind.Ref) return false;
        stack.Kinds[stack.Height] = kind;
        stack.SetHeight(stack.Height + 1);
        return true;
    }

    private bool TryGlobalSet(uint index)
    {
        if (index >= (uint)module.Globals.Count) return false;
        GlobalType type = module.Globals[(int)index].Type;
        int top = stack.Height - 1;
        if (!type.IsMutable || type.Type.Kind == ValKind.Ref || top < stack.Top.Height || stack.Kinds[top] != type.Type.Kind) return false;
        stack.SetHeight(top);
        return true;
    }

    /// <summary>Pops a condition.</summary>
    private bool TryCondition()
    {
        int top = stack.Height - 1;
        if (top < stack.Top.Height || stack.Kinds[top] != ValKind.I32) return false;
        stack.SetHeight(top);
        return true;
    }
}
