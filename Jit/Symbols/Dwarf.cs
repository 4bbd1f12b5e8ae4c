namespace WasmJit.Jit.Symbols;

// The numbers of DWARF 2 to 5 that are read here, under the standard's names.

/// <summary>What an entry stands for (<c>DW_TAG</c>).</summary>
internal static class DwarfTag
{
    internal const int CompileUnit = 0x11, InlinedSubroutine = 0x1d, Subprogram = 0x2e;
}

/// <summary>The kind of a unit, from version 5 on (<c>DW_UT</c>).</summary>
internal static class DwarfUnit
{
    internal const int Compile = 1;
}

/// <summary>Attributes of entries (<c>DW_AT</c>).</summary>
internal static class DwarfAttribute
{
    internal const int Sibling = 0x01, Name = 0x03, StatementList = 0x10, LowPc = 0x11, HighPc = 0x12, CompilationDirectory = 0x1b;

    internal const int AbstractOrigin = 0x31, Specification = 0x47, Ranges = 0x55, CallColumn = 0x57, CallFile = 0x58, CallLine = 0x59;

    internal const int LinkageName = 0x6e, StringOffsetsBase = 0x72, AddressBase = 0x73, RangeListsBase = 0x74;

    /// <summary>The linkage name before version 4.</summary>
    internal const int MipsLinkageName = 0x2007;
}

/// <summary>How the value of an attribute is written (<c>DW_FORM</c>).</summary>
internal static class DwarfForm
{
    internal const int Address = 0x01, Block2 = 0x03, Block4 = 0x04, Data2 = 0x05, Data4 = 0x06, Data8 = 0x07, String = 0x08, Block = 0x09, Block1 = 0x0a,
        Data1 = 0x0b, Flag = 0x0c, SignedData = 0x0d, StringOffset = 0x0e, UnsignedData = 0x0f, ReferenceAddress = 0x10;

    /// <summary>References to entries of the same unit, and the number of a type unit.</summary>
    internal const int Reference1 = 0x11, Reference2 = 0x12, Reference4 = 0x13, Reference8 = 0x14, ReferenceUnsigned = 0x15, ReferenceSignature = 0x20;

    /// <summary>The form itself stands before the value; the value stands in the abbreviation.</summary>
    internal const int Indirect = 0x16, ImplicitConstant = 0x21;

    internal const int SectionOffset = 0x17, Expression = 0x18, FlagPresent = 0x19, Data16 = 0x1e, LineStringOffset = 0x1f;

    /// <summary>References into a supplementary file.</summary>
    internal const int ReferenceSupplementary4 = 0x1c, StringSupplementary = 0x1d, ReferenceSupplementary8 = 0x24;

    /// <summary>Indices into the tables of strings, addresses and lists.</summary>
    internal const int StringIndex = 0x1a, AddressIndex = 0x1b, LocationListIndex = 0x22, RangeListIndex = 0x23, StringIndex1 = 0x25, StringIndex2 = 0x26,
        StringIndex3 = 0x27, StringIndex4 = 0x28, AddressIndex1 = 0x29, AddressIndex2 = 0x2a, AddressIndex3 = 0x2b, AddressIndex4 = 0x2c;
}

/// <summary>Entries of a list of ranges (<c>DW_RLE</c>).</summary>
internal static class DwarfRange
{
    internal const int EndOfList = 0, BaseIndex = 1, StartIndexEndIndex = 2, StartIndexLength = 3, OffsetPair = 4, BaseAddress = 5, StartEnd = 6, StartLength = 7;
}

/// <summary>Instructions of line tables (<c>DW_LNS</c>); those behind <see cref="Extended"/> have a length (<c>DW_LNE</c>).</summary>
internal static class DwarfLine
{
    internal const int Extended = 0, Copy = 1, AdvancePc = 2, AdvanceLine = 3, SetFile = 4, SetColumn = 5, ConstAddPc = 8, FixedAdvancePc = 9;

    internal const int EndSequence = 1, SetAddress = 2;

    /// <summary>What the tables of names have of each, from version 5 on (<c>DW_LNCT</c>).</summary>
    internal const int Path = 1, DirectoryIndex = 2;
}
