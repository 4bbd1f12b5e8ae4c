using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Generated;

namespace WasmJit.Linking;

/// <summary>Writes a method that calls an exported function: numbers go as they are, the rest through the guest's memory.</summary>
internal sealed class FaceMethod(ILGenerator il, BoundMethod bound, FieldInfo function, Type functionType)
{
    private readonly Type returned = bound.Member.Type;

    /// <summary>Where arguments have been put: addresses, and lengths of those that have one.</summary>
    private readonly (LocalBuilder? Address, LocalBuilder? Length)[] places = new (LocalBuilder?, LocalBuilder?)[bound.Parameters.Length];

    private LocalBuilder? passed, room;

    private ValType TypeAt(int index) => bound.Type.Params[index];

    internal void Write()
    {
        bool inMemory = bound.Form.ThroughPointer || NeedsMemory();
        if (!inMemory)
        {
            Call();
            if (bound.Result is { } value) Lift(value);
            il.Emit(OpCodes.Ret);
            return;
        }
        passed = il.DeclareLocal(typeof(Passed));
        LocalBuilder? result = returned == typeof(void) ? null : il.DeclareLocal(returned);
        il.Emit(OpCodes.Ldloca, passed);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(Passed).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [typeof(Face)])!);
        il.BeginExceptionBlock();
        Lower();
        Call();
        if (bound.Result is { } crossing) Lift(crossing);
        if (result is not null) il.Emit(OpCodes.Stloc, result);
        CopyBack();
        il.Emit(OpCodes.Ldloca, passed);
        il.Emit(OpCodes.Call, Passed.Method(nameof(Passed.Done)));
        il.BeginFinallyBlock();
        il.Emit(OpCodes.Ldloca, passed);
        il.Emit(OpCodes.Call, Passed.Method(nameof(Passed.Free)));
        il.EndExceptionBlock();
        if (result is not null) il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ret);
    }

    private bool NeedsMemory()
    {
        int at = 0;
        foreach (CrossingType parameter in bound.Parameters)
        {
            if (!parameter.IsValueOf(TypeAt(at))) return true;
            at++;
        }
        return false;
    }

    /// <summary>Puts into memory what goes there.</summary>
    private void Lower()
    {
        int at = 0;
        if (bound.Form.ThroughPointer)
        {
            room = il.DeclareLocal(typeof(long));
            il.Emit(OpCodes.Ldloca, passed!);
            if (bound.Result!.Kind == Crossing.Struct)
            {
                il.Emit(OpCodes.Sizeof, returned);
            }
            else
            {
                il.Emit(OpCodes.Ldc_I4, TypeAt(0).Kind == ValKind.I64 ? 16 : 8);
            }
            il.Emit(OpCodes.Call, Passed.Method(nameof(Passed.Room)));
            il.Emit(OpCodes.Stloc, room);
            at++;
        }
        for (int i = 0; i < bound.Parameters.Length; i++)
        {
            CrossingType parameter = bound.Parameters[i];
            if (parameter.IsValueOf(TypeAt(at++))) continue;
            LocalBuilder address = il.DeclareLocal(typeof(long));
            places[i].Address = address;
            il.Emit(OpCodes.Ldloca, passed!);
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            if (parameter.Kind == Crossing.Span)
                il.Emit(OpCodes.Call, parameter.Type.GetMethods().Single(m => m.Name == "op_Implicit" && m.ReturnType == typeof(ReadOnlySpan<>).MakeGenericType(parameter.Item!)));
            MethodInfo method = parameter.Kind switch
            {
                Crossing.Text => Passed.Method(bound.Form.Text == TextForm.ZeroTerminated ? nameof(Passed.ZeroTerminated) : nameof(Passed.Text)),
                Crossing.Array => Passed.Method(nameof(Passed.Array)).MakeGenericMethod(parameter.Item!),
                Crossing.Struct => Passed.Method(nameof(Passed.Struct)).MakeGenericMethod(parameter.Type),
                _ => Passed.Method(nameof(Passed.Span)).MakeGenericMethod(parameter.Item!),
            };
            il.Emit(OpCodes.Call, method);
            il.Emit(OpCodes.Stloc, address);
            if (!Conventions.HasLength(parameter.Kind, bound.Form.Text)) continue;
            LocalBuilder length = il.DeclareLocal(typeof(long));
            places[i].Length = length;
            il.Emit(OpCodes.Ldloca, passed!);
            il.Emit(OpCodes.Ldfld, typeof(Passed).GetField(nameof(Passed.Length), BindingFlags.Instance | BindingFlags.NonPublic)!);
            il.Emit(OpCodes.Stloc, length);
            at++;
        }
    }

    private void Call()
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, function);
        int at = 0;
        if (room is not null) LoadNumber(room, at++);
        for (int i = 0; i < bound.Parameters.Length; i++)
        {
            if (places[i].Address is not { } address)
            {
                il.Emit(OpCodes.Ldarg, (short)(i + 1));
                at++;
                continue;
            }
            LoadNumber(address, at++);
            if (places[i].Length is { } length) LoadNumber(length, at++);
        }
        il.Emit(OpCodes.Callvirt, functionType.GetMethod("Invoke")!);
    }

    private void LoadNumber(LocalBuilder local, int parameter)
    {
        il.Emit(OpCodes.Ldloc, local);
        if (TypeAt(parameter).Kind == ValKind.I32) il.Emit(OpCodes.Conv_I4);
    }

    /// <summary>Makes what the method returns of the function's results, which are on the stack or in the room for them.</summary>
    private void Lift(CrossingType result)
    {
        ReadOnlySpan<ValType> types = bound.Type.Results.AsSpan();
        if (types.Length == 1 && result.IsValueOf(types[0]))
        {
            ConversionIl.FromHost(il, result);
            return;
        }
        LocalBuilder address = il.DeclareLocal(typeof(long)), length = il.DeclareLocal(typeof(long));
        if (room is not null)
        {
            if (result.Kind == Crossing.Struct)
            {
                il.Emit(OpCodes.Ldloc, room);
                il.Emit(OpCodes.Stloc, address);
            }
            else
            {
                bool is64 = TypeAt(0).Kind == ValKind.I64;
                ReadRoom(0, is64, address);
                ReadRoom(is64 ? 8 : 4, is64, length);
            }
        }
        else if (types.Length == 1)
        {
            Widen(types[0]);
            il.Emit(OpCodes.Stloc, address);
        }
        else
        {
            Type tuple = functionType.GetMethod("Invoke")!.ReturnType;
            LocalBuilder both = il.DeclareLocal(tuple);
            il.Emit(OpCodes.Stloc, both);
            foreach ((string name, LocalBuilder local) in new[] { ("Item1", address), ("Item2", length) })
            {
                il.Emit(OpCodes.Ldloc, both);
                il.Emit(OpCodes.Ldfld, tuple.GetField(name)!);
                Widen(types[0]);
                il.Emit(OpCodes.Stloc, local);
            }
        }
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldloc, address);
        bool isZeroTerminated = result.Kind == Crossing.Text && room is null && types.Length == 1;
        if (result.Kind != Crossing.Struct && !isZeroTerminated) il.Emit(OpCodes.Ldloc, length);
        il.Emit(OpCodes.Call, result.Kind switch
        {
            Crossing.Text => Face.Method(isZeroTerminated ? nameof(Face.ZeroTerminated) : nameof(Face.TextAt)),
            Crossing.Struct => Face.Method(nameof(Face.StructAt)).MakeGenericMethod(result.Type),
            Crossing.Array => Face.Method(nameof(Face.ArrayAt)).MakeGenericMethod(result.Item!),
            _ => Face.Method(nameof(Face.SpanAt)).MakeGenericMethod(result.Item!),
        });
        if (result.Kind == Crossing.ReadOnlySpan)
            il.Emit(OpCodes.Call, typeof(Span<>).MakeGenericType(result.Item!).GetMethods().Single(m => m.Name == "op_Implicit" && m.ReturnType == result.Type));
        // Room for a struct is given back with the arguments.
        if (!bound.Member.IsOwned || (room is not null && result.Kind == Crossing.Struct)) return;
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldloc, address);
        il.Emit(OpCodes.Call, Face.Method(nameof(Face.Free)));
    }

    private void ReadRoom(int offset, bool is64, LocalBuilder into)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldloc, room!);
        il.Emit(OpCodes.Ldc_I8, (long)offset);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Call, Face.Method(nameof(Face.StructAt)).MakeGenericMethod(is64 ? typeof(long) : typeof(uint)));
        il.Emit(OpCodes.Conv_U8);
        il.Emit(OpCodes.Stloc, into);
    }

    /// <summary>Addresses and lengths have no sign.</summary>
    private void Widen(ValType type)
    {
        if (type.Kind == ValKind.I32) il.Emit(OpCodes.Conv_U8);
    }

    /// <summary>What the guest has written to spans goes back.</summary>
    private void CopyBack()
    {
        for (int i = 0; i < bound.Parameters.Length; i++)
        {
            if (bound.Parameters[i].Kind != Crossing.Span || places[i].Address is not { } address) continue;
            il.Emit(OpCodes.Ldloca, passed!);
            il.Emit(OpCodes.Ldloc, address);
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            il.Emit(OpCodes.Call, Passed.Method(nameof(Passed.CopyBack)).MakeGenericMethod(bound.Parameters[i].Item!));
        }
    }
}
