using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Generated;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Writes the class that implements an interface.</summary>
internal sealed class FaceBuilder(Type face, IReadOnlyList<BoundMember> members)
{
    private static readonly MethodInfo Bind = typeof(Face).GetMethod(nameof(Face.Bind), BindingFlags.Instance | BindingFlags.NonPublic, [typeof(object[])])!;

    private readonly FaceType type = new(face, Bind, typeof(FuncRef), typeof(EntryThunk));

    internal FaceClass Make()
    {
        for (int i = 0; i < members.Count; i++)
        {
            switch (members[i])
            {
                case BoundMethod method:
                    Type function = Signature.Of(DefType.Of(method.Type)).DelegateType;
                    new FaceMethod(type.Override(method.Member.Method), method, type.FilledField(i, function), function).Write();
                    break;
                case BoundItem item:
                    FieldBuilder held = type.FilledField(i, item.Member.Type);
                    Getter(item.Member.Property.GetMethod!, il => LoadField(il, held));
                    break;
                case BoundGlobal global: Property(global, type.FilledField(i, typeof(Global))); break;
                case BoundEvent raised: Event(raised, type.Field(i, raised.Member.Type), i); break;
            }
        }
        DisposeOfInstance();
        Type created = type.Create();
        return new FaceClass(face, () => (Face)Activator.CreateInstance(created)!, members, type.Lease);
    }

    /// <summary>An interface that is disposable disposes of the instance, unless it does otherwise itself.</summary>
    private void DisposeOfInstance()
    {
        MethodInfo dispose = typeof(IDisposable).GetMethod(nameof(IDisposable.Dispose))!;
        if (!typeof(IDisposable).IsAssignableFrom(face) || FaceMember.IsImplemented(FaceMember.BodiesOf(face), dispose)) return;
        ILGenerator il = type.Override(dispose);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, Face.Method(nameof(Face.DisposeInstance)));
        il.Emit(OpCodes.Ret);
    }

    private static void LoadField(ILGenerator il, FieldInfo field)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, field);
    }

    private void Getter(MethodInfo method, Action<ILGenerator> value)
    {
        ILGenerator il = type.Override(method);
        value(il);
        il.Emit(OpCodes.Ret);
    }

    private void Property(BoundGlobal global, FieldInfo field)
    {
        CrossingType crossing = CrossingType.Of(global.Member.Type);
        Type host = Signature.HostType(global.Type.Type);
        bool isNumber = !global.Type.Type.IsRef;
        if (global.Member.Property.GetMethod is { } get)
        {
            Getter(get, il =>
            {
                LoadField(il, field);
                il.Emit(OpCodes.Call, Face.Method(isNumber ? nameof(Face.GetNumber) : nameof(Face.GetGlobal)).MakeGenericMethod(host));
                ConversionIl.FromHost(il, crossing);
            });
        }
        if (global.Member.Property.SetMethod is not { } set) return;
        ILGenerator setter = type.Override(set);
        LoadField(setter, field);
        setter.Emit(OpCodes.Ldarg_1);
        setter.Emit(OpCodes.Call, Face.Method(isNumber ? nameof(Face.SetNumber) : nameof(Face.SetGlobal)).MakeGenericMethod(host));
        setter.Emit(OpCodes.Ret);
    }

    /// <summary>Handlers are added and removed; a method with the delegate's signature calls them, for the import.</summary>
    private void Event(BoundEvent raised, FieldBuilder field, int number)
    {
        Type handler = raised.Member.Type;
        foreach ((MethodInfo? accessor, string helper) in new[] { (raised.Member.Event.AddMethod, nameof(Face.AddHandler)), (raised.Member.Event.RemoveMethod, nameof(Face.RemoveHandler)) })
        {
            ILGenerator il = type.Override(accessor!);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldflda, field);
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Call, Face.Method(helper).MakeGenericMethod(handler));
            il.Emit(OpCodes.Ret);
        }
        MethodInfo invoke = handler.GetMethod("Invoke")!;
        Type[] parameters = [.. invoke.GetParameters().Select(p => p.ParameterType)];
        ILGenerator raise = type.Method(RaiserOf(number), invoke.ReturnType, parameters);
        Label none = raise.DefineLabel();
        LoadField(raise, field);
        raise.Emit(OpCodes.Brfalse, none);
        LoadField(raise, field);
        for (int i = 0; i < parameters.Length; i++) raise.Emit(OpCodes.Ldarg, (short)(i + 1));
        raise.Emit(OpCodes.Callvirt, invoke);
        raise.Emit(OpCodes.Ret);
        raise.MarkLabel(none);
        if (invoke.ReturnType != typeof(void))
        {
            LocalBuilder zero = raise.DeclareLocal(invoke.ReturnType);
            raise.Emit(OpCodes.Ldloc, zero);
        }
        raise.Emit(OpCodes.Ret);
    }

    /// <summary>The method that raises an event.</summary>
    internal static string RaiserOf(int number) => $"raise{number}";
}
