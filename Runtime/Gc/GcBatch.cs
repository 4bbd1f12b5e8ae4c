using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Where a module's classes are made: one collectible assembly, which is unloaded when no object, module or type of it is left. If .NET makes no code
/// at run time, they are written as assemblies, one each, and loaded. These have no constructors, and need none, because such a process runs saved
/// code alone.
/// </summary>
internal sealed class GcBatch
{
    private static int written;

    private ModuleBuilder? module;
    private PersistedAssemblyBuilder? image;
    private int count;

    /// <summary>What the latest assembly takes of the process's mappings. The classes in it keep it.</summary>
    internal MappingLease? Lease { get; private set; }

    /// <summary>Whether classes can have constructors.</summary>
    internal bool MakesCode { get; init; } = RuntimeFeature.IsDynamicCodeSupported;

    /// <summary>Begins a class.</summary>
    /// <exception cref="TrapException">The system has no room for another assembly.</exception>
    internal TypeBuilder Define(string kind, TypeAttributes attributes, Type parent)
    {
        if (RuntimeCode.IsCompiledWhole) throw RuntimeCode.Missing("Structs and arrays of guests have classes that are made at run time");
        if (!MakesCode || module is null) Lease = MappingLease.Take(Mappings.OfAssembly);
        if (!MakesCode)
        {
            image = new PersistedAssemblyBuilder(new AssemblyName($"wasm type {Interlocked.Increment(ref written)}"), typeof(object).Assembly);
            Befriend(image);
            module = image.DefineDynamicModule("wasm type");
        }
        else if (module is null)
        {
            // References between assemblies are by name: a class that derives from one in another assembly must not find a third.
            string name = $"wasm types {Interlocked.Increment(ref written)}";
            var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName(name), AssemblyBuilderAccess.RunAndCollect);
            Befriend(assembly);
            module = assembly.DefineDynamicModule("wasm types");
        }
        return module!.DefineType($"{kind}{count++}", attributes, parent);
    }

    /// <summary>Fields of function references have a type that is internal here.</summary>
    private static void Befriend(AssemblyBuilder assembly) =>
        IgnoresAccessChecksToAttribute.Add(assembly, typeof(GcBatch).Assembly.GetName().Name!);

    /// <summary>Ends what <see cref="Define"/> began.</summary>
    internal Type Create(TypeBuilder builder)
    {
        Type type = builder.CreateType();
        if (image is null) return type;
        var file = new MemoryStream();
        image.Save(file);
        // The class that it derives from may be in another of these assemblies.
        Assembly assembly = CollectibleAssembly.Load(file.ToArray(), typeof(GcBatch).Assembly, type.BaseType!.Assembly);
        return assembly.GetType(type.Name, throwOnError: true)!;
    }
}
