namespace WasmJit.Jit.Format;

// The numbers of the binary format, each in one place, for decoder, validator, text reader, printer and tests. Codes of abstract heap types are in
// HeapByte (Runtime), opcodes in the operator table; Opcode has those that are needed without it.

/// <summary>The ids of sections (spec 5.5.2; module linking's from 14 on, and the scopes of <c>func.new</c>).</summary>
internal static class SectionId
{
    internal const byte Custom = 0, Type = 1, Import = 2, Function = 3, Table = 4, Memory = 5, Global = 6, Export = 7, Start = 8, Element = 9,
        Code = 10, Data = 11, DataCount = 12, Tag = 13, Module = 14, Instance = 15, Alias = 16, Scope = 17;

    /// <summary>The last section of the core specification, and the last of all.</summary>
    internal const byte LastCore = Tag, Last = Scope;
}

/// <summary>Bytes before the codes of operators that have two.</summary>
internal static class OperatorPrefix
{
    internal const byte Linking = 0xfa, Gc = 0xfb, Numeric = 0xfc, Vector = 0xfd, Atomic = 0xfe;

    /// <summary>The lowest and the highest of them; all bytes between them are prefixes.</summary>
    internal const byte First = Linking, Last = Atomic;
}

/// <summary>The first bytes of types (spec 5.3, with custom descriptors and runtime linking).</summary>
internal static class TypeByte
{
    internal const byte I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c, V128 = 0x7b;

    /// <summary>Packed types of fields and elements.</summary>
    internal const byte I8 = 0x78, I16 = 0x77;

    /// <summary>A reference type with its heap type behind it.</summary>
    internal const byte Ref = 0x64, RefNull = 0x63;

    /// <summary>Before a type index in a heap type: the exact type. Before a module index: the instances of that module.</summary>
    internal const byte Exact = 0x62, ExactModule = 0x56;

    /// <summary>Forms of defined types.</summary>
    internal const byte Func = 0x60, Struct = 0x5f, Array = 0x5e, Memory = 0x5a, Table = 0x59, Global = 0x58, Tag = 0x57, Module = 0x61, Instance = 0x62;

    /// <summary>Around defined types: recursion groups, super types, descriptors.</summary>
    internal const byte Rec = 0x4e, Sub = 0x50, SubFinal = 0x4f, Describes = 0x4c, Descriptor = 0x4d;

    /// <summary>The type of a block that takes and leaves nothing.</summary>
    internal const byte EmptyBlock = 0x40;

    /// <summary>Whether a byte is a code, in place of which an index may stand: as a signed number of one byte it is negative.</summary>
    internal static bool IsCode(byte b) => (b & 0xc0) == 0x40;

    /// <summary>Whether a form of a defined type is one of runtime linking.</summary>
    internal static bool IsLinking(byte form) => form is Memory or Table or Global or Tag or Module or Instance;
}

/// <summary>The byte before a table that has an initial value; behind it stands a zero.</summary>
internal static class TableByte
{
    internal const byte WithInit = 0x40;
}

/// <summary>The kinds of imports, exports, aliases and arguments (spec 5.5.5).</summary>
internal static partial class ExternByte
{
    internal const byte Func = 0, Table = 1, Memory = 2, Global = 3, Tag = 4, Module = 5, Instance = 6;

    /// <summary>In scopes, and in aliases of an enclosing module.</summary>
    internal const byte Type = 7;

    /// <summary>A function of exactly its type (custom descriptors).</summary>
    internal const byte ExactFunc = 0x20;

    /// <summary>Behind an empty second name: the import has one name. No description begins with it.</summary>
    internal const byte SingleLevel = 0xff;

    /// <summary>The byte of a keyword of the text format.</summary>
    internal static byte Of(string keyword) => keyword switch
    {
        "func" => Func,
        "table" => Table,
        "memory" => Memory,
        "global" => Global,
        "tag" => Tag,
        "module" => Module,
        "instance" => Instance,
        "type" => Type,
        _ => throw new ArgumentException($"'{keyword}' is not a kind of import or export.", nameof(keyword)),
    };
}

/// <summary>Before each definition in a module or instance type; the ids of the sections that define the same.</summary>
internal static class DefinitionByte
{
    internal const byte Type = 0x01, Import = 0x02, Export = 0x07, Alias = 0x0f;
}

internal static class AliasByte
{
    internal const byte InstanceExport = 0, Outer = 1;
}

/// <summary>Limits of tables and memories (spec 5.3.11, with threads and custom page sizes).</summary>
internal static class LimitsFlags
{
    internal const byte HasMaximum = 1, Shared = 2, Is64 = 4, HasPageSize = 8;

    internal const byte OfTables = HasMaximum | Shared | Is64, OfMemories = OfTables | HasPageSize;
}

/// <summary>Memory arguments: the low bits are the logarithm of the alignment.</summary>
internal static class MemArgFlags
{
    internal const uint Alignment = 0x3f, HasMemory = 0x40, HasReference = 0x80;
}

/// <summary>Element segments (spec 5.5.12): the second flag is an explicit table, or declarative if the first is set.</summary>
internal static class ElementFlags
{
    internal const uint NotActive = 1, HasTable = 2, Declarative = 2, HasExpressions = 4;

    /// <summary>The only kind of elements that stand as indices.</summary>
    internal const byte FuncKind = 0;
}

internal static class DataFlags
{
    internal const uint Passive = 1, HasMemory = 2;
}

/// <summary>Clauses of <c>try_table</c>: the first bit adds the exception itself, the second leaves out the tag.</summary>
internal static class CatchByte
{
    internal const byte Catch = 0, CatchRef = 1, CatchAll = 2, CatchAllRef = 3;
}

/// <summary>The subsections of the name section (spec 7.4.1, with the extended names).</summary>
internal static class NameSubsection
{
    internal const byte Module = 0, Function = 1, Local = 2, Label = 3, Type = 4, Table = 5, Memory = 6, Global = 7, Element = 8, Data = 9,
        Field = 10, Tag = 11, ModuleIndex = 12, Instance = 13, Scope = 14;
}
