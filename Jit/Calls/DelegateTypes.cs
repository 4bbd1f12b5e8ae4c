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
            return count == 0 ? typeof(Action) : Open("System.Action`", count).MakeGenericType(parameters);
        return Open("System.Func`", count + 1).MakeGenericType([.. parameters, signature.HostReturn]);
    }

    private static Type Open(string name, int arity) => typeof(Action).Assembly.GetType(name + arity, throwOnError: true)!;

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
