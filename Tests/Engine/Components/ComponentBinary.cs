using System.Text;
using WasmJit.Components;

namespace WasmJit.Tests;

/// <summary>Components made byte by byte.</summary>
internal static class ComponentBinary
{
    internal static byte[] Of(params byte[][] sections) => [.. ComponentHeader.Bytes, .. sections.SelectMany(s => s)];

    /// <summary>A section with a count of items.</summary>
    internal static byte[] Section(byte id, params byte[][] items) => Whole(id, [.. Number((uint)items.Length), .. items.SelectMany(i => i)]);

    /// <summary>A section of one thing without a count: a module, component or start function.</summary>
    internal static byte[] Whole(byte id, byte[] content) => [id, .. Number((uint)content.Length), .. content];

    internal static byte[] Number(uint value)
    {
        var bytes = new List<byte>();
        do
        {
            bytes.Add((byte)((value & 0x7f) | (value > 0x7f ? 0x80u : 0)));
            value >>= 7;
        }
        while (value != 0);
        return [.. bytes];
    }

    internal static byte[] Name(string name) => [.. Number((uint)Encoding.UTF8.GetByteCount(name)), .. Encoding.UTF8.GetBytes(name)];

    /// <summary>A type index as a value type.</summary>
    internal static byte[] Index(uint index) => index < 64 ? [(byte)index] : [.. Number(index)[..^1], .. High(Number(index)[^1])];

    /// <summary>The last byte of a signed number that is not negative.</summary>
    private static byte[] High(byte last) => last < 0x40 ? [last] : [(byte)(last | 0x80), 0];

    /// <summary>A plain name of an import or export.</summary>
    internal static byte[] Extern(string name) => [0, .. Name(name)];

    /// <summary>Decodes and validates.</summary>
    internal static ComponentDefinition Load(byte[] bytes)
    {
        ComponentDefinition component = ComponentDecoder.Decode(bytes);
        ComponentValidator.Validate(component);
        return component;
    }
}
