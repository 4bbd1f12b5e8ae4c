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

    /// <summary>Whether a reference to a memory or slice is one that accesses can name.</summary>
    private bool IsAccessed(ValType type) => ReferenceEquals(type.Heap, HeapType.Slice) || IsOfEntity(type, ExternKind.Memory);

    /// <summary>
    /// A loop over memories and slices, tables and globals that locals have had since before it: in machine code that begins at the loop's head, what is kept beside them has to be
    /// there as well. Some iterations come first, so that the loop is hot in the tiers that are random.
    /// </summary>
    internal void LoopOverKept()
    {
        List<int> kept = [.. Enumerable.Range(0, body.Locals.Count).Where(i => IsAccessed(body.Locals[i]) || IsOfEntity(body.Locals[i], ExternKind.Table) || IsOfEntity(body.Locals[i], ExternKind.Global))];
        if (kept.Count == 0 || body.Labels.Count > 6)
        {
            function.Control.Nest();
            return;
        }
        foreach (int local in kept)
        {
            if (choose.OneIn(3) && body.IsSet[local]) continue;
            function.Values.Push(choose.OneIn(12) ? body.Locals[local] : body.Locals[local].AsNonNull);
            body.Emit(OpId.LocalSet, (uint)local);
            body.Drop(1);
            body.IsSet[local] = true;
        }
        body.Open(OpId.Loop, null);
        for (int steps = choose.Random.Next(1, 6); steps > 0; steps--)
        {
            body.Left--;
            if (choose.OneIn(4)) function.Statements.Step();
            else UseKept(choose.Pick(kept));
            if (body.Labels[^1].IsDead) break;
        }
        body.DropAll();
        // The module's fuel counts the iterations.
        if (!body.Labels[^1].IsDead)
        {
            body.Emit(OpId.GlobalGet, 0);
            body.EmitMask(false, choose.Pick<int>([1, 3, 7, 15]));
            body.Emit(OpId.BrIf, 0);
        }
        body.Close();
    }

    private bool IsOfEntity(ValType type, ExternKind kind) =>
        type.Heap is DefType { Composite: EntityType entity } def && entity.Entity.Kind == kind && frame.IndexOf(def) is not null;

    /// <summary>Uses what a local has; what comes of it stays on the stack.</summary>
    private void UseKept(int local)
    {
        ValType type = body.Locals[local];
        if (IsAccessed(type))
        {
            function.Numbers.AccessKept(local);
            return;
        }
        var def = (DefType)type.Heap!;
        ExternType entity = ((EntityType)def.Composite).Entity;
        uint index = frame.IndexOf(def)!.Value;
        body.Emit(OpId.LocalGet, (uint)local);
        body.Stack.Add(type);
        if (entity.Kind == ExternKind.Table)
        {
            function.Values.Index(2, entity.Table.Is64);
            body.Emit(OpId.TableGetRef, index);
            body.Apply(2, entity.Table.Element);
        }
        else if (entity.Global.IsMutable && choose.OneIn(2))
        {
            function.Values.Push(entity.Global.Type);
            body.Emit(OpId.GlobalSetRef, index);
            body.Drop(2);
        }
        else
        {
            body.Emit(OpId.GlobalGetRef, index);
            body.Apply(1, entity.Global.Type);
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
