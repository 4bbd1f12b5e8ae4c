using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace WasmJit.Generated;

/// <summary>What a source generator knows of an interface, or of the class that it has made for a module.</summary>
/// <param name="face">The interface or class.</param>
/// <param name="make">Makes an object of the generated class.</param>
/// <param name="members">Describes the members: each has the index that the generated class uses.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class FaceDescription(Type face, Func<Face> make, Func<FaceMember[]> members)
{
    private static readonly ConditionalWeakTable<Type, FaceDescription> Known = [];

    private FaceMember[]? list;

    internal Type Face => face;

    internal Func<Face> Make => make;

    internal IReadOnlyList<FaceMember> Members => list ??= members();

    /// <summary>Makes the class known, so that <see cref="Instance.As{T}"/> uses it. An assembly with generated code does so when it is loaded.</summary>
    /// <param name="description">The description.</param>
    public static void Register(FaceDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        Known.AddOrUpdate(description.Face, description);
    }

    /// <summary>The description of an interface; null if no generator has made one.</summary>
    internal static FaceDescription? Of(Type face)
    {
        if (Known.TryGetValue(face, out FaceDescription? found)) return found;
        // The assembly of the interface may be one of which no code has run yet.
        RuntimeHelpers.RunModuleConstructor(face.Module.ModuleHandle);
        return Known.TryGetValue(face, out found) ? found : null;
    }
}
