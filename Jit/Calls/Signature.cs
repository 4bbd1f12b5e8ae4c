using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>What a layer above has made for a signature, which keeps it.</summary>
internal abstract class SignatureCode;

/// <summary>
/// The .NET signature of functions: a wasm function type whose reference types have become FuncRef or object. There is one object for each such
/// signature of the process, for as long as a type has it. It owns the entry thunk, the delegate type and the stubs. All code that was made for the
/// signature keeps such a type.
/// </summary>
internal sealed class Signature : NativeSignature
{
    private static readonly WeakTable<string, Signature> Known = new();

    private readonly Lock making = new();
    private Type? delegateType;
    private nint hostAdapter;
    private System.Reflection.Emit.DynamicMethod? hostAdapterMethod;
    private WeakReference<IHostAdapters>? savedAdapters;
    private EntryThunk? entry;
    private EntryThunk? limitedEntry;
    private LazyStubs? stubs, interpreterStubs;
    private CallShapes? shapes;

    private Signature(string key, ImmutableArray<ValType> parameters, ImmutableArray<ValType> results)
    {
        Key = key;
        ValueTypes = ClrTypes(parameters);
        Parameters = [typeof(InstanceCore), .. ValueTypes];
        ResultTypes = ClrTypes(results);
        ResultTuples.Count(key.AsSpan(key.IndexOf(':') + 1));
        Return = Tuple(ResultTypes);
        HostParameters = HostTypes(parameters);
        HostResults = HostTypes(results);
        HostReturn = Tuple(HostResults);
        PassedBytes = 8 * (key.Length + key.AsSpan().Count('v'));
    }

    /// <summary>
    /// One letter a value, parameters, colon, results: i l f d v; F for funcref, T for functions of a type, O for externref and
    /// anyref, R for references that are checked when the host passes one.
    /// </summary>
    internal string Key { get; }

    /// <summary>The instance, then the wasm parameters.</summary>
    internal override Type[] Parameters { get; }

    /// <summary>The wasm parameters alone.</summary>
    internal Type[] ValueTypes { get; }

    internal Type[] ResultTypes { get; }

    /// <summary>void, the one result, or a ValueTuple of all; an array of objects in a program that is compiled whole.</summary>
    internal override Type Return { get; }

    /// <summary>The parameters as the host sees them: delegates in place of FuncRef.</summary>
    internal Type[] HostParameters { get; }

    internal Type[] HostResults { get; }

    internal Type HostReturn { get; }

    /// <summary>
    /// Whether a host delegate can be called as it is: no conversion of arguments, no check of results, and no result that goes through a buffer of
    /// the caller, whose address is in another register for instance methods than for static ones.
    /// </summary>
    internal bool IsSameForHost =>
        ResultTypes.Length <= 1 && !Key.AsSpan().ContainsAny('F', 'T') && !Key.AsSpan(Key.IndexOf(':')).ContainsAny('R', 'v');

    /// <summary>The bytes that a call passes: all arguments and results, as if none were in registers.</summary>
    internal override int PassedBytes { get; }

    internal bool HasVectors => Key.Contains('v');

    /// <summary>Whether all values are numbers or references passed one by one: no vectors, no tuple of results.</summary>
    internal bool IsScalar => !HasVectors && ResultTypes.Length <= 1;

    /// <summary>
    /// The delegate type that stands for functions of this signature: Func or Action, or one made where they end. In a program that is compiled whole it is <see
    /// cref="BoxedFunction"/> unless every program has the type.
    /// </summary>
    internal Type DelegateType
    {
        get
        {
            if (Volatile.Read(ref delegateType) is { } known) return known;
            lock (making)
            {
                if (delegateType is null)
                {
                    MappingLease? lease = null;
                    Type made = RuntimeCode.IsCompiledWhole ? SlotDelegates.TypeOf(Key) ?? typeof(BoxedFunction) : DelegateTypes.Make(this, out lease);
                    Lease = lease;
                    Volatile.Write(ref delegateType, made);
                }
                return delegateType;
            }
        }
    }

    /// <summary>That type as C# writes it, for messages.</summary>
    internal string DelegateName
    {
        get
        {
            if (!RuntimeCode.IsCompiledWhole) return CSharpName.Of(DelegateType);
            string results = string.Join(", ", HostResults.Select(CSharpName.Of));
            string[] types = [.. HostParameters.Select(CSharpName.Of), .. HostResults.Length == 0 ? [] : new[] { HostResults.Length == 1 ? results : $"({results})" }];
            string name = HostResults.Length == 0 ? "Action" : "Func";
            return types.Length == 0 ? name : $"{name}<{string.Join(", ", types)}>";
        }
    }

    /// <summary>The mappings that the delegate type takes.</summary>
    internal MappingLease? Lease { get; private set; }

    internal EntryThunk Entry => entry ?? Interlocked.CompareExchange(ref entry, new EntryThunk(this, isLimited: false), null) ?? entry;

    /// <summary>The entry of guests that have a limit for the stack.</summary>
    internal EntryThunk LimitedEntry =>
        limitedEntry ?? Interlocked.CompareExchange(ref limitedEntry, new EntryThunk(this, isLimited: true), null) ?? limitedEntry;

    /// <summary>What calls of components have made for the signature, which is kept with it; null before the first.</summary>
    internal SignatureCode? ComponentCall;

    internal LazyStubs Stubs => stubs ?? Interlocked.CompareExchange(ref stubs, LazyStubs.Of(this), null) ?? stubs;

    /// <summary>Stubs of functions that are interpreted, where they need methods of the signature.</summary>
    internal LazyStubs InterpreterStubs =>
        interpreterStubs ?? Interlocked.CompareExchange(ref interpreterStubs, new LazyStubs(this), null) ?? interpreterStubs;

    /// <summary>How interpreted code calls functions of the signature.</summary>
    internal CallShapes Shapes => shapes ?? Interlocked.CompareExchange(ref shapes, new CallShapes(this), null) ?? shapes;

    /// <summary>
    /// The code that calls a host delegate with conversions; see <see cref="HostAdapter"/>. If a loaded saved module has it, none is made: such code
    /// may be used in processes that make none.
    /// </summary>
    /// <param name="owner">What is to be kept alive with the code; null if it lives as long as the process.</param>
    internal nint GetHostAdapter(out IHostAdapters? owner)
    {
        lock (this)
        {
            owner = null;
            if (hostAdapter != 0) return hostAdapter;
            if (savedAdapters is not null && savedAdapters.TryGetTarget(out owner)) return owner.FindHostAdapter(this);
            hostAdapterMethod ??= HostAdapter.Make(this);
            return hostAdapter = CodeAddress.Of(hostAdapterMethod);
        }
    }

    /// <summary>Whether a loaded saved module has a host adapter.</summary>
    internal bool HasSavedAdapter
    {
        get
        {
            lock (this) return savedAdapters is not null && savedAdapters.TryGetTarget(out _);
        }
    }

    /// <summary>Makes the host adapter of a saved module known.</summary>
    internal void OfferHostAdapter(IHostAdapters module)
    {
        lock (this) savedAdapters = new WeakReference<IHostAdapters>(module);
    }

    /// <summary>The signature of a <see cref="Key"/>; null if the process does not have it.</summary>
    internal static Signature? Find(string key) => Known.TryGet(key, out Signature? known) ? known : null;

    /// <summary>How many signatures the process knows, some perhaps that are gone.</summary>
    internal static int Count => Known.Count;

    internal static Signature Of(DefType type) => Of((FuncType)type.Composite);

    /// <exception cref="UnsupportedModuleException">The process has seen too many types of results.</exception>
    internal static Signature Of(FuncType type)
    {
        if (type.SignatureCache is Signature known) return known;
        string key = KeyOf(type);
        Signature signature = Known.GetOrAdd(key, (key, type), static s => new Signature(s.key, s.type.Params, s.type.Results));
        type.SignatureCache = signature;
        return signature;
    }

    /// <summary>The <see cref="Key"/> of a type's signature, which need not be made for that.</summary>
    internal static string KeyOf(FuncType type) => string.Create(type.Params.Length + type.Results.Length + 1, type, static (span, t) =>
    {
        int n = 0;
        foreach (ValType p in t.Params) span[n++] = Letter(p);
        span[n++] = ':';
        foreach (ValType r in t.Results) span[n++] = Letter(r);
    });

    /// <summary>Whether the delegate type is one of .NET's own, and none made in this process.</summary>
    internal bool HasNamedDelegate => HostParameters.Length <= 16;

    private static char Letter(ValType type) => type.Kind switch
    {
        ValKind.I32 => 'i',
        ValKind.I64 => 'l',
        ValKind.F32 => 'f',
        ValKind.F64 => 'd',
        ValKind.V128 => 'v',
        _ when IsFunc(type) => type == ValType.FuncRef ? 'F' : 'T',
        _ => type == ValType.ExternRef || type == ValType.Ref(HeapType.Any, true) ? 'O' : 'R',
    };

    internal static bool IsFunc(ValType type) => type.IsRef && ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Func);

    /// <summary>The IL type of values of a wasm type.</summary>
    internal static Type ClrType(ValType type) => type.Kind switch
    {
        ValKind.I32 => typeof(int),
        ValKind.I64 => typeof(long),
        ValKind.F32 => typeof(float),
        ValKind.F64 => typeof(double),
        ValKind.V128 => typeof(Vector128<byte>),
        _ => IsFunc(type) ? typeof(FuncRef) : typeof(object),
    };

    private static Type[] ClrTypes(ImmutableArray<ValType> types)
    {
        var clr = new Type[types.Length];
        for (int i = 0; i < clr.Length; i++) clr[i] = ClrType(types[i]);
        return clr;
    }

    private static Type[] HostTypes(ImmutableArray<ValType> types)
    {
        var host = new Type[types.Length];
        for (int i = 0; i < host.Length; i++) host[i] = HostType(types[i]);
        return host;
    }

    /// <summary>The type that the host sees of values of a wasm type.</summary>
    internal static Type HostType(ValType type)
    {
        Type clr = ClrType(type);
        return clr == typeof(FuncRef) ? typeof(Delegate) : clr;
    }

    /// <summary>The .NET type of several results: ValueTuple, nested after seven as C# does.</summary>
    internal static Type Tuple(ReadOnlySpan<Type> types)
    {
        if (types.Length == 0) return typeof(void);
        if (types.Length == 1) return types[0];
        // A program that is compiled whole has some of these types, and needs none.
        return RuntimeCode.IsCompiledWhole ? typeof(object[]) : TupleOf(types);
    }

    internal static Type TupleOf(ReadOnlySpan<Type> types) => types.Length switch
    {
        1 => typeof(ValueTuple<>).MakeGenericType(types.ToArray()),
        2 => typeof(ValueTuple<,>).MakeGenericType(types.ToArray()),
        3 => typeof(ValueTuple<,,>).MakeGenericType(types.ToArray()),
        4 => typeof(ValueTuple<,,,>).MakeGenericType(types.ToArray()),
        5 => typeof(ValueTuple<,,,,>).MakeGenericType(types.ToArray()),
        6 => typeof(ValueTuple<,,,,,>).MakeGenericType(types.ToArray()),
        7 => typeof(ValueTuple<,,,,,,>).MakeGenericType(types.ToArray()),
        _ => typeof(ValueTuple<,,,,,,,>).MakeGenericType([.. types[..7], TupleOf(types[7..])]),
    };

    /// <inheritdoc/>
    public override string ToString() => Key;
}
