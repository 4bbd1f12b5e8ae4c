using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;
using static WasmJit.Jit.Il.IlBuffer;

namespace WasmJit.Jit.Saved;

/// <summary>
/// Rewrites what code does with the classes of structs and arrays for a process in which they are others: fields become
/// offsets, classes method tables, both constants of the saved assembly (<see cref="SavedConstants"/>).
/// </summary>
internal static class GcBinding
{
    private static readonly FieldInfo Data = typeof(RawObjects.Start).GetField(nameof(RawObjects.Start.Data), BindingFlags.Instance | BindingFlags.NonPublic)!;
    private static readonly FieldInfo SlotValue = typeof(GcArrays.Slot).GetField(nameof(GcArrays.Slot.Value), BindingFlags.Instance | BindingFlags.NonPublic)!;
    private static readonly MethodInfo New = EntryThunk.Method(typeof(RawObjects), nameof(RawObjects.New));
    private static readonly MethodInfo IsExactly = EntryThunk.Method(typeof(RawObjects), nameof(RawObjects.IsExactly));
    private static readonly MethodInfo CastExactly = EntryThunk.Method(typeof(RawObjects), nameof(RawObjects.CastExactly));
    private static readonly MethodInfo MakeArray =
        typeof(ArrayMaker).GetMethod(nameof(ArrayMaker.Make), BindingFlags.Static | BindingFlags.NonPublic, [typeof(int), typeof(ArrayMaker)])!;

    internal static void Rewrite(IlBuffer il, SavedConstants constants)
    {
        var temps = new Dictionary<(Type, int), int>();
        int previous = Start;
        for (int at = il.After(Start); at != 0; previous = at, at = il.After(at))
        {
            Node node = il[at];
            switch (node.Form)
            {
                case Form.Field when constants.ClassOf(((FieldInfo)node.Object!).DeclaringType) is { } type:
                    at = type.Element is null ? Field(il, constants, type, previous, at, temps) : Element(il, type, at);
                    break;
                case Form.Type when constants.ClassOf((Type)node.Object!) is { } type:
                    at = TypeOperation(il, constants, type, previous, at, temps);
                    break;
                case Form.Method when node.Object is ConstructorInfo constructor && constants.ClassOf(constructor.DeclaringType) is { } type:
                    at = NewStruct(il, constants, type, constructor, previous, at, temps);
                    break;
            }
        }
    }

    private static int Temp(IlBuffer il, Dictionary<(Type, int), int> temps, Type type, int number = 0)
    {
        if (type == typeof(byte) || type == typeof(ushort)) type = typeof(int);
        if (!temps.TryGetValue((type, number), out int local)) temps[(type, number)] = local = il.DeclareLocal(type);
        return local;
    }

    private static int Field(IlBuffer il, SavedConstants constants, GcClass type, int previous, int at, Dictionary<(Type, int), int> temps)
    {
        Node node = il[at];
        var field = (FieldInfo)node.Object!;
        if (node.Code == OpCodes.Ldfld)
        {
            il.Replace(at, OpCodes.Ldflda, Form.Field, Data);
            return il.LoadIndirectAt(AddressAt(il, at, constants, type, field), field.FieldType);
        }
        if (node.Code != OpCodes.Stfld) throw new NotSupportedException($"{node.Code} of a struct's field cannot be saved.");
        int value = Temp(il, temps, field.FieldType);
        il.StlocAt(previous, value);
        il.Replace(at, OpCodes.Ldflda, Form.Field, Data);
        at = AddressAt(il, at, constants, type, field);
        return il.StoreIndirectAt(il.LdlocAt(at, value), field.FieldType);
    }

    private static int AddressAt(IlBuffer il, int at, SavedConstants constants, GcClass type, FieldInfo field) =>
        il.EmitAt(constants.OffsetAt(il, at, type, field), OpCodes.Add);

    /// <summary>The value in an array's element, whose address <see cref="TypeOperation"/> has taken in another form.</summary>
    private static int Element(IlBuffer il, GcClass type, int at)
    {
        Type stored = type.Fields[0].FieldType;
        bool store = il[at].Code == OpCodes.Stfld;
        if (!stored.IsValueType) il.Replace(at, il[at].Code, Form.Field, SlotValue);
        else if ((store ? Indirect.StoreOf(stored) : Indirect.LoadOf(stored)) is { } code) il.Replace(at, code);
        else il.Replace(at, store ? OpCodes.Stobj : OpCodes.Ldobj, Form.Type, stored);
        return at;
    }

    private static int TypeOperation(IlBuffer il, SavedConstants constants, GcClass type, int previous, int at, Dictionary<(Type, int), int> temps)
    {
        OpCode code = il[at].Code;
        if (code == OpCodes.Ldelema)
        {
            // The runtime compares types only for elements that are references.
            Type stored = type.Fields[0].FieldType;
            il.Replace(at, code, Form.Type, stored.IsValueType ? stored : typeof(GcArrays.Slot));
            return at;
        }
        if (code == OpCodes.Newarr)
        {
            return il.CallAt(constants.MakerInPlace(il, at, type), MakeArray);
        }
        bool casts = code == OpCodes.Castclass;
        if (!casts && code != OpCodes.Isinst) throw new NotSupportedException($"{code} of a guest's class cannot be saved.");
        if (type.Clr.IsSealed) return il.CallAt(constants.MethodTableInPlace(il, at, type), casts ? CastExactly : IsExactly);
        int value = Temp(il, temps, typeof(object));
        il.StlocAt(previous, value);
        at = constants.MethodTableInPlace(il, at, type);
        return il.CallAt(il.LdlocAt(at, value), casts ? CastHelpers.CastClass : CastHelpers.IsInstanceOfClass);
    }

    private static int NewStruct(
        IlBuffer il, SavedConstants constants, GcClass type, ConstructorInfo constructor, int previous, int at, Dictionary<(Type, int), int> temps)
    {
        FieldInfo[] fields = constructor.GetParameters().Length == 0 ? []
            : type.Descriptor is { } descriptor ? [.. type.Fields, descriptor] : type.Fields;
        // The values go to temporaries, the last first.
        for (int i = fields.Length - 1; i >= 0; i--) previous = il.StlocAt(previous, Temp(il, temps, fields[i].FieldType, i + 1));
        at = il.CallAt(constants.MethodTableInPlace(il, at, type), New);
        if (fields.Length == 0) return at;
        int made = Temp(il, temps, typeof(object));
        at = il.StlocAt(at, made);
        for (int i = 0; i < fields.Length; i++)
        {
            at = il.LdlocAt(at, made);
            at = AddressAt(il, il.FieldAt(at, OpCodes.Ldflda, Data), constants, type, fields[i]);
            at = il.LdlocAt(at, Temp(il, temps, fields[i].FieldType, i + 1));
            at = il.StoreIndirectAt(at, fields[i].FieldType);
        }
        return il.LdlocAt(at, made);
    }
}
