using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.Loader;

namespace WasmJit.Runtime;

/// <summary>
/// Loads assemblies from their bytes, each in a context of its own. No lookup by name finds one, and it is unloaded when nothing of it is in use.
/// </summary>
/// <remarks>Unsafe: the metadata's address is used only while the assembly is at hand.</remarks>
internal static class CollectibleAssembly
{
    private sealed class Context(Assembly[] references) : AssemblyLoadContext("wasm", isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName name) => references.FirstOrDefault(a => a.GetName().Name == name.Name);
    }

    /// <summary>Loads an assembly.</summary>
    /// <param name="image">Its file.</param>
    /// <param name="references">The assemblies that its references mean, whatever else may have the same names.</param>
    internal static Assembly Load(byte[] image, params Assembly[] references)
    {
        var context = new Context(references);
        Assembly assembly = context.LoadFromStream(new MemoryStream(image, writable: false));
        // A context that is being unloaded looks for no assemblies: the runtime must know all of them before.
        ResolveReferences(assembly);
        // From here on references alone decide how long the assembly lives. Its own statics would keep it otherwise.
        context.Unload();
        return assembly;
    }

    private static unsafe void ResolveReferences(Assembly assembly)
    {
        if (!assembly.TryGetRawMetadata(out byte* blob, out int length)) throw new BadImageFormatException("The assembly has no metadata.");
        var reader = new MetadataReader(blob, length);
        var seen = new HashSet<EntityHandle>();
        foreach (TypeReferenceHandle type in reader.TypeReferences)
            if (reader.GetTypeReference(type).ResolutionScope is { Kind: HandleKind.AssemblyReference } scope && seen.Add(scope))
                assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(type));
        GC.KeepAlive(assembly);
    }
}
