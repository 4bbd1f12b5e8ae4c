using System.Collections.Immutable;
using System.Text;

namespace WasmJit.Components;

/// <summary>
/// One copy of values into a component's memory, or out of it, by the canonical ABI of the component model. Everything that comes from the component
/// is checked: addresses, alignments, cases, characters, and how much is copied in all, since parts of a memory can be named many times.
/// </summary>
internal sealed class CanonicalAbi(Memory memory, Func<int, int, int, int, int>? realloc, long budget)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static TrapException Trap(string reason) => Runtime.Trap.Make(TrapKind.InvalidComponentValue, reason);

    private void Spend(ulong bytes)
    {
        if (bytes > (ulong)budget) throw Trap("more is copied than may be");
        budget -= (long)bytes;
    }

    private void Check(uint address, ulong size, uint alignment)
    {
        if ((address & (alignment - 1)) != 0) throw Trap($"address {address} is not aligned to {alignment}");
        if (address > memory.Length || size > memory.Length - address) throw Trap($"{size} bytes at {address} are not inside the memory");
    }

    /// <summary>Checks the address that the component gives for a result.</summary>
    internal void CheckRoom(uint address, ComponentType type) => Check(address, type.Size, type.Alignment);

    internal uint Allocate(ulong size, uint alignment)
    {
        if (size == 0) return alignment;
        if (size > int.MaxValue) throw Trap($"{size} bytes for a component");
        if (realloc is null) throw new LinkException("the component exports no cabi_realloc");
        uint address = (uint)realloc(0, 0, (int)alignment, (int)size);
        Check(address, size, alignment);
        return address;
    }

    // ---- into the component ----

    /// <summary>Appends the numbers of a value.</summary>
    internal void Lower(object? value, ComponentType type, List<object> flat)
    {
        switch (type.Kind)
        {
            case ComponentKind.String or ComponentKind.List:
                (uint address, uint length) = LowerList(value, type);
                flat.Add((int)address);
                flat.Add((int)length);
                break;
            case ComponentKind.Record:
                object?[] fields = Fields(value, type);
                for (int i = 0; i < fields.Length; i++) Lower(fields[i], type.Items[i].Type!, flat);
                break;
            case ComponentKind.Variant or ComponentKind.Option:
                int index = CaseOf(value, type, out object? inner);
                flat.Add(index);
                var own = new List<object>();
                if (type.Cases[index].Type is { } caseType) Lower(inner, caseType, own);
                for (int i = 1; i < type.Flat.Length; i++) flat.Add(i <= own.Count ? Widen(own[i - 1], type.Flat[i]) : Zero(type.Flat[i]));
                break;
            default: flat.Add(Number(value, type)); break;
        }
    }

    internal void Store(object? value, ComponentType type, uint address)
    {
        switch (type.Kind)
        {
            case ComponentKind.String or ComponentKind.List:
                (uint start, uint length) = LowerList(value, type);
                memory.Write(address, start);
                memory.Write(address + 4, length);
                break;
            case ComponentKind.Record:
                object?[] fields = Fields(value, type);
                for (int i = 0; i < fields.Length; i++) Store(fields[i], type.Items[i].Type!, address + type.Offsets[i]);
                break;
            case ComponentKind.Variant or ComponentKind.Option:
                int index = CaseOf(value, type, out object? inner);
                WriteInteger(address, index, type.TagSize);
                if (type.Cases[index].Type is { } caseType) Store(inner, caseType, address + type.Offsets[0]);
                break;
            default:
                switch (Number(value, type))
                {
                    case int i: WriteInteger(address, i, type.Size); break;
                    case long l: memory.Write(address, l); break;
                    case float f: memory.Write(address, f); break;
                    case double d: memory.Write(address, d); break;
                }
                break;
        }
    }

    private void WriteInteger(uint address, int value, uint size)
    {
        if (size == 1) memory.Write(address, (byte)value);
        else if (size == 2) memory.Write(address, (short)value);
        else memory.Write(address, value);
    }

    private (uint Address, uint Length) LowerList(object? value, ComponentType type)
    {
        if (type.Kind == ComponentKind.String || type.Element!.Kind == ComponentKind.U8)
        {
            byte[] bytes = type.Kind == ComponentKind.List ? Is<byte[]>(value, type) : Encode(Is<string>(value, type));
            Spend((ulong)bytes.Length);
            uint start = Allocate((ulong)bytes.Length, 1);
            memory.WriteBytes(start, bytes);
            return (start, (uint)bytes.Length);
        }
        object?[] items = Is<object?[]>(value, type);
        ulong size = (ulong)items.Length * type.Element.Size;
        Spend(size);
        uint address = Allocate(size, type.Element.Alignment);
        for (int i = 0; i < items.Length; i++) Store(items[i], type.Element, address + ((uint)i * type.Element.Size));
        return (address, (uint)items.Length);
    }

    private static byte[] Encode(string text)
    {
        try
        {
            return Strict.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A string has half of a surrogate pair in it.", e);
        }
    }

    private static object Number(object? value, ComponentType type) => type.Kind switch
    {
        ComponentKind.Bool => (object)(Is<bool>(value, type) ? 1 : 0),
        ComponentKind.S8 => (int)Is<sbyte>(value, type),
        ComponentKind.U8 => (int)Is<byte>(value, type),
        ComponentKind.S16 => (int)Is<short>(value, type),
        ComponentKind.U16 => (int)Is<ushort>(value, type),
        ComponentKind.S32 => Is<int>(value, type),
        ComponentKind.U32 => (int)Is<uint>(value, type),
        ComponentKind.S64 => Is<long>(value, type),
        ComponentKind.U64 => (long)Is<ulong>(value, type),
        ComponentKind.F32 => Is<float>(value, type),
        ComponentKind.F64 => Is<double>(value, type),
        ComponentKind.Char => Is<Rune>(value, type).Value,
        _ => Mask(Is<uint>(value, type), type),
    };

    private static int Mask(uint flags, ComponentType type) => (int)(flags & (uint)((1UL << type.Items.Length) - 1));

    private static T Is<T>(object? value, ComponentType type) => value is T typed ? typed
        : throw new ArgumentException($"A {typeof(T)} was expected for {type.Kind}, not {value?.GetType().ToString() ?? "null"}.", nameof(value));

    private static object?[] Fields(object? value, ComponentType type)
    {
        object?[] fields = Is<object?[]>(value, type);
        return fields.Length == type.Items.Length ? fields
            : throw new ArgumentException($"A record has {type.Items.Length} fields, not {fields.Length}.", nameof(value));
    }

    private static int CaseOf(object? value, ComponentType type, out object? inner)
    {
        if (type.Kind == ComponentKind.Option && !type.IsNested)
        {
            inner = value;
            return value is null ? 0 : 1;
        }
        ComponentCase chosen = Is<ComponentCase>(value, type);
        inner = chosen.Value;
        ImmutableArray<ComponentItem> cases = type.Cases;
        for (int i = 0; i < cases.Length; i++)
            if (cases[i].Name == chosen.Name) return i;
        throw new ArgumentException($"There is no case \"{chosen.Name}\".", nameof(value));
    }

    /// <summary>A number in the place of one that stands for several types.</summary>
    private static object Widen(object value, ValKind kind) => (value, kind) switch
    {
        (float f, ValKind.I32) => (object)BitConverter.SingleToInt32Bits(f),
        (int i, ValKind.I64) => (long)(uint)i,
        (float f, ValKind.I64) => (long)BitConverter.SingleToUInt32Bits(f),
        (double d, ValKind.I64) => BitConverter.DoubleToInt64Bits(d),
        _ => value,
    };

    private static object Narrow(object value, ValKind kind) => (value, kind) switch
    {
        (int i, ValKind.F32) => (object)BitConverter.Int32BitsToSingle(i),
        (long l, ValKind.I32) => (int)l,
        (long l, ValKind.F32) => BitConverter.Int32BitsToSingle((int)l),
        (long l, ValKind.F64) => BitConverter.Int64BitsToDouble(l),
        _ => value,
    };

    private static object Zero(ValKind kind) => kind switch
    {
        ValKind.I32 => (object)0,
        ValKind.I64 => 0L,
        ValKind.F32 => 0f,
        _ => 0.0,
    };

    // ---- out of the component ----

    /// <summary>Takes a value from numbers, and moves on behind them.</summary>
    internal object? Lift(ReadOnlySpan<object> flat, ComponentType type)
    {
        switch (type.Kind)
        {
            case ComponentKind.String or ComponentKind.List: return LiftList((uint)(int)flat[0], (uint)(int)flat[1], type);
            case ComponentKind.Record:
                var fields = new object?[type.Items.Length];
                for (int i = 0; i < fields.Length; i++)
                {
                    fields[i] = Lift(flat, type.Items[i].Type!);
                    flat = flat[type.Items[i].Type!.Flat.Length..];
                }
                return fields;
            case ComponentKind.Variant or ComponentKind.Option:
                ComponentItem chosen = Case((uint)(int)flat[0], type);
                object? inner = null;
                if (chosen.Type is { } caseType)
                {
                    var own = new object[caseType.Flat.Length];
                    for (int i = 0; i < own.Length; i++) own[i] = Narrow(flat[i + 1], caseType.Flat[i]);
                    inner = Lift(own, caseType);
                }
                return Chosen(chosen, inner, type);
            default: return Value(flat[0], type);
        }
    }

    internal object? Load(uint address, ComponentType type)
    {
        Check(address, type.Size, type.Alignment);
        switch (type.Kind)
        {
            case ComponentKind.String or ComponentKind.List: return LiftList(memory.Read<uint>(address), memory.Read<uint>(address + 4), type);
            case ComponentKind.Record:
                var fields = new object?[type.Items.Length];
                for (int i = 0; i < fields.Length; i++) fields[i] = Load(address + type.Offsets[i], type.Items[i].Type!);
                return fields;
            case ComponentKind.Variant or ComponentKind.Option:
                ComponentItem chosen = Case(ReadInteger(address, type.TagSize), type);
                return Chosen(chosen, chosen.Type is null ? null : Load(address + type.Offsets[0], chosen.Type), type);
            case ComponentKind.S64 or ComponentKind.U64: return Value(memory.Read<long>(address), type);
            case ComponentKind.F32: return Value(memory.Read<float>(address), type);
            case ComponentKind.F64: return Value(memory.Read<double>(address), type);
            default: return Value((int)ReadInteger(address, type.Size), type);
        }
    }

    private uint ReadInteger(uint address, uint size) =>
        size == 1 ? memory.Read<byte>(address) : size == 2 ? memory.Read<ushort>(address) : memory.Read<uint>(address);

    private object LiftList(uint address, uint length, ComponentType type)
    {
        if (type.Kind == ComponentKind.String || type.Element!.Kind == ComponentKind.U8)
        {
            Check(address, length, 1);
            Spend(length);
            byte[] bytes = memory.ReadBytes(address, (int)length);
            if (type.Kind == ComponentKind.List) return bytes;
            try
            {
                return Strict.GetString(bytes);
            }
            catch (DecoderFallbackException)
            {
                throw Trap("a string is not UTF-8");
            }
        }
        ulong size = (ulong)length * type.Element.Size;
        Check(address, size, type.Element.Alignment);
        // An element of one byte becomes an object.
        Spend((ulong)length * Math.Max(type.Element.Size, 16));
        var items = new object?[length];
        for (uint i = 0; i < length; i++) items[i] = Load(address + (i * type.Element.Size), type.Element);
        return items;
    }

    private static ComponentItem Case(uint index, ComponentType type)
    {
        ImmutableArray<ComponentItem> cases = type.Cases;
        return index < (uint)cases.Length ? cases[(int)index] : throw Trap($"case {index} of {cases.Length}");
    }

    private static object? Chosen(ComponentItem chosen, object? inner, ComponentType type) =>
        type.Kind == ComponentKind.Option && !type.IsNested ? inner : new ComponentCase(chosen.Name, inner);

    private static object Value(object number, ComponentType type) => type.Kind switch
    {
        ComponentKind.Bool => (object)((int)number != 0),
        ComponentKind.S8 => (sbyte)(int)number,
        ComponentKind.U8 => (byte)(int)number,
        ComponentKind.S16 => (short)(int)number,
        ComponentKind.U16 => (ushort)(int)number,
        ComponentKind.U32 => (uint)(int)number,
        ComponentKind.U64 => (ulong)(long)number,
        ComponentKind.Char => Rune.TryCreate((int)number, out Rune rune) ? rune : throw Trap($"0x{(int)number:x} is not a character"),
        ComponentKind.Flags => (uint)Mask((uint)(int)number, type),
        _ => number,
    };
}
