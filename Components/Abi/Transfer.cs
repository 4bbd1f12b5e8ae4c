using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>What a compiled copy works on: one function's values in one direction.</summary>
internal class Transfer
{
    internal Transfer(GuestSide from, GuestSide to, RuntimeResource[] resources, PayloadType[] payloads)
    {
        From = from;
        To = to;
        Resources = resources;
        Payloads = payloads;
    }

    internal readonly GuestSide From, To;

    /// <summary>The resource types in the order of the <see cref="TypeShape"/>.</summary>
    internal readonly RuntimeResource[] Resources;

    /// <summary>What streams and futures carry, in the order of the shape.</summary>
    internal readonly PayloadType[] Payloads;

    internal static RuntimeResource[] Resolve(TypeShape shape, InstanceState instance) =>
        shape.Resources.Count == 0 ? [] : [.. shape.Resources.Select(instance.Resolve)];

    internal static PayloadType[] ResolvePayloads(TypeShape shape, InstanceState instance) =>
        shape.Streams.Count == 0 ? [] : [.. shape.Streams.Select(s => PayloadType.Of(s, instance))];
}

/// <summary>The same for a fused call, which only code of guests makes. It has at hand what copies of strings need, so that they need not go through other objects.</summary>
/// <remarks>Unsafe: the bases are those of the sides' memories, which are kept for as long as they are.</remarks>
internal sealed unsafe class FusedTransfer : Transfer
{
    internal FusedTransfer(Transfer other)
        : base(other.From, other.To.ForGuests(), other.Resources, other.Payloads)
    {
        bool isPlain = To.IsDirect && To.IsNarrowText && From.IsNarrowText && !From.IsShared && !From.Pays && !To.Pays;
        PlainTextEnd = isPlain ? GuestStrings.MostBytes + 1 : 0;
        ToInstance = To.Instance;
        (FromMemory, ToMemory) = (From.Memory, To.Memory);
        FromBase = From.Base;
        ToBase = To.Base;
        Realloc = To.Realloc;
    }

    /// <summary>Strings of fewer bytes are copied by <see cref="TransferHelpers.CopyText"/> itself. 0 if none are: encodings differ, or the sides need checks that it does not make.</summary>
    internal readonly ulong PlainTextEnd;

    internal readonly Memory? FromMemory, ToMemory;

    internal readonly byte* FromBase, ToBase;

    internal readonly InstanceState ToInstance;

    internal readonly FuncRef? Realloc;
}
