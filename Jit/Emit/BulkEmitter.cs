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
    /// <summary>The helpers of an operator on memories or tables, by the size of addresses.</summary>
    private sealed record Helpers(string Own32, string Own64, string Ref32, string Ref64);

    /// <summary>The same of a copy: between two of 32 bits, of 64 bits, and between one and the other.</summary>
    private sealed record CopyHelpers(Helpers Same, string Own32To64, string Own64To32, string Ref32To64, string Ref64To32);

    private static readonly Helpers MemorySize = new(
        nameof(CodeHelpers.MemorySize32), nameof(CodeHelpers.MemorySize64), nameof(MemoryReferences.Size32), nameof(MemoryReferences.Size64));

    private static readonly Helpers MemoryGrow = new(
        nameof(CodeHelpers.MemoryGrow32), nameof(CodeHelpers.MemoryGrow64), nameof(MemoryReferences.Grow32), nameof(MemoryReferences.Grow64));

    private static readonly Helpers MemoryFill = new(
        nameof(CodeHelpers.MemoryFill32), nameof(CodeHelpers.MemoryFill64), nameof(MemoryReferences.Fill32), nameof(MemoryReferences.Fill64));

    private static readonly Helpers MemoryInit = new(
        nameof(CodeHelpers.MemoryInit32), nameof(CodeHelpers.MemoryInit64), nameof(MemoryReferences.Init32), nameof(MemoryReferences.Init64));

    private static readonly CopyHelpers MemoryCopy = new(
        new(nameof(CodeHelpers.MemoryCopy32), nameof(CodeHelpers.MemoryCopy64), nameof(MemoryReferences.Copy32), nameof(MemoryReferences.Copy64)),
        nameof(CodeHelpers.MemoryCopy32To64), nameof(CodeHelpers.MemoryCopy64To32),
        nameof(MemoryReferences.Copy32To64), nameof(MemoryReferences.Copy64To32));

    private static readonly Helpers TableGet = new(
        nameof(CodeHelpers.TableGet32), nameof(CodeHelpers.TableGet64), nameof(TableReferences.Get32), nameof(TableReferences.Get64));

    private static readonly Helpers TableSet = new(
        nameof(CodeHelpers.TableSet32), nameof(CodeHelpers.TableSet64), nameof(TableReferences.Set32), nameof(TableReferences.Set64));

    private static readonly Helpers TableSize = new(
        nameof(CodeHelpers.TableSize32), nameof(CodeHelpers.TableSize64), nameof(TableReferences.Size32), nameof(TableReferences.Size64));

    private static readonly Helpers TableGrow = new(
        nameof(CodeHelpers.TableGrow32), nameof(CodeHelpers.TableGrow64), nameof(TableReferences.Grow32), nameof(TableReferences.Grow64));

    private static readonly Helpers TableFill = new(
        nameof(CodeHelpers.TableFill32), nameof(CodeHelpers.TableFill64), nameof(TableReferences.Fill32), nameof(TableReferences.Fill64));

    private static readonly Helpers TableInit = new(
        nameof(CodeHelpers.TableInit32), nameof(CodeHelpers.TableInit64), nameof(TableReferences.Init32), nameof(TableReferences.Init64));

    private static readonly CopyHelpers TableCopy = new(
        new(nameof(CodeHelpers.TableCopy32), nameof(CodeHelpers.TableCopy64), nameof(TableReferences.Copy32), nameof(TableReferences.Copy64)),
        nameof(CodeHelpers.TableCopy32To64), nameof(CodeHelpers.TableCopy64To32),
        nameof(TableReferences.Copy32To64), nameof(TableReferences.Copy64To32));

    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Emits an operator on memories, tables or segments.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.MemorySize or OpId.MemorySizeRef: return OnMemory(MemorySize, 0, instr, instr.A, AddressOfMemory(instr));
            case OpId.MemoryGrow or OpId.MemoryGrowRef: return OnMemory(MemoryGrow, 1, instr, instr.A, AddressOfMemory(instr));
            case OpId.MemoryFill or OpId.MemoryFillRef: return OnMemory(MemoryFill, 3, instr, instr.A);
            case OpId.MemoryInit or OpId.MemoryInitRef: return OnMemory(MemoryInit, 3, instr, instr.B, segment: instr.A);
            case OpId.MemoryCopy or OpId.MemoryCopyRef:
                return Copy(isMemory: true, MemoryCopy, instr, context.MemoryOf(instr, instr.A).Is64, context.MemoryOf(instr, instr.B).Is64);
            case OpId.MemoryNew:
                return context.CallWithIndex(0, instr.A, Members.MemoryReference(nameof(MemoryReferences.New)), Made(instr.A));
            case OpId.TableGet or OpId.TableGetRef: return OnTable(TableGet, 1, instr, instr.A, context.TableOf(instr, instr.A).Element);
            case OpId.TableSet or OpId.TableSetRef: return OnTable(TableSet, 2, instr, instr.A);
            case OpId.TableSize or OpId.TableSizeRef: return OnTable(TableSize, 0, instr, instr.A, context.TableOf(instr, instr.A).AddressType);
            case OpId.TableGrow or OpId.TableGrowRef: return OnTable(TableGrow, 2, instr, instr.A, context.TableOf(instr, instr.A).AddressType);
            case OpId.TableFill or OpId.TableFillRef: return OnTable(TableFill, 3, instr, instr.A);
            case OpId.TableInit or OpId.TableInitRef: return OnTable(TableInit, 3, instr, instr.B, segment: instr.A);
            case OpId.TableCopy or OpId.TableCopyRef:
                return Copy(isMemory: false, TableCopy, instr, context.TableOf(instr, instr.A).Is64, context.TableOf(instr, instr.B).Is64);
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
        On(isMemory: true, context.MemoryOf(instr, memory).Is64, helpers, operands, instr, memory, result, segment);

    private bool OnTable(Helpers helpers, int operands, in Instr instr, uint table, ValType? result = null, uint? segment = null) =>
        On(isMemory: false, context.TableOf(instr, table).Is64, helpers, operands, instr, table, result, segment);

    private bool On(bool isMemory, bool is64, Helpers helpers, int operands, in Instr instr, uint index, ValType? result, uint? segment)
    {
        bool isReference = instr.Op.IsThroughReference;
        int start = stack.Take(operands + (isReference ? 1 : 0));
        if (!isReference) LoadOwn(isMemory, index);
        string name = isReference ? AddressSize.Of(is64, helpers.Ref32, helpers.Ref64) : AddressSize.Of(is64, helpers.Own32, helpers.Own64);
        return Finish(start, Helper(isMemory, isReference, name), result, segment);
    }

    private void LoadOwn(bool isMemory, uint index)
    {
        if (isMemory) context.LoadMemory(index);
        else context.LoadTable((int)index);
    }

    private static MethodInfo Helper(bool isMemory, bool isReference, string name) =>
        !isReference ? Members.Helper(name) : isMemory ? Members.MemoryReference(name) : Members.TableReference(name);

    private bool Copy(bool isMemory, CopyHelpers helpers, in Instr instr, bool to64, bool from64)
    {
        bool isReference = instr.Op.IsThroughReference;
        int start = stack.Take(isReference ? 5 : 3);
        if (!isReference)
        {
            LoadOwn(isMemory, instr.A);
            LoadOwn(isMemory, instr.B);
        }
        string name = isReference
            ? AddressSize.OfCopy(to64, from64, helpers.Same.Ref32, helpers.Same.Ref64, helpers.Ref32To64, helpers.Ref64To32)
            : AddressSize.OfCopy(to64, from64, helpers.Same.Own32, helpers.Same.Own64, helpers.Own32To64, helpers.Own64To32);
        return Finish(start, Helper(isMemory, isReference, name), null, null);
    }

    /// <summary>Calls the helper, with the instance and a segment's index behind the operands if it takes one.</summary>
    private bool Finish(int start, MethodInfo helper, ValType? result, uint? segment)
    {
        if (segment is { } index)
        {
            context.LoadInstance();
            il.LdcI4((int)index);
        }
        il.Call(helper);
        if (result is { } type) stack.PushStack(type, start);
        return true;
    }
}
