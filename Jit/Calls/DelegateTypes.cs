using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The delegate types of signatures: Func and Action, which .NET never forgets once they are made for some types. Beyond a number that no process
/// reaches on purpose, new signatures get types that the collector can take.
/// </summary>
internal static class DelegateTypes
{
    /// <summary>How many lasting types are made; each takes one to two kilobytes.</summary>
    private const int MaxLasting = 10_000;

    /// <summary>How many types share an assembly. They live until the last of them is unused.</summary>
    private const int PerAssembly = 64;

    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Lasting = [];
    private static ModuleBuilder? module;
    private static MappingLease? lease;
    private static int inModule;
    private static int mostLasting = MaxLasting;

    /// <summary>Lowers the number of lasting types.</summary>
    internal static int MostLastingForTests
    {
        set => mostLasting = value;
    }

    /// <summary>The type for a signature.</summary>
    /// <param name="signature">The signature.</param>
    /// <param name="kept">What must live as long as the type is used.</param>
    internal static Type Make(Signature signature, out MappingLease? kept)
    {
        kept = null;
        lock (Gate)
        {
            if (Lasting.Contains(signature.Key) || Lasting.Count < mostLasting || !System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported)
            {
                Lasting.Add(signature.Key);
                return MakeLasting(signature);
            }
            if (module is null || inModule == PerAssembly)
            {
                RuntimeCode.Require();
                lease = MappingLease.Take(Mappings.OfAssembly);
                module = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("wasm delegates"), AssemblyBuilderAccess.RunAndCollect)
                    .DefineDynamicModule("wasm delegates");
                inModule = 0;
            }
            kept = lease;
            return Define(module, $"delegate{inModule++}", signature);
        }
    }

    private static Type MakeLasting(Signature signature)
    {
        Type[] parameters = signature.HostParameters;
        int count = parameters.Length;
        if (!signature.HasNamedDelegate) return Expression.GetDelegateType([.. parameters, signature.HostReturn]);
        if (signature.HostReturn == typeof(void))
            return count == 0 ? typeof(Action) : OpenAction(count).MakeGenericType(parameters);
        return OpenFunc(count).MakeGenericType([.. parameters, signature.HostReturn]);
    }

    // By name .NET would find them after it has started its parser of names, which takes milliseconds.
    private static Type OpenAction(int parameters) => parameters switch
    {
        1 => typeof(Action<>),
        2 => typeof(Action<,>),
        3 => typeof(Action<,,>),
        4 => typeof(Action<,,,>),
        5 => typeof(Action<,,,,>),
        6 => typeof(Action<,,,,,>),
        7 => typeof(Action<,,,,,,>),
        8 => typeof(Action<,,,,,,,>),
        9 => typeof(Action<,,,,,,,,>),
        10 => typeof(Action<,,,,,,,,,>),
        11 => typeof(Action<,,,,,,,,,,>),
        12 => typeof(Action<,,,,,,,,,,,>),
        13 => typeof(Action<,,,,,,,,,,,,>),
        14 => typeof(Action<,,,,,,,,,,,,,>),
        15 => typeof(Action<,,,,,,,,,,,,,,>),
        16 => typeof(Action<,,,,,,,,,,,,,,,>),
        _ => throw new ArgumentOutOfRangeException(nameof(parameters)),
    };

    private static Type OpenFunc(int parameters) => parameters switch
    {
        0 => typeof(Func<>),
        1 => typeof(Func<,>),
        2 => typeof(Func<,,>),
        3 => typeof(Func<,,,>),
        4 => typeof(Func<,,,,>),
        5 => typeof(Func<,,,,,>),
        6 => typeof(Func<,,,,,,>),
        7 => typeof(Func<,,,,,,,>),
        8 => typeof(Func<,,,,,,,,>),
        9 => typeof(Func<,,,,,,,,,>),
        10 => typeof(Func<,,,,,,,,,,>),
        11 => typeof(Func<,,,,,,,,,,,>),
        12 => typeof(Func<,,,,,,,,,,,,>),
        13 => typeof(Func<,,,,,,,,,,,,,>),
        14 => typeof(Func<,,,,,,,,,,,,,,>),
        15 => typeof(Func<,,,,,,,,,,,,,,,>),
        16 => typeof(Func<,,,,,,,,,,,,,,,,>),
        _ => throw new ArgumentOutOfRangeException(nameof(parameters)),
    };

    private static Type Define(ModuleBuilder module, string name, Signature signature)
    {
        TypeBuilder type = module.DefineType(name, TypeAttributes.Public | TypeAttributes.Sealed, typeof(MulticastDelegate));
        const MethodAttributes common = MethodAttributes.Public | MethodAttributes.HideBySig;
        type.DefineConstructor(common | MethodAttributes.RTSpecialName, CallingConventions.Standard, [typeof(object), typeof(nint)])
            .SetImplementationFlags(MethodImplAttributes.Runtime);
        type.DefineMethod("Invoke", common | MethodAttributes.NewSlot | MethodAttributes.Virtual, signature.HostReturn, signature.HostParameters)
            .SetImplementationFlags(MethodImplAttributes.Runtime);
        return type.CreateType();
    }
}
