using System.Reflection;

namespace WasmJit.Runtime;

/// <summary>Where a frame is in its module.</summary>
/// <param name="Function">The function's index.</param>
/// <param name="Offset">The instruction's offset in the bytes.</param>
/// <param name="Body">That of the function's body.</param>
internal sealed record FramePlace(int? Function, int? Offset = null, int Body = 0)
{
    internal static readonly FramePlace Unknown = new((int?)null);

    /// <summary>The module.</summary>
    internal ModuleDefinition? Definition { get; init; }

    internal IReadOnlyList<WasmFrame> Inlined { get; init; } = [];

    internal IReadOnlyList<SourceLocation> Source { get; init; } = [];
}

/// <summary>What a frame's place is found out from. Most frames are never asked.</summary>
internal abstract class FrameOrigin
{
    private FramePlace? place;

    internal FramePlace Place => place ??= Find();

    private FramePlace Find()
    {
        try
        {
            return Resolve();
        }
        catch (Exception)
        {
            // Formatting a trap throws no other exception: what cannot be found out stays unknown.
            return FramePlace.Unknown;
        }
    }

    private protected abstract FramePlace Resolve();
}

/// <summary>A place that is known.</summary>
/// <param name="find">Gives it.</param>
internal sealed class KnownFrame(Func<FramePlace> find) : FrameOrigin
{
    private protected override FramePlace Resolve() => find();
}

/// <summary>A function that was being interpreted.</summary>
/// <param name="services">Those of its instance.</param>
/// <param name="own">Its number among the functions that the module defines.</param>
/// <param name="instruction">How many instructions of register code there are before the current one; -1 if that is not known.</param>
internal sealed class InterpretedFrame(InstanceServices services, int own, int instruction) : FrameOrigin
{
    private protected override FramePlace Resolve() => services.PlaceOf(own, instruction);
}

/// <summary>A function with machine code.</summary>
/// <param name="method">The method.</param>
/// <param name="offset">The offset in its machine code: of the instruction that faulted, or behind a call; -1 if it is not known.</param>
/// <param name="fault">What an instruction does that has faulted there; null if it is a call.</param>
/// <param name="trappedAt">The offset in the module's bytes of the instruction that trapped; -1 if it is not known.</param>
internal sealed class CompiledFrame(MethodBase method, int offset, CodeKind? fault, int trappedAt) : FrameOrigin
{
    /// <summary>Finds the place of a frame. Set by the layer that compiles.</summary>
    internal static Func<MethodBase, int, CodeKind?, int, FramePlace?>? Finder { private get; set; }

    private protected override FramePlace Resolve() => Finder?.Invoke(method, offset, fault, trappedAt) ?? FramePlace.Unknown;
}
