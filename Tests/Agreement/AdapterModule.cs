using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Agreement;

/// <summary>How an adapter hands a result on.</summary>
internal enum ResultForm : byte
{
    /// <summary>As it is: numbers, vectors, externref.</summary>
    Same,

    /// <summary>An i32 that says what the reference is: <see cref="RefBits"/>.</summary>
    Bits,

    /// <summary>An externref, converted from within: what the host gave comes back so.</summary>
    Converted,
}

/// <summary>What an adapter says of a reference.</summary>
[Flags]
internal enum RefBits
{
    Null = 0,
    NotNull = 1,
    Eq = 2,
    I31 = 4,
    Struct = 8,
    Array = 16,
}

/// <summary>How an adapter makes an argument.</summary>
internal enum ArgumentForm : byte
{
    /// <summary>From a parameter of the same type.</summary>
    Same,

    /// <summary>A null of the parameter's own hierarchy.</summary>
    Null,

    /// <summary>From an externref parameter, converted inwards if the parameter is not one.</summary>
    Host,
}

/// <summary>
/// Writes modules that stand between the package's calls, which know numbers, vectors, externref and funcref, and exports
/// with other reference types. An adapter begins with the type section of the module it is for, so that it can import with
/// exactly the types that the module exports with.
/// </summary>
internal sealed class AdapterModule
{
    /// <summary>The name that adapters import from.</summary>
    internal const string From = " adapted";

    private readonly ModuleInfo module;
    private readonly ByteWriter types = new();
    private readonly uint groups;

    internal AdapterModule(ModuleInfo module)
    {
        this.module = module;
        // A section: its id, its length, its content. The types' content: a number of groups, then the groups.
        ReadOnlySpan<byte> bytes = module.Bytes.Span;
        int at = 8;
        while (at < bytes.Length)
        {
            byte id = bytes[at++];
            int length = (int)Leb(bytes, ref at), end = at + length;
            if (id == SectionId.Type)
            {
                groups = Leb(bytes, ref at);
                types.Bytes(bytes[at..end]);
                return;
            }
            at = end;
        }
    }

    private static uint Leb(ReadOnlySpan<byte> bytes, ref int at)
    {
        uint value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (next & 0x7fu) << shift;
            if (next < 0x80) return value;
        }
    }

    /// <summary>Whether the package can pass and return it.</summary>
    internal static bool IsPlain(ValType type) => !type.IsRef || type == ValType.ExternRef;

    /// <summary>
    /// Modules that import everything that the module exports, with its types, and do nothing. Memories and tables come
    /// one at a time: a module may export one twice, and may be from when there could be only one.
    /// </summary>
    internal IEnumerable<byte[]> Probes()
    {
        var together = new List<ExportInfo>();
        foreach (ExportInfo export in module.Exports)
        {
            if (export.Kind is ExternKind.Memory or ExternKind.Table) yield return Probe([export]);
            else together.Add(export);
        }
        yield return Probe(together);
    }

    private byte[] Probe(List<ExportInfo> exports)
    {
        var imports = new ByteWriter();
        imports.U32((uint)exports.Count);
        foreach (ExportInfo export in exports) Import(imports, export);
        return Assemble([], (SectionId.Import, imports));
    }

    /// <summary>A module whose <c>get</c> returns an exported global.</summary>
    internal byte[] Getter(ExportInfo export, ResultForm form)
    {
        ValType type = module.Globals[(int)export.Index].Type.Type;
        var imports = new ByteWriter();
        imports.U32(1);
        Import(imports, export);
        var code = new ByteWriter();
        code.U8(Opcode.GlobalGet);
        code.U32(0);
        return Finish(imports, "get", 0, [], [type], [form], code);
    }

    /// <summary>A module whose <c>call</c> calls an exported function.</summary>
    internal byte[] Caller(ExportInfo export, IReadOnlyList<ArgumentForm> arguments, IReadOnlyList<ResultForm> results)
    {
        FuncType type = module.Funcs[(int)export.Index].Func;
        var imports = new ByteWriter();
        imports.U32(1);
        Import(imports, export);
        var code = new ByteWriter();
        var parameters = new List<ValType>();
        for (int i = 0; i < arguments.Count; i++)
        {
            ValType wanted = type.Params[i];
            if (arguments[i] == ArgumentForm.Null)
            {
                code.U8(Opcode.RefNull);
                code.U8((byte)Bottom(wanted.Heap!).Code);
                continue;
            }
            code.U8(Opcode.LocalGet);
            code.U32((uint)parameters.Count);
            parameters.Add(arguments[i] == ArgumentForm.Host ? ValType.ExternRef : wanted);
            if (arguments[i] != ArgumentForm.Host) continue;
            if (Subtyping.TopOf(wanted.Heap!) == HeapType.Any) Gc(code, GcOpcode.AnyConvertExtern);
            if (!wanted.IsNullable) code.U8(Opcode.RefAsNonNull);
        }
        code.U8(Opcode.Call);
        code.U32(0);
        return Finish(imports, "call", 1, parameters, type.Results, results, code);
    }

    /// <summary>Adds what brings the results into their forms, and puts the module together.</summary>
    private byte[] Finish(
        ByteWriter imports, string name, uint importedFuncs, IReadOnlyList<ValType> parameters, IReadOnlyList<ValType> from,
        IReadOnlyList<ResultForm> forms, ByteWriter code)
    {
        var body = new ByteWriter();
        body.U32((uint)from.Count);
        foreach (ValType type in from)
        {
            body.U32(1);
            Type(body, type.IsRef ? ValType.Ref(Subtyping.TopOf(type.Heap!), true) : type);
        }
        body.Bytes(code.Span);
        for (int i = from.Count - 1; i >= 0; i--)
        {
            body.U8(Opcode.LocalSet);
            body.U32((uint)(parameters.Count + i));
        }
        var to = new List<ValType>();
        for (int i = 0; i < from.Count; i++) to.Add(Result(body, from[i], forms[i], (uint)(parameters.Count + i)));
        body.U8(Opcode.End);

        var signature = new ByteWriter();
        signature.U8(TypeByte.Func);
        signature.U32((uint)parameters.Count);
        foreach (ValType type in parameters) Type(signature, type);
        signature.U32((uint)to.Count);
        foreach (ValType type in to) Type(signature, type);

        var functions = new ByteWriter();
        functions.U32(1);
        functions.U32((uint)module.Types.Count);
        var exports = new ByteWriter();
        exports.U32(1);
        exports.Name(name);
        exports.U8(ExternByte.Func);
        exports.U32(importedFuncs);
        var bodies = new ByteWriter();
        bodies.U32(1);
        bodies.Sized(body);
        return Assemble(signature.Span, (SectionId.Import, imports), (SectionId.Function, functions), (SectionId.Export, exports), (SectionId.Code, bodies));
    }

    private static ValType Result(ByteWriter body, ValType type, ResultForm form, uint local)
    {
        body.U8(Opcode.LocalGet);
        body.U32(local);
        switch (form)
        {
            case ResultForm.Same: return type;
            case ResultForm.Converted:
                if (Subtyping.TopOf(type.Heap!) == HeapType.Any) Gc(body, GcOpcode.ExternConvertAny);
                return ValType.ExternRef;
        }
        body.U8(Opcode.RefIsNull);
        body.U8(Opcode.I32Eqz);
        if (Subtyping.TopOf(type.Heap!) != HeapType.Any) return ValType.I32;
        foreach ((RefBits bit, AbstractHeapType heap) in new[]
        {
            (RefBits.Eq, HeapType.Eq), (RefBits.I31, HeapType.I31), (RefBits.Struct, HeapType.Struct), (RefBits.Array, HeapType.Array),
        })
        {
            body.U8(Opcode.LocalGet);
            body.U32(local);
            Gc(body, GcOpcode.RefTest);
            body.U8((byte)heap.Code);
            body.U8(Opcode.I32Const);
            body.S64((long)bit);
            body.U8(Opcode.I32Mul);
            body.U8(Opcode.I32Or);
        }
        return ValType.I32;
    }

    private static void Gc(ByteWriter code, uint operation)
    {
        code.U8(OperatorPrefix.Gc);
        code.U32(operation);
    }

    private static AbstractHeapType Bottom(HeapType heap)
    {
        AbstractHeapType top = Subtyping.TopOf(heap);
        if (top == HeapType.Func) return HeapType.NoFunc;
        if (top == HeapType.Extern) return HeapType.NoExtern;
        return top == HeapType.Exn ? HeapType.NoExn : HeapType.None;
    }

    private byte[] Assemble(ReadOnlySpan<byte> lastType, params (byte Id, ByteWriter Content)[] sections)
    {
        var writer = new ByteWriter();
        writer.Bytes("\0asm\u0001\0\0\0"u8);
        var content = new ByteWriter();
        content.U32(groups + (lastType.IsEmpty ? 0u : 1u));
        content.Bytes(types.Span);
        content.Bytes(lastType);
        writer.U8(SectionId.Type);
        writer.Sized(content);
        foreach ((byte id, ByteWriter section) in sections)
        {
            writer.U8(id);
            writer.Sized(section);
        }
        return writer.ToArray();
    }

    private void Import(ByteWriter writer, ExportInfo export)
    {
        writer.Name(From);
        writer.Name(export.Name);
        writer.U8((byte)export.Kind);
        int index = (int)export.Index;
        switch (export.Kind)
        {
            case ExternKind.Func: writer.U32(module.FuncTypeIndices[index]); break;
            case ExternKind.Table:
                TableType table = module.Tables[index].Type;
                Type(writer, table.Element);
                writer.Limits(table);
                break;
            case ExternKind.Memory:
                writer.Limits(module.Memories[index]);
                break;
            case ExternKind.Global:
                GlobalType global = module.Globals[index].Type;
                Type(writer, global.Type);
                writer.U8(global.IsMutable ? (byte)1 : (byte)0);
                break;
            default:
                writer.U8(0);
                writer.U32(module.TagTypeIndices[index]);
                break;
        }
    }

    private void Type(ByteWriter writer, ValType type)
    {
        switch (type.Kind)
        {
            case ValKind.I32: writer.U8(TypeByte.I32); return;
            case ValKind.I64: writer.U8(TypeByte.I64); return;
            case ValKind.F32: writer.U8(TypeByte.F32); return;
            case ValKind.F64: writer.U8(TypeByte.F64); return;
            case ValKind.V128: writer.U8(TypeByte.V128); return;
        }
        writer.U8(type.IsNullable ? TypeByte.RefNull : TypeByte.Ref);
        switch (type.Heap)
        {
            case AbstractHeapType heap: writer.U8((byte)heap.Code); break;
            case ExactType exact:
                writer.U8(TypeByte.Exact);
                writer.U32((uint)module.Types.IndexOf(exact.Type));
                break;
            default: writer.S64(module.Types.IndexOf((DefType)type.Heap!)); break;
        }
    }
}
