using System.Runtime.CompilerServices;
using WasmJit.Jit.Format;

namespace WasmJit.Jit.Operators;

/// <summary>A heap type as the binary has it: a type index, or the code of an abstract heap type as a negative number.</summary>
/// <param name="Code">A type index, or -(0x80 - code) of the one-byte form.</param>
/// <param name="IsExact">Whether <c>exact</c> stands before it (custom-descriptors).</param>
/// <param name="IsModule">Whether it is a module index: <c>exact</c> of the runtime-linking extension.</param>
internal readonly record struct HeapTypeCode(long Code, bool IsExact, bool IsModule = false);

/// <summary>The type of a block as the binary has it (spec 5.4.1).</summary>
internal enum BlockTypeForm : byte { Empty, Value, Index }

/// <summary>An operator with its immediates. The operator's row says which members count.</summary>
internal struct Instr
{
    internal Operator Op;
    internal int Offset;

    /// <summary>Index immediates in the order of the row; counts, fields, lanes and labels too.</summary>
    internal uint A, B, C;

    /// <summary>A number's bits; the low half of a vector; the offset of a memarg.</summary>
    internal ulong Bits;

    /// <summary>The high half of a vector.</summary>
    internal ulong High;

    /// <summary>log2 of a memarg's alignment.</summary>
    internal uint Align;

    /// <summary>The memory of a memarg.</summary>
    internal uint Memory;

    /// <summary>Whether a memarg names the heap type of a reference operand in place of a memory (runtime linking).</summary>
    internal bool HasMemoryRef;

    internal BlockTypeForm BlockForm;

    /// <summary>The type index of a block type, when it is one.</summary>
    internal uint BlockIndex;

    /// <summary>Where a value type, or a list of them, begins: block type, select types.</summary>
    internal int TypesAt;

    internal HeapTypeCode Heap1, Heap2;
    internal bool Nullable1, Nullable2;

    /// <summary>Where the items of a list (labels, catches, types) begin, and how many there are.</summary>
    internal int ListAt, ListCount;

    internal string? Name;

    internal readonly OpId Id => Op.Id;

    /// <summary>Whether it is an access through a reference. Of an operator without a memarg <see cref="HasMemoryRef"/> says nothing.</summary>
    internal readonly bool IsAccessThroughReference => HasMemoryRef && Op.MemArg is not null;
}

/// <summary>Reads operators with their immediates: the one decoder of code, for validator, emitter and printer.</summary>
internal ref struct CodeReader(ReadOnlySpan<byte> bytes, int start, int end)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private readonly Operator?[] oneByte = OperatorTable.OneByte;
    private ByteReader reader = new(bytes, start, end);

    internal int Position
    {
        readonly get => reader.Position;
        set => reader.Position = value;
    }

    internal readonly bool AtEnd => reader.AtEnd;

    /// <summary>
    /// Reads the next operator. It and its offset are set, and of the other members those of the operator's immediates. The rest is undefined.
    /// </summary>
    /// <exception cref="MalformedModuleException">No operator of the binary format, or the code ends.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Read(out Instr instr)
    {
        Unsafe.SkipInit(out instr);
        int at = reader.Position;
        byte first = reader.U8();
        Operator op = oneByte[first] ?? Find(first, at);
        instr.Op = op;
        instr.Offset = at;
        switch (op.Reading)
        {
            case ImmediateForm.None: break;
            case ImmediateForm.Index: instr.A = reader.U32(); break;
            case ImmediateForm.I32: instr.Bits = (uint)reader.S32(); break;
            case ImmediateForm.MemArg: ReadMemArg(ref instr); break;
            default: ReadImmediates(ref instr, op, at); break;
        }
    }

    private Operator Find(byte first, int at)
    {
        if (first is < OperatorPrefix.First or > OperatorPrefix.Last) return OperatorTable.Find(0, first) ?? throw reader.Error($"illegal opcode {first:x2}", at);
        uint code = reader.U32();
        return OperatorTable.Find(first, code) ?? throw reader.Error($"illegal opcode {first:x2} {code:x2}", at);
    }

    private void ReadImmediates(ref Instr instr, Operator op, int at)
    {
        instr = new Instr { Op = op, Offset = at };
        int slot = 0;
        foreach (Immediate immediate in op.Immediates)
        {
            switch (immediate.Kind)
            {
                case ImmediateKind.BlockType: ReadBlockType(ref instr); break;
                case ImmediateKind.Labels:
                    instr.ListCount = reader.Count();
                    instr.ListAt = reader.Position;
                    for (int i = 0; i <= instr.ListCount; i++) instr.A = reader.U32();
                    break;
                case ImmediateKind.I32: instr.Bits = (uint)reader.S32(); break;
                case ImmediateKind.I64: instr.Bits = (ulong)reader.S64(); break;
                case ImmediateKind.F32: instr.Bits = reader.Fixed32(); break;
                case ImmediateKind.F64: instr.Bits = reader.Fixed64(); break;
                case ImmediateKind.V128 or ImmediateKind.Lanes16:
                    instr.Bits = reader.Fixed64();
                    instr.High = reader.Fixed64();
                    break;
                case ImmediateKind.MemArg: ReadMemArg(ref instr); break;
                case ImmediateKind.Lane: instr.A = reader.U8(); break;
                case ImmediateKind.Zero:
                    if (reader.U8() != 0) throw reader.Error("zero byte expected", reader.Position - 1);
                    break;
                case ImmediateKind.ValTypes:
                    instr.ListCount = reader.Count();
                    instr.ListAt = reader.Position;
                    for (int i = 0; i < instr.ListCount; i++) SkipValType();
                    break;
                case ImmediateKind.HeapType: instr.Heap1 = ReadHeapType(); break;
                case ImmediateKind.RefType: instr.Heap1 = ReadHeapType(); break;
                case ImmediateKind.NullRefType:
                    instr.Heap1 = ReadHeapType();
                    instr.Nullable1 = true;
                    break;
                case ImmediateKind.CastFlags:
                    byte flags = reader.U8();
                    if (flags > 3) throw reader.Error("malformed br_on_cast flags", reader.Position - 1);
                    instr.Nullable1 = (flags & 1) != 0;
                    instr.Nullable2 = (flags & 2) != 0;
                    instr.A = reader.U32();
                    instr.Heap1 = ReadHeapType();
                    instr.Heap2 = ReadHeapType();
                    break;
                case ImmediateKind.Catches:
                    instr.ListCount = reader.Count();
                    instr.ListAt = reader.Position;
                    for (int i = 0; i < instr.ListCount; i++) ReadCatch(ref reader, out _, out _, out _);
                    break;
                case ImmediateKind.Name: instr.Name = reader.Name(); break;
                default:
                    uint index = reader.U32();
                    if (slot == 0) instr.A = index;
                    else if (slot == 1) instr.B = index;
                    else instr.C = index;
                    slot++;
                    break;
            }
        }
    }

    private void ReadBlockType(ref Instr instr)
    {
        byte b = reader.Peek();
        if (b == TypeByte.EmptyBlock)
        {
            reader.U8();
            instr.BlockForm = BlockTypeForm.Empty;
        }
        else if (TypeByte.IsCode(b))
        {
            instr.BlockForm = BlockTypeForm.Value;
            instr.TypesAt = reader.Position;
            SkipValType();
        }
        else
        {
            int at = reader.Position;
            long index = reader.S33();
            if (index < 0) throw reader.Error("malformed block type", at);
            instr.BlockForm = BlockTypeForm.Index;
            instr.BlockIndex = (uint)index;
        }
    }

    private void ReadMemArg(ref Instr instr)
    {
        int at = reader.Position;
        uint flags = reader.U32();
        if (flags >= 0x100) throw reader.Error("malformed memop flags", at);
        instr.Align = flags & MemArgFlags.Alignment;
        instr.Memory = 0;
        instr.HasMemoryRef = false;
        if ((flags & ~MemArgFlags.Alignment) == (MemArgFlags.HasMemory | MemArgFlags.HasReference)) throw reader.Error("malformed memop flags", at);
        if ((flags & MemArgFlags.HasMemory) != 0) instr.Memory = reader.U32();
        if ((flags & MemArgFlags.HasReference) != 0)
        {
            instr.HasMemoryRef = true;
            instr.Heap1 = ReadHeapType();
        }
        instr.Bits = reader.U64();
    }

    private HeapTypeCode ReadHeapType() => ReadHeapType(ref reader);

    internal static HeapTypeCode ReadHeapType(ref ByteReader reader)
    {
        int at = reader.Position;
        bool exact = false;
        if (reader.Peek() == TypeByte.ExactModule)
        {
            reader.U8();
            return new HeapTypeCode(reader.U32(), false, true);
        }
        if (reader.Peek() == TypeByte.Exact)
        {
            reader.U8();
            exact = true;
        }
        long code = reader.S33();
        if (code < -0x40) throw reader.Error("malformed heap type", at);
        if (code < 0 && (exact || HeapType.FromCode((int)code & 0x7f) is null)) throw reader.Error("malformed heap type", at);
        return new HeapTypeCode(code, exact);
    }

    /// <summary>Reads past a value type without resolving it.</summary>
    private void SkipValType() => SkipValType(ref reader);

    internal static void SkipValType(ref ByteReader reader)
    {
        int at = reader.Position;
        byte b = reader.U8();
        if (b is TypeByte.RefNull or TypeByte.Ref) ReadHeapType(ref reader);
        else if (b is not (>= TypeByte.V128 and <= TypeByte.I32) && HeapType.FromCode(b) is null) throw reader.Error("malformed value type", at);
    }

    /// <summary>A clause of <c>try_table</c>: kind 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref.</summary>
    internal static void ReadCatch(ref ByteReader reader, out byte kind, out uint tag, out uint label)
    {
        kind = reader.U8();
        if (kind > CatchByte.CatchAllRef) throw reader.Error("malformed catch clause", reader.Position - 1);
        tag = kind < CatchByte.CatchAll ? reader.U32() : 0;
        label = reader.U32();
    }

    /// <summary>A reader for the list of an operator just read.</summary>
    internal readonly ByteReader List(in Instr instr) => new(bytes, instr.ListAt, reader.Position);

    /// <summary>A reader at the value type of a block just read.</summary>
    internal readonly ByteReader Types(in Instr instr) => new(bytes, instr.TypesAt, reader.Position);
}
