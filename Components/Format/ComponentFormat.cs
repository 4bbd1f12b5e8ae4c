using WasmJit.Jit.Format;

namespace WasmJit.Components;

// The numbers of the component binary format (Binary.md), each in one place: decoder, text reader, printer and tests have them from here.

/// <summary>The first eight bytes of a component.</summary>
internal static class ComponentHeader
{
    /// <summary>The version of the format; the layer, which is 0 in core modules.</summary>
    internal const byte Version = 0x0d, Layer = 1;

    internal static ReadOnlySpan<byte> Bytes => [0, (byte)'a', (byte)'s', (byte)'m', Version, 0, Layer, 0];

    /// <summary>Whether the bytes are of the layer of components, whatever the version.</summary>
    internal static bool IsComponent(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 8 && bytes[..4].SequenceEqual(Bytes[..4]) && bytes[6] == Layer && bytes[7] == 0;
}

/// <summary>The ids of sections.</summary>
internal static class ComponentSectionId
{
    internal const byte Custom = 0, CoreModule = 1, CoreInstance = 2, CoreType = 3, Component = 4, Instance = 5, Alias = 6, Type = 7, Canon = 8,
        Start = 9, Import = 10, Export = 11, Value = 12;

    internal const byte Last = Value;
}

/// <summary>The kinds of definitions; each has an index space of its own in every component.</summary>
internal enum Sort
{
    CoreFunc,
    CoreTable,
    CoreMemory,
    CoreGlobal,
    CoreTag,
    CoreType,
    CoreModule,
    CoreInstance,
    Func,
    Value,
    Type,
    Component,
    Instance,
}

/// <summary>The bytes of sorts: a core sort stands behind <see cref="Core"/> where component sorts are possible.</summary>
internal static class SortByte
{
    internal const byte Core = 0, Func = 1, Value = 2, Type = 3, Component = 4, Instance = 5;

    internal const byte CoreFunc = 0, CoreTable = 1, CoreMemory = 2, CoreGlobal = 3, CoreTag = 4, CoreType = 0x10, CoreModule = 0x11, CoreInstance = 0x12;

    /// <summary>The sort of a byte behind <see cref="Core"/>, or of one that can be a core sort alone.</summary>
    internal static Sort? OfCore(byte b) => b switch
    {
        CoreFunc => Sort.CoreFunc,
        CoreTable => Sort.CoreTable,
        CoreMemory => Sort.CoreMemory,
        CoreGlobal => Sort.CoreGlobal,
        CoreTag => Sort.CoreTag,
        CoreType => Sort.CoreType,
        CoreModule => Sort.CoreModule,
        CoreInstance => Sort.CoreInstance,
        _ => null,
    };

    /// <summary>The sort of a byte that is not <see cref="Core"/>.</summary>
    internal static Sort? Of(byte b) => b switch
    {
        Func => Sort.Func,
        Value => Sort.Value,
        Type => Sort.Type,
        Component => Sort.Component,
        Instance => Sort.Instance,
        _ => null,
    };

    /// <summary>Reads a sort where all sorts are possible.</summary>
    /// <param name="reader">The bytes.</param>
    /// <param name="last">The byte that says which; of a core sort the one behind <see cref="Core"/>.</param>
    /// <returns>The sort; null if there is none of this byte.</returns>
    internal static Sort? Read(ref ByteReader reader, out byte last)
    {
        last = reader.U8();
        if (last != Core) return Of(last);
        last = reader.U8();
        return OfCore(last);
    }

    internal static bool IsCore(this Sort sort) => sort <= Sort.CoreInstance;

    /// <summary>The byte of a sort; of a core sort the one behind <see cref="Core"/>.</summary>
    internal static byte Byte(this Sort sort) => sort switch
    {
        Sort.CoreFunc => CoreFunc,
        Sort.CoreTable => CoreTable,
        Sort.CoreMemory => CoreMemory,
        Sort.CoreGlobal => CoreGlobal,
        Sort.CoreTag => CoreTag,
        Sort.CoreType => CoreType,
        Sort.CoreModule => CoreModule,
        Sort.CoreInstance => CoreInstance,
        Sort.Func => Func,
        Sort.Value => Value,
        Sort.Type => Type,
        Sort.Component => Component,
        Sort.Instance => Instance,
    };

    /// <summary>Writes a sort where all sorts are possible.</summary>
    internal static void Write(this Sort sort, ByteWriter writer)
    {
        if (sort.IsCore()) writer.U8(Core);
        writer.U8(sort.Byte());
    }

    /// <summary>The keywords of a sort in the text format.</summary>
    internal static string Text(this Sort sort) => sort switch
    {
        Sort.CoreFunc => "core func",
        Sort.CoreTable => "core table",
        Sort.CoreMemory => "core memory",
        Sort.CoreGlobal => "core global",
        Sort.CoreTag => "core tag",
        Sort.CoreType => "core type",
        Sort.CoreModule => "core module",
        Sort.CoreInstance => "core instance",
        Sort.Func => "func",
        Sort.Value => "value",
        Sort.Type => "type",
        Sort.Component => "component",
        Sort.Instance => "instance",
    };
}

/// <summary>How an instance is made: from a module or component, or of what is named in place.</summary>
internal static class InstanceByte
{
    internal const byte Instantiate = 0, Exports = 1;
}

/// <summary>What an alias aliases.</summary>
internal static class ComponentAliasByte
{
    internal const byte Export = 0, CoreExport = 1, Outer = 2;

    /// <summary>The only alias in a core module type.</summary>
    internal const byte CoreOuter = 1;
}

/// <summary>The first bytes of types.</summary>
internal static class ComponentTypeByte
{
    /// <summary>Primitive types.</summary>
    internal const byte Bool = 0x7f, S8 = 0x7e, U8 = 0x7d, S16 = 0x7c, U16 = 0x7b, S32 = 0x7a, U32 = 0x79, S64 = 0x78, U64 = 0x77, F32 = 0x76, F64 = 0x75,
        Char = 0x74, String = 0x73, ErrorContext = 0x64;

    /// <summary>Types made of others.</summary>
    internal const byte Record = 0x72, Variant = 0x71, List = 0x70, Tuple = 0x6f, Flags = 0x6e, Enum = 0x6d, Option = 0x6b, Result = 0x6a, Own = 0x69,
        Borrow = 0x68, FixedList = 0x67, Stream = 0x66, Future = 0x65, Map = 0x63;

    /// <summary>Types that are not value types.</summary>
    internal const byte Resource = 0x3f, Func = 0x40, Component = 0x41, Instance = 0x42, AsyncFunc = 0x43;

    /// <summary>Core types: a module type; before a sub type that is not final, whose own first byte is the same.</summary>
    internal const byte CoreModule = 0x50, CoreSubPrefix = 0;

    /// <summary>The forms of a result list.</summary>
    internal const byte OneResult = 0, NoResult = 1;

    /// <summary>Behind each case of a variant.</summary>
    internal const byte NoRefines = 0;
}

/// <summary>Before each declaration in a component, instance or module type.</summary>
internal static class DeclaratorByte
{
    internal const byte CoreType = 0, Type = 1, Alias = 2, Import = 3, Export = 4;

    /// <summary>In a core module type.</summary>
    internal const byte ModuleImport = 0, ModuleType = 1, ModuleAlias = 2, ModuleExport = 3;
}

/// <summary>The bounds of imported and exported types and values.</summary>
internal static class BoundByte
{
    internal const byte Eq = 0, SubResource = 1;

    /// <summary>A value of a type.</summary>
    internal const byte ValueType = 1;
}

/// <summary>Names of imports and exports, and their attributes.</summary>
internal static class ExternNameByte
{
    internal const byte Plain = 0, PlainToo = 1, WithAttributes = 2;

    internal const byte Implements = 0, VersionSuffix = 1, ExternalId = 2;
}

/// <summary>Options of canonical definitions.</summary>
internal static class CanonOptionByte
{
    internal const byte Utf8 = 0, Utf16 = 1, Latin1Utf16 = 2, Memory = 3, Realloc = 4, PostReturn = 5, Async = 6, Callback = 7;
}

/// <summary>The subsections of the section <c>component-name</c>.</summary>
internal static class ComponentNameSubsection
{
    internal const byte Component = 0, Sort = 1;
}
