using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Reads the value of a value definition and encodes it as its type asks for.</summary>
/// <param name="source">The text.</param>
/// <param name="position">The first token of the value.</param>
/// <param name="end">The token behind the definition.</param>
/// <param name="scope">The component that has the definition.</param>
internal sealed class ComponentValueReader(Source source, int position, int end, ComponentScope scope) : TokenCursor(source, position, end)
{
    /// <summary>Reads a value.</summary>
    /// <param name="type">The bytes of its type.</param>
    /// <param name="writer">Gets its encoding.</param>
    /// <returns>The token behind it.</returns>
    internal int Read(byte[] type, ByteWriter writer)
    {
        var bytes = new TypeCursor(type, scope);
        Value(ref bytes, writer);
        return Position;
    }

    /// <summary>A position in the bytes of a type.</summary>
    private ref struct TypeCursor(byte[] bytes, ComponentScope scope)
    {
        private ByteReader reader = new(bytes, 0, bytes.Length);

        internal readonly ComponentScope Scope => scope;

        internal readonly byte Peek => reader.Peek();

        internal byte U8() => reader.U8();

        internal uint U32() => reader.U32();

        internal string Name() => Encoding.UTF8.GetString(reader.Bytes(reader.U32()));

        /// <summary>Steps over a value type.</summary>
        internal void SkipType()
        {
            if (TypeByte.IsCode(Peek)) U8();
            else U32();
        }
    }

    private WatException Mismatch(string type) => Error($"type mismatch: {type} expected");

    /// <summary>A value of the type at the cursor, which is a primitive type or an index, or the definition of a type.</summary>
    private void Value(ref TypeCursor type, ByteWriter writer)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (!TypeByte.IsCode(type.Peek))
        {
            uint index = type.U32();
            TypeOrigin origin = type.Scope.TypeAt(index) ?? throw Error("the definition of the value's type is not here; (binary ...) can write the value");
            var definition = new TypeCursor(origin.Bytes, origin.Scope);
            Value(ref definition, writer);
            return;
        }
        byte code = type.U8();
        switch (code)
        {
            case ComponentTypeByte.Bool:
                if (!IsAtom("true") && !IsAtom("false")) throw Mismatch("bool");
                writer.U8((byte)(Atom() == "true" ? 1 : 0));
                break;
            case ComponentTypeByte.S8: writer.U8((byte)Signed(8, "s8")); break;
            case ComponentTypeByte.U8: writer.U8((byte)Unsigned(8, "u8")); break;
            case ComponentTypeByte.S16: writer.S64(Signed(16, "s16")); break;
            case ComponentTypeByte.U16: writer.U64(Unsigned(16, "u16")); break;
            case ComponentTypeByte.S32: writer.S64(Signed(32, "s32")); break;
            case ComponentTypeByte.U32: writer.U64(Unsigned(32, "u32")); break;
            case ComponentTypeByte.S64: writer.S64(Signed(64, "s64")); break;
            case ComponentTypeByte.U64: writer.U64(Unsigned(64, "u64")); break;
            case ComponentTypeByte.F32: writer.Fixed32((uint)Float(false)); break;
            case ComponentTypeByte.F64: writer.Fixed64(Float(true)); break;
            case ComponentTypeByte.Char: writer.Bytes(Character()); break;
            case ComponentTypeByte.String: writer.Vector(Name()); break;
            case ComponentTypeByte.Record or ComponentTypeByte.Tuple: Fields(ref type, writer, code == ComponentTypeByte.Record); break;
            case ComponentTypeByte.Variant: Variant(ref type, writer); break;
            case ComponentTypeByte.List or ComponentTypeByte.FixedList: List(type, writer, code == ComponentTypeByte.FixedList); break;
            case ComponentTypeByte.Flags: Flags(ref type, writer); break;
            case ComponentTypeByte.Enum: Enumeration(ref type, writer); break;
            case ComponentTypeByte.Option:
                {
                    bool isSome = TakeOpen("some");
                    if (!isSome && !TakeAtom("none")) throw Mismatch("option");
                    writer.U8((byte)(isSome ? 1 : 0));
                    if (!isSome) break;
                    Value(ref type, writer);
                    Close();
                    break;
                }
            case ComponentTypeByte.Result: ResultValue(ref type, writer); break;
            default: throw Error("a value of this type cannot be written");
        }
    }

    private long Signed(int bits, string type)
    {
        if (Current.Kind != TokenKind.Atom) throw Mismatch(type);
        Numbers.Outcome outcome = Numbers.Integer(Current.Text, 64, out ulong value);
        if (outcome == Numbers.Outcome.NotANumber) throw Mismatch(type);
        long number = (long)value, limit = long.MaxValue >> (64 - bits);
        if (outcome != Numbers.Outcome.Ok || number > limit || number < ~limit || (number < 0 && Current.Text[0] != '-')) throw Error("constant out of range");
        Position++;
        return number;
    }

    private ulong Float(bool is64)
    {
        if (Current.Kind != TokenKind.Atom || Current.Text.Contains("nan:", StringComparison.Ordinal)) throw Mismatch(is64 ? "f64" : "f32");
        switch (Numbers.Float(Current.Text, is64, out ulong bits))
        {
            case Numbers.Outcome.OutOfRange: throw Error("constant out of range");
            case Numbers.Outcome.NotANumber: throw Mismatch(is64 ? "f64" : "f32");
        }
        Position++;
        // There is one value that is not a number.
        bool isNan = is64 ? double.IsNaN(BitConverter.UInt64BitsToDouble(bits)) : float.IsNaN(BitConverter.UInt32BitsToSingle((uint)bits));
        return !isNan ? bits : is64 ? 0x7ff8_0000_0000_0000UL : 0x7fc0_0000UL;
    }

    private ReadOnlySpan<byte> Character()
    {
        if (Current.Kind != TokenKind.Atom || Current.Bytes is not { } bytes) throw Mismatch("char");
        if (Rune.DecodeFromUtf8(bytes, out _, out int length) != System.Buffers.OperationStatus.Done || length != bytes.Length) throw Error("malformed character");
        Position++;
        return bytes;
    }

    private void Fields(ref TypeCursor type, ByteWriter writer, bool isRecord)
    {
        Open(isRecord ? "record" : "tuple");
        uint count = type.U32();
        for (uint i = 0; i < count; i++)
        {
            if (isRecord) type.Name();
            Value(ref type, writer);
        }
        Close();
    }

    private void Variant(ref TypeCursor type, ByteWriter writer)
    {
        Open("variant");
        string name = Encoding.UTF8.GetString(Name());
        uint count = type.U32();
        for (uint i = 0; i < count; i++)
        {
            bool isChosen = type.Name() == name, hasType = type.U8() == 1;
            if (isChosen)
            {
                writer.U32(i);
                if (hasType) Value(ref type, writer);
                Close();
                return;
            }
            if (hasType) type.SkipType();
            type.U8();
        }
        throw Error($"unknown case {name}");
    }

    private void List(TypeCursor element, ByteWriter writer, bool isFixed)
    {
        Open("list");
        var items = new ByteWriter();
        uint count = 0;
        for (; Current.Kind != TokenKind.Close; count++)
        {
            TypeCursor item = element;
            Value(ref item, items);
        }
        if (isFixed)
        {
            element.SkipType();
            if (element.U32() != count) throw Error("type mismatch: a list of a fixed length has another number of items");
        }
        else
        {
            writer.U32(count);
        }
        writer.Bytes(items.Span);
        Close();
    }

    private void Flags(ref TypeCursor type, ByteWriter writer)
    {
        Open("flags");
        uint count = type.U32();
        var labels = new Dictionary<string, int>();
        for (int i = 0; i < count; i++) labels[type.Name()] = i;
        byte[] bits = new byte[(count + 7) / 8];
        while (Current.Kind != TokenKind.Close)
        {
            string name = Encoding.UTF8.GetString(Name());
            if (!labels.TryGetValue(name, out int bit)) throw Error($"unknown flag {name}");
            bits[bit / 8] |= (byte)(1 << (bit % 8));
        }
        writer.Bytes(bits);
        Close();
    }

    private void Enumeration(ref TypeCursor type, ByteWriter writer)
    {
        Open("enum");
        string name = Encoding.UTF8.GetString(Name());
        uint count = type.U32();
        for (uint i = 0; i < count; i++)
        {
            if (type.Name() != name) continue;
            writer.U32(i);
            Close();
            return;
        }
        throw Error($"unknown case {name}");
    }

    private void ResultValue(ref TypeCursor type, ByteWriter writer)
    {
        bool isOpen = Current.Kind == TokenKind.Open;
        if (isOpen) Position++;
        if (!IsAtom("ok") && !IsAtom("error")) throw Mismatch("result");
        bool isError = Atom() == "error";
        writer.U8((byte)(isError ? 1 : 0));
        bool hasType = type.U8() == 1;
        if (isError)
        {
            if (hasType) type.SkipType();
            hasType = type.U8() == 1;
        }
        if (hasType != isOpen) throw Error(hasType ? "type mismatch: a value expected" : "type mismatch: no value expected");
        if (!isOpen) return;
        Value(ref type, writer);
        Close();
    }
}
