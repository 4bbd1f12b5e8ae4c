using System.Collections.Immutable;
using WasmJit.Jit.Format;

namespace WasmJit.Wasi;

/// <summary>
/// Emscripten's functions <c>invoke_*</c>: each calls a function of the program's table and catches what <c>longjmp</c> and C++ throw. They are WebAssembly:
/// a module that is made for the types of a program. It calls through references to the program's table and functions, which exist only when the
/// program, which imports these, has been instantiated.
/// </summary>
internal sealed class EmscriptenInvoker
{
    private const string Prefix = "invoke_";

    private const string Table = "table", Save = "save", Restore = "restore", SetThrew = "set_threw";

    /// <summary>
    /// Numbers of the types that each module has first, and of its globals, whose types are the first of these: see <see cref="Write"/>. What C++ throws
    /// is an address, which is also what restoring the stack pointer takes.
    /// </summary>
    private const byte TableType = 0, SaveType = 1, RestoreType = 2, SetThrewType = 3, TagType = 4, FirstType = 5, ThrownType = RestoreType,
        TableGlobal = TableType, SaveGlobal = SaveType, RestoreGlobal = RestoreType, SetThrewGlobal = SetThrewType;

    private readonly Instance instance;

    /// <param name="engine">The program's engine.</param>
    /// <param name="functions">The functions by name, with the types that the program imports them with.</param>
    /// <param name="jump">What <c>longjmp</c> throws.</param>
    /// <param name="thrown">What C++ throws.</param>
    internal EmscriptenInvoker(Engine engine, IReadOnlyDictionary<string, FuncType> functions, Tag jump, Tag thrown)
    {
        // The module is the host's. What the host forbids its guests does not concern it.
        var own = new Engine(engine.Options with { RuntimeLinking = true, Features = Features.All, Limits = null, LinkingQuota = null });
        instance = own.Compile(Write(functions)).Instantiate(new Imports { { "env", "jump", jump }, { "env", "thrown", thrown } });
    }

    /// <summary>Whether an import is such a function: its first parameter is an index of the table.</summary>
    internal static bool Serves(string name, FuncType type) => name.StartsWith(Prefix, StringComparison.Ordinal) && type.Params.Length > 0
        && type.Params[0] == ValType.I32 && type.Results.Length <= 1 && type.Params.Concat(type.Results).All(t => !t.IsRef);

    internal Delegate Function(string name) => instance.GetExport<Delegate>(name);

    /// <exception cref="LinkException">The program exports not all that is needed.</exception>
    internal void Attach(Instance program)
    {
        Set(Table, program.TryGetExport("__indirect_function_table", out Table? table) ? table : program.Tables.FirstOrDefault());
        Set(Save, Find<Func<int>>("stackSave", "emscripten_stack_get_current"));
        Set(Restore, Find<Action<int>>("stackRestore", "_emscripten_stack_restore"));
        Set(SetThrew, Find<Action<int, int>>("setThrew", "_emscripten_set_threw"));

        T? Find<T>(string name, string newer)
            where T : class => program.TryGetExport(name, out T? found) || program.TryGetExport(newer, out found) ? found : null;

        void Set(string name, object? value)
        {
            if (value is null)
                throw new LinkException($"the program has functions {Prefix}*, and exports nothing for their \"{name}\": a table, stackSave, stackRestore and setThrew are needed");
            try
            {
                instance.GetExport<Global>(name).Value = value;
            }
            catch (ArgumentException)
            {
                // Programs of Emscripten's have a table of functions, with indices of 32 bits.
                throw new LinkException($"the program has functions {Prefix}*, and its \"{name}\" is of another type than they need");
            }
        }
    }

    private static byte[] Write(IReadOnlyDictionary<string, FuncType> functions)
    {
        List<FuncType> invoked = [.. functions.Values];
        string[] globals = [Table, Save, Restore, SetThrew];
        var types = new ByteWriter();
        types.Bytes([TypeByte.Table, (byte)HeapType.Func.Code, 0, 0]);
        Function(types, [], [ValType.I32]);
        Function(types, [ValType.I32], []);
        Function(types, [ValType.I32, ValType.I32], []);
        Function(types, [], []);
        foreach (FuncType type in invoked) Function(types, type.Params, type.Results);
        foreach (FuncType type in invoked) Function(types, type.Params.RemoveAt(0), type.Results);
        var imports = new ByteWriter();
        foreach ((string name, byte type) in (ReadOnlySpan<(string, byte)>)[("jump", TagType), ("thrown", ThrownType)])
        {
            imports.Name("env");
            imports.Name(name);
            imports.Bytes([ExternByte.Tag, 0, type]);
        }
        ByteWriter funcs = new(), variables = new(), exports = new(), code = new();
        for (int i = 0; i < globals.Length; i++)
            variables.Bytes([TypeByte.RefNull, (byte)i, 1, Opcode.RefNull, (byte)i, Opcode.End]);
        foreach ((int i, string name) in functions.Keys.Index())
        {
            funcs.U32((uint)(FirstType + i));
            Export(name, ExternByte.Func, i);
            code.Sized(Body(invoked[i], FirstType + invoked.Count + i));
        }
        foreach ((int i, string name) in globals.Index()) Export(name, ExternByte.Global, i);

        var module = new ByteWriter();
        module.Bytes("\0asm\x01\0\0\0"u8);
        Section(SectionId.Type, FirstType + (2 * invoked.Count), types);
        Section(SectionId.Import, 2, imports);
        Section(SectionId.Function, invoked.Count, funcs);
        Section(SectionId.Global, globals.Length, variables);
        Section(SectionId.Export, invoked.Count + globals.Length, exports);
        Section(SectionId.Code, invoked.Count, code);
        return module.ToArray();

        void Export(string name, byte kind, int index)
        {
            exports.Name(name);
            exports.U8(kind);
            exports.U32((uint)index);
        }

        void Section(byte id, int count, ByteWriter items)
        {
            module.U8(id);
            module.Sized(ByteWriter.Counted(count, items));
        }
    }

    /// <summary>The body of one: parameter 0 is the index, and the last local the stack pointer.</summary>
    private static ByteWriter Body(FuncType type, int called)
    {
        uint saved = (uint)type.Params.Length;
        var body = new ByteWriter();
        body.Bytes([1, 1, TypeByte.I32]);
        body.Bytes([Opcode.GlobalGet, SaveGlobal, Opcode.CallRef, SaveType, Opcode.LocalSet]);
        body.U32(saved);
        body.Bytes([Opcode.Block, TypeByte.I32, Opcode.Block, TypeByte.EmptyBlock]);
        // Each tag leads to the end of a block, the second with an address.
        body.Bytes([Opcode.TryTable, type.Results.IsEmpty ? TypeByte.EmptyBlock : Code(type.Results[0]), 2, CatchByte.Catch, 0, 0, CatchByte.Catch, 1, 1]);
        for (uint i = 1; i < saved; i++)
        {
            body.U8(Opcode.LocalGet);
            body.U32(i);
        }
        body.Bytes([Opcode.GlobalGet, TableGlobal, Opcode.LocalGet, 0, OperatorPrefix.Linking]);
        body.U32(LinkingOpcode.CallIndirectRef);
        body.U32(TableType);
        body.U32((uint)called);
        // The address is known already.
        body.Bytes([Opcode.End, Opcode.Return, Opcode.End, Opcode.I32Const, 0, Opcode.End, Opcode.Drop, Opcode.LocalGet]);
        body.U32(saved);
        body.Bytes([Opcode.GlobalGet, RestoreGlobal, Opcode.CallRef, RestoreType]);
        body.Bytes([Opcode.I32Const, 1, Opcode.I32Const, 0, Opcode.GlobalGet, SetThrewGlobal, Opcode.CallRef, SetThrewType]);
        if (!type.Results.IsEmpty) Zero(body, type.Results[0]);
        body.U8(Opcode.End);
        return body;
    }

    private static byte Code(ValType type) => type.Kind switch
    {
        ValKind.I32 => TypeByte.I32,
        ValKind.I64 => TypeByte.I64,
        ValKind.F32 => TypeByte.F32,
        ValKind.F64 => TypeByte.F64,
        _ => TypeByte.V128,
    };

    private static void Zero(ByteWriter code, ValType type)
    {
        switch (type.Kind)
        {
            case ValKind.I32: code.Bytes([Opcode.I32Const, 0]); break;
            case ValKind.I64: code.Bytes([Opcode.I64Const, 0]); break;
            case ValKind.F32: code.Bytes([Opcode.F32Const, .. new byte[4]]); break;
            case ValKind.F64: code.Bytes([Opcode.F64Const, .. new byte[8]]); break;
            default: code.Bytes([OperatorPrefix.Vector, (byte)VectorOpcode.V128Const, .. new byte[16]]); break;
        }
    }

    private static void Function(ByteWriter types, ImmutableArray<ValType> parameters, ImmutableArray<ValType> results)
    {
        types.U8(TypeByte.Func);
        foreach (ImmutableArray<ValType> list in (ReadOnlySpan<ImmutableArray<ValType>>)[parameters, results])
        {
            types.U32((uint)list.Length);
            foreach (ValType type in list) types.U8(Code(type));
        }
    }
}
