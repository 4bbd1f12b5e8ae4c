using System.Text;

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

    /// <summary>Numbers of the types that each module has first: see <see cref="Write"/>.</summary>
    private const byte TableType = 0, SaveType = 1, RestoreType = 2, SetThrewType = 3, TagType = 4, FirstType = 5;

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

        void Set(string name, object? value) => instance.GetExport<Global>(name).Value = value
            ?? throw new LinkException($"the program has functions {Prefix}*, and exports nothing for their \"{name}\": a table, stackSave, stackRestore and setThrew are needed");
    }

    private static byte[] Write(IReadOnlyDictionary<string, FuncType> functions)
    {
        List<FuncType> invoked = [.. functions.Values];
        var module = new List<byte> { 0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00 };
        Section(1, [
            [0x59, 0x70, 0x00, 0x00],               // a table of functions
            [0x60, 0x00, 0x01, 0x7f],               // saves the stack pointer
            [0x60, 0x01, 0x7f, 0x00],               // restores it; of the tag of C++, too
            [0x60, 0x02, 0x7f, 0x7f, 0x00],         // setThrew
            [0x60, 0x00, 0x00],                     // of the tag of longjmp
            .. invoked.Select(t => Function(t.Params, t.Results)),
            .. invoked.Select(t => Function(t.Params.RemoveAt(0), t.Results)),
        ]);
        Section(2, [[.. Name("env"), .. Name("jump"), 0x04, 0x00, TagType], [.. Name("env"), .. Name("thrown"), 0x04, 0x00, RestoreType]]);
        Section(3, [.. invoked.Select((_, i) => Leb(FirstType + i))]);
        string[] globals = [Table, Save, Restore, SetThrew];
        Section(6, [.. globals.Select((_, i) => new byte[] { 0x63, (byte)i, 0x01, 0xd0, (byte)i, 0x0b })]);
        Section(7, [
            .. functions.Keys.Select((name, i) => (byte[])[.. Name(name), 0x00, .. Leb(i)]),
            .. globals.Select((name, i) => (byte[])[.. Name(name), 0x03, .. Leb(i)]),
        ]);
        Section(10, [.. invoked.Select((t, i) => Sized(Body(t, FirstType + invoked.Count + i)))]);
        return [.. module];

        void Section(byte id, IReadOnlyList<byte[]> items)
        {
            module.Add(id);
            module.AddRange(Sized([.. Leb(items.Count), .. items.SelectMany(i => i)]));
        }
    }

    /// <summary>The body of one: parameter 0 is the index, and the last local the stack pointer.</summary>
    private static byte[] Body(FuncType type, int called)
    {
        int saved = type.Params.Length;
        byte result = type.Results.IsEmpty ? (byte)0x40 : Code(type.Results[0]);
        return
        [
            0x01, 0x01, 0x7f,
            0x23, 0x01, 0x14, SaveType, 0x21, .. Leb(saved),
            0x02, 0x7f, 0x02, 0x40,                             // two blocks
            0x1f, result, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01,     // try_table: each tag leads to the end of a block, the second with an address
            .. Enumerable.Range(1, saved - 1).SelectMany(i => (byte[])[0x20, .. Leb(i)]),
            0x23, 0x00, 0x20, 0x00, 0xfa, 0x2f, TableType, .. Leb(called),
            0x0b,
            0x0f,                                               // return
            0x0b,
            0x41, 0x00, 0x0b, 0x1a,                             // the address is known already
            0x20, .. Leb(saved), 0x23, 0x02, 0x14, RestoreType,
            0x41, 0x01, 0x41, 0x00, 0x23, 0x03, 0x14, SetThrewType,
            .. type.Results.IsEmpty ? [] : Zero(type.Results[0]),
            0x0b,
        ];
    }

    private static byte Code(ValType type) => type.Kind switch
    {
        ValKind.I32 => 0x7f,
        ValKind.I64 => 0x7e,
        ValKind.F32 => 0x7d,
        ValKind.F64 => 0x7c,
        _ => 0x7b,
    };

    private static byte[] Zero(ValType type) => type.Kind switch
    {
        ValKind.I32 => [0x41, 0x00],
        ValKind.I64 => [0x42, 0x00],
        ValKind.F32 => [0x43, .. new byte[4]],
        ValKind.F64 => [0x44, .. new byte[8]],
        _ => [0xfd, 0x0c, .. new byte[16]],
    };

    private static byte[] Function(IReadOnlyCollection<ValType> parameters, IReadOnlyCollection<ValType> results) =>
        [0x60, .. Leb(parameters.Count), .. parameters.Select(Code), .. Leb(results.Count), .. results.Select(Code)];

    private static byte[] Name(string name) => Sized(Encoding.UTF8.GetBytes(name));

    private static byte[] Sized(byte[] content) => [.. Leb(content.Length), .. content];

    private static byte[] Leb(int value)
    {
        var bytes = new List<byte>();
        for (; value > 0x7f; value >>= 7) bytes.Add((byte)(value & 0x7f | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
