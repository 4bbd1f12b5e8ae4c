using System.Reflection;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Operators on whole memories and tables (spec 4.6.6, 4.6.7): those of the module, and those behind references (runtime linking, section 4).
/// Both have the same cases. The helpers of the module's own take the object behind the operands; with a reference, it lies below the operands
/// that belong to it.
/// </summary>
internal sealed class BulkEmitter(EmitterContext context, CallEmitter calls)
{
    /// <summary>The helpers of an operator on memories or tables: on one of the module, and on one behind a reference.</summary>
    private sealed record Helpers(string Own, string Ref);

    private static readonly Helpers MemorySize = new(nameof(CodeHelpers.MemorySize), nameof(MemoryReferences.Size));
    private static readonly Helpers MemoryGrow = new(nameof(CodeHelpers.MemoryGrow), nameof(MemoryReferences.Grow));
    private static readonly Helpers MemoryFill = new(nameof(CodeHelpers.MemoryFill), nameof(MemoryReferences.Fill));
    private static readonly Helpers MemoryInit = new(nameof(CodeHelpers.MemoryInit), nameof(MemoryReferences.Init));
    private static readonly Helpers MemoryCopy = new(nameof(CodeHelpers.MemoryCopy), nameof(MemoryReferences.Copy));

    private static readonly Helpers TableGet = new(nameof(CodeHelpers.TableGet), nameof(TableReferences.Get));
    private static readonly Helpers TableSet = new(nameof(CodeHelpers.TableSet), nameof(TableReferences.Set));
    private static readonly Helpers TableSize = new(nameof(CodeHelpers.TableSize), nameof(TableReferences.Size));
    private static readonly Helpers TableGrow = new(nameof(CodeHelpers.TableGrow), nameof(TableReferences.Grow));
    private static readonly Helpers TableFill = new(nameof(CodeHelpers.TableFill), nameof(TableReferences.Fill));
    private static readonly Helpers TableInit = new(nameof(CodeHelpers.TableInit), nameof(TableReferences.Init));
    private static readonly Helpers TableCopy = new(nameof(CodeHelpers.TableCopy), nameof(TableReferences.Copy));

    private readonly IlBuffer il = context.Il;

    /// <summary>Emits an operator on memories, tables or segments.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.MemorySize or OpId.MemorySizeRef: return OnMemory(MemorySize, 0, instr, instr.A, AddressOfMemory(instr));
            case OpId.MemoryGrow or OpId.MemoryGrowRef: return OnMemory(MemoryGrow, 1, instr, instr.A, AddressOfMemory(instr));
            case OpId.MemoryFill or OpId.MemoryFillRef: return OnMemory(MemoryFill, 3, instr, instr.A);
            case OpId.MemoryInit or OpId.MemoryInitRef: return OnMemory(MemoryInit, 3, instr, instr.B, segment: instr.A);
            case OpId.MemoryCopy or OpId.MemoryCopyRef: return Copy(isMemory: true, MemoryCopy, instr);
            case OpId.MemoryNew:
                return context.CallWithIndex(0, instr.A, Members.MemoryReference(nameof(MemoryReferences.New)), Made(instr.A));
            case OpId.TableGet or OpId.TableGetRef: return OnTable(TableGet, 1, instr, instr.A, context.TableOf(instr, instr.A).Element);
            case OpId.TableSet or OpId.TableSetRef: return OnTable(TableSet, 2, instr, instr.A);
            case OpId.TableSize or OpId.TableSizeRef: return OnTable(TableSize, 0, instr, instr.A, context.TableOf(instr, instr.A).AddressType);
            case OpId.TableGrow or OpId.TableGrowRef: return OnTable(TableGrow, 2, instr, instr.A, context.TableOf(instr, instr.A).AddressType);
            case OpId.TableFill or OpId.TableFillRef: return OnTable(TableFill, 3, instr, instr.A);
            case OpId.TableInit or OpId.TableInitRef: return OnTable(TableInit, 3, instr, instr.B, segment: instr.A);
            case OpId.TableCopy or OpId.TableCopyRef: return Copy(isMemory: false, TableCopy, instr);
            case OpId.TableNew:
                bool ofFunctions = Signature.IsFunc(context.Entity(instr.A).Table.Element);
                return context.CallWithIndex(
                    1, instr.A, Members.TableReference(ofFunctions ? nameof(TableReferences.NewFunc) : nameof(TableReferences.New)), Made(instr.A));
            case OpId.CallIndirectRef:
                calls.CallIndirect(instr, type: instr.B, table: instr.A, tail: false);
                return true;
            case OpId.DataDrop or OpId.ElemDrop:
                return context.CallWithIndex(0, instr.A, Members.Helper(instr.Id == OpId.DataDrop ? nameof(CodeHelpers.DataDrop) : nameof(CodeHelpers.ElemDrop)));
            default: return false;
        }
    }

    private ValType AddressOfMemory(in Instr instr) => context.MemoryOf(instr, instr.A).AddressType;

    private ValType Made(uint type) => ValType.Ref(context.Module.Types[(int)type], false);

    private bool OnMemory(Helpers helpers, int operands, in Instr instr, uint memory, ValType? result = null, uint? segment = null) =>
        On(isMemory: true, helpers, operands, instr, memory, result, segment);

    private bool OnTable(Helpers helpers, int operands, in Instr instr, uint table, ValType? result = null, uint? segment = null) =>
        On(isMemory: false, helpers, operands, instr, table, result, segment);

    /// <summary>Calls the helper, with the instance and a segment's index behind the operands if it takes one.</summary>
    private bool On(bool isMemory, Helpers helpers, int operands, in Instr instr, uint index, ValType? result, uint? segment)
    {
        bool isReference = instr.Op.IsThroughReference;
        MethodInfo helper = Helper(isMemory, isReference, helpers);
        int start = context.TakeFor(helper, operands + (isReference ? 1 : 0));
        if (!isReference) LoadOwn(isMemory, index);
        if (segment is { } number)
        {
            context.LoadInstance();
            il.LdcI4((int)number);
        }
        return context.CallTaken(helper, start, result);
    }

    private void LoadOwn(bool isMemory, uint index)
    {
        if (isMemory) context.LoadMemory(index);
        else context.LoadTable((int)index);
    }

    private static MethodInfo Helper(bool isMemory, bool isReference, Helpers helpers) =>
        !isReference ? Members.Helper(helpers.Own) : isMemory ? Members.MemoryReference(helpers.Ref) : Members.TableReference(helpers.Ref);

    private bool Copy(bool isMemory, Helpers helpers, in Instr instr)
    {
        bool isReference = instr.Op.IsThroughReference;
        MethodInfo helper = Helper(isMemory, isReference, helpers);
        int start = context.TakeFor(helper, isReference ? 5 : 3);
        if (!isReference)
        {
            LoadOwn(isMemory, instr.A);
            LoadOwn(isMemory, instr.B);
        }
        return context.CallTaken(helper, start, null);
    }
}
