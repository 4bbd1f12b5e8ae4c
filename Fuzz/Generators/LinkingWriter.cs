using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>Writes operators of the runtime-linking extension on tables, globals, memories, slices and instances.</summary>
/// <param name="function">The function that they are for.</param>
internal sealed class LinkingWriter(ReferenceBody function)
{
    private readonly BodyWriter body = function.Body;
    private readonly TypeChoice choose = function.Choose;
    private readonly Frame frame = function.Frame;

    internal void Link()
    {
        switch (choose.Random.Next(9))
        {
            case 0:
                {
                    DefType type = choose.Pick([.. frame.Entities(ExternKind.Table)]);
                    TableType table = ((EntityType)type.Composite).Entity.Table;
                    function.Values.Need(ValType.Ref(type, choose.OneIn(12)));
                    if (choose.OneIn(4))
                    {
                        function.Values.Push(table.Element);
                        function.Values.Index(2, table.Is64);
                        body.Emit(OpId.TableGrowRef, frame.IndexOf(type)!.Value);
                        body.Apply(3, table.AddressType);
                        break;
                    }
                    function.Values.Index(2, table.Is64);
                    function.Values.Push(table.Element);
                    body.Emit(OpId.TableSetRef, frame.IndexOf(type)!.Value);
                    body.Drop(3);
                    break;
                }
            case 1 or 2:
                {
                    DefType type = choose.Pick([.. frame.Entities(ExternKind.Global)]);
                    GlobalType global = ((EntityType)type.Composite).Entity.Global;
                    if (!global.IsMutable) break;
                    function.Values.Need(ValType.Ref(type, choose.OneIn(12)), global.Type);
                    body.Emit(OpId.GlobalSetRef, frame.IndexOf(type)!.Value);
                    body.Drop(2);
                    break;
                }
            case 3: ChangeMemoryBehindReference(); break;
            case 4:
                function.Values.Need(TypeChoice.NotNullRef(HeapType.Slice));
                function.Values.Index(9, true);
                if (choose.OneIn(2))
                {
                    function.Values.Push(TypeChoice.NotNullRef(HeapType.Slice));
                    function.Values.Index(9, true);
                    function.Values.Index(9, true);
                    body.Emit(OpId.SliceCopy);
                    body.Drop(5);
                    break;
                }
                function.Values.Push(ValType.I32);
                function.Values.Index(9, true);
                body.Emit(OpId.SliceFill);
                body.Drop(4);
                break;
            case 5: CallExport(); break;
            case 6: DropCode(); break;
            default: function.Numbers.Access(); break;
        }
    }

    private void ChangeMemoryBehindReference()
    {
        DefType[] types = [.. frame.Entities(ExternKind.Memory)];
        DefType type = choose.Pick(types);
        uint index = frame.IndexOf(type)!.Value;
        bool is64 = ((EntityType)type.Composite).Entity.Memory.Is64;
        function.Values.Need(ValType.Ref(type, choose.OneIn(12)));
        switch (choose.Random.Next(4))
        {
            case 0:
                function.Values.Index(2, is64);
                body.Emit(OpId.MemoryGrowRef, index);
                body.Apply(2, is64 ? ValType.I64 : ValType.I32);
                break;
            case 1:
                function.Values.Index(500, is64);
                function.Values.Push(ValType.I32, 1);
                function.Values.Index(90, is64);
                body.Emit(OpId.MemoryFillRef, index);
                body.Drop(4);
                break;
            case 2:
                DefType from = choose.Pick(types);
                bool isFrom64 = ((EntityType)from.Composite).Entity.Memory.Is64;
                function.Values.Index(500, is64);
                function.Values.Push(TypeChoice.NotNullRef(from));
                function.Values.Index(500, isFrom64);
                function.Values.Index(90, is64 && isFrom64);
                body.Emit(OpId.MemoryCopyRef, index, frame.IndexOf(from)!.Value);
                body.Drop(5);
                break;
            default:
                function.Values.Index(500, is64);
                function.Values.Index(9);
                function.Values.Index(9);
                body.Emit(OpId.MemoryInitRef, 0, index);
                body.Drop(4);
                break;
        }
    }

    private void CallExport()
    {
        ModuleDecl module = choose.Pick(frame.Info.Modules);
        var exports = ((ModuleType)module.Type.Composite).Exports;
        ExportType export = exports[choose.Random.Next(exports.Length)];
        if (body.IsLeaf || export.Type.Kind != ExternKind.Func) return;
        FuncType type = export.Type.Func;
        function.Values.Need([.. type.Params, ValType.Ref(module.Exact, choose.OneIn(10))]);
        body.Emit(OpId.CallExport, (uint)module.Index);
        body.EmitName(export.Name);
        body.Apply(type.Params.Length + 1, [.. type.Results]);
    }

    /// <summary>
    /// Drops a function or module that the guest has just made, and may have kept in a local; or that of another guest, which mostly traps. Or asks for machine code of it,
    /// or how much code there is.
    /// </summary>
    private void DropCode()
    {
        if (choose.OneIn(3))
        {
            // The number depends on the collector. That it is none below zero does not.
            body.Emit(choose.OneIn(2) ? OpId.CodeCount : OpId.CodeSize);
            body.EmitConstant(true, -1);
            body.Emit(OperatorTable.Find("i64.gt_s")!);
            body.Apply(0, ValType.I32);
            return;
        }
        bool isModule = choose.OneIn(2);
        ValType dropped = isModule ? ValType.Ref(HeapType.Module, true) : ValType.FuncRef;
        DefType[] types = [.. frame.Info.Types.Where(t => isModule ? t.Composite is ModuleType : MakerTable.IsOfMadeFunctions(t))];
        if (types.Length == 0 || choose.OneIn(5))
        {
            function.Values.Need(dropped);
        }
        else
        {
            DefType type = choose.Pick(types);
            if (isModule) frame.Makers.CompileModule(function.Values, type);
            else frame.Makers.MakeFunction(function.Values, type);
            function.Statements.Tee(dropped);
        }
        body.Emit(isModule ? OpId.ModuleDrop : choose.OneIn(3) ? OpId.FuncOptimize : OpId.FuncDrop);
        body.Drop(1);
    }
}
