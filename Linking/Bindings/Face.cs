using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Intrinsics;
using WasmJit.Jit.Calls;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.Generated;

/// <summary>
/// What the typed face of an instance inherits: generated classes implement an interface, have a delegate for each export, and call these
/// methods for what is not a number.
/// </summary>
/// <remarks>Unsafe: numbers of globals, whose types are compared each time.</remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1045", Justification = "Generated code gives its own field.")]
public abstract class Face
{
    private GuestAllocator? allocator;
    private object?[] items = [];
    private UntypedFunction?[]? functions;

    /// <summary>Makes a face that is bound later.</summary>
    protected Face()
    {
    }

    /// <summary>Keeps the class known as long as it has objects.</summary>
    internal FaceClass? Class;

    /// <summary>The instance; null until it is there, for faces with events.</summary>
    internal Instance? Instance;

    internal GuestAllocator Allocator => allocator ??= new GuestAllocator(Instance!);

    /// <summary>The instance.</summary>
    /// <exception cref="InvalidOperationException">It is not there yet.</exception>
    protected Instance BoundInstance => Instance ?? throw new InvalidOperationException("The instance is still being made.");

    /// <summary>Takes the exports, in the order of the members.</summary>
    /// <param name="items">A delegate, global, memory or the like for each member; null for those that have none.</param>
    protected abstract void Bind(object?[] items);

    /// <summary>The host function that raises an event; null for other members, and if it is found by reflection.</summary>
    /// <param name="member">The index of the event.</param>
    protected virtual Delegate? HostFunctionOf(int member) => null;

    /// <summary>Makes an instance and its face.</summary>
    /// <typeparam name="T">The class of the face.</typeparam>
    /// <param name="description">What it stands for.</param>
    /// <param name="module">The module.</param>
    /// <param name="imports">What the module imports besides the events.</param>
    /// <param name="fuel">As for an instance without a face.</param>
    /// <param name="resources">As for an instance without a face.</param>
    /// <exception cref="BindingException">Members do not fit; the message tells all that do not.</exception>
    /// <exception cref="LinkException">An import is missing or of another type.</exception>
    protected static T Make<T>(FaceDescription description, Module module, Imports? imports, Fuel? fuel, GuestResources? resources)
        where T : Face
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(description);
        return (T)FaceClass.Of(description, module, mayImport: true).Instantiate(module, imports, fuel, resources);
    }

    internal void Bind(object?[] items, Instance instance)
    {
        Instance = instance;
        this.items = items;
        Bind(items);
    }

    internal Delegate? RaiserOf(int member) => HostFunctionOf(member);

    internal BoundMethod MethodOf(int member) => Class?.Members[member] as BoundMethod ?? throw new InvalidOperationException("The method is not bound.");

    internal UntypedFunction FunctionOf(int member)
    {
        functions ??= new UntypedFunction?[items.Length];
        return functions[member] ??= UntypedFunction.Of((Delegate)items[member]!);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{GetType().Name} of {Instance?.Module.Name ?? "an instance"}";

    // ---- what comes out of the guest ----

    internal string? TextAt(long address, long length) => address == 0 && length == 0 ? "" : GuestData.Text(Allocator.Required, (ulong)address, (ulong)length);

    /// <summary>Text that ends with a zero; a null pointer is null.</summary>
    internal string? ZeroTerminated(long address) => address == 0 ? null : GuestData.ZeroTerminated(Allocator.Required, (ulong)address);

    /// <summary>A view of the guest's memory, valid as long as the guest leaves it.</summary>
    internal Span<T> SpanAt<T>(long address, long count)
        where T : unmanaged => GuestData.Items<T>(Allocator.Required, (ulong)address, (ulong)count);

    internal T[] ArrayAt<T>(long address, long count)
        where T : unmanaged => SpanAt<T>(address, count).ToArray();

    internal T StructAt<T>(long address)
        where T : unmanaged => GuestData.Struct<T>(Allocator.Required, (ulong)address);

    internal void Free(long address) => Allocator.Free((ulong)address);

    /// <summary>A function as the delegate type that was asked for.</summary>
    /// <exception cref="TrapException">It has another signature.</exception>
    internal static T? FunctionAs<T>(Delegate? function)
        where T : Delegate
    {
        if (function is null or T) return (T?)function;
        try
        {
            return function.Target is FuncRef func ? (T)EntryThunk.MakeDelegate(func, typeof(T)) : (T)Delegate.CreateDelegate(typeof(T), function, "Invoke");
        }
        catch (ArgumentException)
        {
            if (NumberDelegates.As(function, typeof(T)) is T converted) return converted;
            throw Trap.Make(TrapKind.CastFailure, $"the guest gives a function of the type {CSharpName.Of(function.GetType())}, not {CSharpName.Of(typeof(T))}");
        }
    }

    /// <summary>Whether the instance is another's to dispose of: a pool's.</summary>
    internal bool IsOfPool { get; set; }

    /// <summary>Disposes of the instance: what <see cref="IDisposable.Dispose"/> is for interfaces that have it.</summary>
    protected internal void DisposeInstance()
    {
        if (!IsOfPool) Instance?.Dispose();
    }

    // ---- globals ----

    /// <summary>The value of a global of reference type.</summary>
    /// <typeparam name="T">The type that the host sees of it.</typeparam>
    /// <param name="global">The global.</param>
    protected internal static T GetGlobal<T>(Global global) => (T)Checked(global).Value!;

    /// <summary>Sets a global of reference type.</summary>
    /// <typeparam name="T">The type that the host sees of it.</typeparam>
    /// <param name="global">The global.</param>
    /// <param name="value">The value.</param>
    protected internal static void SetGlobal<T>(Global global, T value) => Checked(global).Value = value;

    /// <summary>The value of a global of a number type.</summary>
    /// <typeparam name="T">The type that the host sees of it.</typeparam>
    /// <param name="global">The global.</param>
    /// <exception cref="InvalidCastException">It is of another type.</exception>
    protected internal static unsafe T GetNumber<T>(Global global)
        where T : unmanaged
    {
        Check<T>(Checked(global));
        T value = *(T*)global.Address;
        GC.KeepAlive(global);
        return value;
    }

    /// <summary>Sets a global of a number type.</summary>
    /// <typeparam name="T">The type that the host sees of it.</typeparam>
    /// <param name="global">The global.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="InvalidCastException">It is of another type.</exception>
    /// <exception cref="InvalidOperationException">It is immutable.</exception>
    protected internal static unsafe void SetNumber<T>(Global global, T value)
        where T : unmanaged
    {
        Check<T>(Checked(global));
        if (!global.Type.IsMutable) throw new InvalidOperationException("The global is immutable.");
        *(T*)global.Address = value;
        GC.KeepAlive(global);
    }

    private static Global Checked(Global global)
    {
        ArgumentNullException.ThrowIfNull(global);
        return global;
    }

    private static void Check<T>(Global global)
    {
        ValKind wanted = typeof(T) == typeof(int) ? ValKind.I32 : typeof(T) == typeof(long) ? ValKind.I64 : typeof(T) == typeof(float) ? ValKind.F32
            : typeof(T) == typeof(double) ? ValKind.F64 : typeof(T) == typeof(Vector128<byte>) ? ValKind.V128 : ValKind.Bottom;
        if (global.Type.Type.Kind != wanted) throw new InvalidCastException($"The global is {global.Type.Type}.");
    }

    // ---- events ----

    /// <summary>Adds a handler of an event.</summary>
    /// <typeparam name="T">The type of its handlers.</typeparam>
    /// <param name="field">Those that there are.</param>
    /// <param name="value">The handler.</param>
    protected internal static void AddHandler<T>(ref T? field, T? value)
        where T : Delegate
    {
        T? before;
        do before = Volatile.Read(ref field);
        while (Interlocked.CompareExchange(ref field, (T?)Delegate.Combine(before, value), before) != before);
    }

    /// <summary>Removes a handler of an event.</summary>
    /// <typeparam name="T">The type of its handlers.</typeparam>
    /// <param name="field">Those that there are.</param>
    /// <param name="value">The handler.</param>
    protected internal static void RemoveHandler<T>(ref T? field, T? value)
        where T : Delegate
    {
        T? before;
        do before = Volatile.Read(ref field);
        while (Interlocked.CompareExchange(ref field, (T?)Delegate.Remove(before, value), before) != before);
    }

    internal static MethodInfo Method(string name) =>
        typeof(Face).GetMethod(name, BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic)
        ?? throw new MissingMethodException(nameof(Face), name);
}
