using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>A class that implements an interface over the exports of modules with certain types.</summary>
internal sealed class FaceClass
{
    /// <summary>The classes of an interface: by the types of exports and imports, and by module, for which no member is looked at again.</summary>
    private sealed class Classes
    {
        internal Dictionary<string, WeakReference<FaceClass>> ByTypes { get; } = [];

        internal ConditionalWeakTable<ModuleCode, WeakReference<FaceClass>> ByModule { get; } = [];
    }

    private static readonly ConditionalWeakTable<Type, Classes> Known = [];

    private readonly Type type;

    /// <summary>What the class takes of the process's mappings.</summary>
    private readonly MappingLease lease;

    internal FaceClass(Type type, IReadOnlyList<BoundMember> members, MappingLease lease)
    {
        this.type = type;
        this.lease = lease;
        Members = members;
    }

    internal IReadOnlyList<BoundMember> Members { get; }

    private bool HasEvents => Members.Any(m => m is BoundEvent);

    /// <summary>The class for an interface and a module; made when there is none with the same types. It goes when no face of it is left.</summary>
    /// <exception cref="BindingException">The interface does not fit.</exception>
    internal static FaceClass Of(Type face, Module module, bool mayImport)
    {
        Classes known = Known.GetOrCreateValue(face);
        // An interface with events is for instances that are still to be made.
        if (known.ByModule.TryGetValue(module.Shared, out WeakReference<FaceClass>? weak) && weak.TryGetTarget(out FaceClass? made) && (mayImport || !made.HasEvents)) return made;
        IReadOnlyList<BoundMember> members = FacePlan.Of(face, module, mayImport);
        string key = string.Join('\n', members.Select(m => m switch
        {
            BoundMethod method => $"{method.Export} {method.Type}",
            BoundItem item => item.Export,
            BoundGlobal global => $"{global.Export} {global.Type}",
            BoundEvent raised => $"{raised.Module} {raised.Import}",
            _ => "",
        }));
        lock (known)
        {
            Dictionary<string, WeakReference<FaceClass>> all = known.ByTypes;
            if (!all.TryGetValue(key, out weak) || !weak.TryGetTarget(out made))
            {
                foreach (string gone in all.Where(k => !k.Value.TryGetTarget(out _)).Select(k => k.Key).ToArray()) all.Remove(gone);
                made = new FaceBuilder(face, members).Make();
                all[key] = weak = new WeakReference<FaceClass>(made);
            }
            known.ByModule.AddOrUpdate(module.Shared, weak);
            return made;
        }
    }

    /// <summary>An object of the class that is not bound yet.</summary>
    internal Face Make()
    {
        var face = (Face)Activator.CreateInstance(type)!;
        face.Class = this;
        GC.KeepAlive(lease);
        return face;
    }

    /// <summary>Binds an object to an instance.</summary>
    internal void Bind(Face face, Instance instance)
    {
        object?[] items = new object?[Members.Count];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = Members[i] switch
            {
                BoundMethod method => instance.FindExport(method.Export),
                BoundItem { Export: null } => instance,
                BoundItem { Property.PropertyType: var wanted } item when typeof(Delegate).IsAssignableFrom(wanted) => FunctionAs(instance, item.Export, wanted),
                BoundItem item => instance.FindExport(item.Export),
                BoundGlobal global => instance.FindExport(global.Export),
                _ => null,
            };
        }
        face.Instance = instance;
        face.Bind(items);
    }

    private static Delegate FunctionAs(Instance instance, string name, Type wanted)
    {
        var function = (Delegate)instance.FindExport(name)!;
        if (wanted.IsInstanceOfType(function)) return function;
        try
        {
            return EntryThunk.MakeDelegate((FuncRef)function.Target!, wanted);
        }
        catch (ArgumentException)
        {
            throw new BindingException($"The export \"{name}\" does not fit", [$"it is {CSharpName.Of(function.GetType())}, not {CSharpName.Of(wanted)}"]);
        }
    }
}

/// <summary>Writes the class that implements an interface.</summary>
internal sealed class FaceBuilder(Type face, IReadOnlyList<BoundMember> members)
{
    private static readonly MethodInfo Bind = typeof(Face).GetMethod(nameof(Face.Bind), BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly FaceType type = new(face, Bind, typeof(FuncRef), typeof(EntryThunk));

    internal FaceClass Make()
    {
        for (int i = 0; i < members.Count; i++)
        {
            switch (members[i])
            {
                case BoundMethod method:
                    Type function = Signature.Of(DefType.Of(method.Type)).DelegateType;
                    new FaceMethod(type.Override(method.Method), method, type.FilledField(i, function), function).Write();
                    break;
                case BoundItem item:
                    FieldBuilder held = type.FilledField(i, item.Property.PropertyType);
                    Getter(item.Property.GetMethod!, il => LoadField(il, held));
                    break;
                case BoundGlobal global: Property(global, type.FilledField(i, typeof(Global))); break;
                case BoundEvent raised: Event(raised, type.Field(i, raised.Event.EventHandlerType!), i); break;
            }
        }
        return new FaceClass(type.Create(), members, type.Lease);
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
        CrossingType crossing = CrossingType.Of(global.Property.PropertyType);
        Type host = Signature.HostType(global.Type.Type);
        bool isNumber = !global.Type.Type.IsRef;
        if (global.Property.GetMethod is { } get)
        {
            Getter(get, il =>
            {
                LoadField(il, field);
                il.Emit(OpCodes.Call, Face.Method(isNumber ? nameof(Face.GetNumber) : nameof(Face.GetGlobal)).MakeGenericMethod(host));
                ConversionIl.FromHost(il, crossing);
            });
        }
        if (global.Property.SetMethod is not { } set) return;
        ILGenerator setter = type.Override(set);
        LoadField(setter, field);
        setter.Emit(OpCodes.Ldarg_1);
        setter.Emit(OpCodes.Call, Face.Method(isNumber ? nameof(Face.SetNumber) : nameof(Face.SetGlobal)).MakeGenericMethod(host));
        setter.Emit(OpCodes.Ret);
    }

    /// <summary>Handlers are added and removed; a method with the delegate's signature calls them, for the import.</summary>
    private void Event(BoundEvent raised, FieldBuilder field, int number)
    {
        Type handler = raised.Event.EventHandlerType!;
        foreach ((MethodInfo? accessor, string helper) in new[] { (raised.Event.AddMethod, nameof(Face.AddHandler)), (raised.Event.RemoveMethod, nameof(Face.RemoveHandler)) })
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
