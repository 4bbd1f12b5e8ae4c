using WasmJit.Jit.Binary;

namespace WasmJit.Components;

/// <summary>
/// A core type index space while it is decoded: that of a component, or of a component, instance or module type in it. Core types become canonical at
/// once, as those of core modules do, and so aliases of outer ones are resolved here.
/// </summary>
internal sealed class CoreTypeScope(CoreTypeScope? parent, ReadOnlyMemory<byte> bytes, DecodeSettings settings)
{
    private ModuleContents? contents;

    /// <summary>What a core module would be whose types these are; most scopes have none.</summary>
    internal ModuleContents Contents => contents ??= ModuleContents.Root(bytes, settings);

    internal List<DefType> Types => Contents.Types;

    /// <summary>The scope so many levels outside; 0 is this one.</summary>
    /// <exception cref="InvalidModuleException">There are not so many.</exception>
    internal CoreTypeScope Outer(uint count, int at)
    {
        CoreTypeScope? scope = this;
        for (uint i = 0; i < count && scope is not null; i++) scope = scope.Parent;
        return scope ?? throw new InvalidModuleException($"invalid outer alias count of {count}", at);
    }

    /// <exception cref="InvalidModuleException">The index is beyond the types.</exception>
    internal DefType Get(uint index, int at) =>
        index < Types.Count ? Types[(int)index] : throw new InvalidModuleException($"unknown type {index}: type index out of bounds", at);

    private CoreTypeScope? Parent { get; } = parent;
}
