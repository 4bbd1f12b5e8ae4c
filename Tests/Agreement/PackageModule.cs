using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Jit.Binary;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>
/// Makes modules of the package. Its constructor describes all imports and exports, and the native library ends the process
/// over reference types that its description has no word for; such modules are made without that constructor.
/// </summary>
internal static partial class PackageModule
{
    private static readonly FieldInfo HandleField =
        typeof(W.Module).GetField("handle", BindingFlags.Instance | BindingFlags.NonPublic)!;

    private static readonly ConstructorInfo NewHandle =
        HandleField.FieldType.GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, [typeof(nint)])!;

    internal static W.Module Make(W.Engine engine, string name, byte[] bytes)
    {
        if (IsListable(ModuleDecoder.Decode(bytes))) return W.Module.FromBytes(engine, name, bytes);
        nint error = New(WasmtimeEngine.Handle(engine), bytes, (nuint)bytes.Length, out nint handle);
        if (error != 0)
        {
            Delete(error);
            return W.Module.FromBytes(engine, name, bytes); // throws and says why
        }
        var module = (W.Module)RuntimeHelpers.GetUninitializedObject(typeof(W.Module));
        HandleField.SetValue(module, NewHandle.Invoke([handle]));
        return module;
    }

    /// <summary>Whether the package has words for all imports and exports.</summary>
    internal static bool IsListable(ModuleInfo info) =>
        info.Imports.All(i => IsListable(i.Type)) && info.Exports.All(e => IsListable(info.TypeOf(e.Kind, e.Index)));

    private static bool IsListable(ExternType type) => type.Kind switch
    {
        ExternKind.Func or ExternKind.Tag => type.Func.Params.Concat(type.Func.Results).All(IsKnown),
        ExternKind.Table => IsKnown(type.Table.Element),
        ExternKind.Global => IsKnown(type.Global.Type),
        _ => true,
    };

    private static bool IsKnown(ValType type) => !type.IsRef || type == ValType.ExternRef || type == ValType.FuncRef;

    [LibraryImport("wasmtime", EntryPoint = "wasmtime_module_new")]
    private static partial nint New(nint engine, byte[] bytes, nuint length, out nint module);

    [LibraryImport("wasmtime", EntryPoint = "wasmtime_error_delete")]
    private static partial void Delete(nint error);
}
