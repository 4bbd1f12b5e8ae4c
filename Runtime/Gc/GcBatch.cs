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

    /// <summary>Makes what writes classes; null as long as there is no saved code, without which no object of them is made in a process that makes no code.</summary>
    private static Func<ClassWriter>? newWriter;

    private ModuleBuilder? module;
    private ClassWriter? writer;
    private int count;

    /// <summary>What the latest assembly takes of the process's mappings. The classes in it keep it.</summary>
    internal MappingLease? Lease { get; private set; }

    /// <summary>Whether classes can have constructors.</summary>
    internal bool MakesCode { get; init; } = RuntimeCode.IsAvailable;

    /// <summary>Whether this process makes no classes: objects have none of their own.</summary>
    internal static bool MakesNone => !RuntimeCode.IsAvailable && newWriter is null;

    /// <summary>Saved code is about to be loaded: where no code can be made, classes are written from now on.</summary>
    internal static void UseWriter() => newWriter ??= static () => new ClassImage();

    /// <summary>Begins a class.</summary>
    /// <exception cref="TrapException">The system has no room for another assembly.</exception>
    internal TypeBuilder Define(string kind, TypeAttributes attributes, Type parent)
    {
        if (!MakesCode || module is null) Lease = MappingLease.Take(Mappings.OfAssembly);
        if (!MakesCode)
        {
            writer = newWriter!();
            module = writer.Begin($"wasm type {Interlocked.Increment(ref written)}");
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
        return writer is null ? type : writer.Load(type);
    }

    /// <summary>Writes an assembly with a class. Programs that never load saved code need none.</summary>
    private abstract class ClassWriter
    {
        /// <summary>Begins the assembly.</summary>
        internal abstract ModuleBuilder Begin(string name);

        /// <summary>Loads it; gives its class.</summary>
        internal abstract Type Load(Type created);
    }

    private sealed class ClassImage : ClassWriter
    {
        private PersistedAssemblyBuilder? image;

        internal override ModuleBuilder Begin(string name)
        {
            image = new PersistedAssemblyBuilder(new AssemblyName(name), typeof(object).Assembly);
            Befriend(image);
            return image.DefineDynamicModule("wasm type");
        }

        internal override Type Load(Type created)
        {
            var file = new MemoryStream();
            image!.Save(file);
            // The class that it derives from may be in another of these assemblies.
            Assembly assembly = CollectibleAssembly.Load(file.ToArray(), typeof(GcBatch).Assembly, created.BaseType!.Assembly);
            return assembly.GetType(created.Name, throwOnError: true)!;
        }
    }
}
