using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>The values of exceptions: put into one when it is thrown, taken out where it is caught.</summary>
internal sealed class PayloadEmitter(EmitterContext context, FloatFolding floats)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Makes the exception of a tag with the topmost operands as its values; gives the temporary with it.</summary>
    internal int Make(uint tag)
    {
        PayloadLayout layout = PayloadLayout.Of((FuncType)context.Module.Tags[(int)tag].Composite);
        stack.Flush();
        int exception = stack.TakeTemp(typeof(WasmException));
        context.LoadInstance();
        il.LdcI4((int)tag);
        il.Call(Members.Exception(nameof(ExceptionHelpers.Make)));
        il.Stloc(exception);
        for (int i = layout.Types.Length - 1; i >= 0; i--)
        {
            StoreValue(layout, i, exception);
            stack.Remove();
        }
        return exception;
    }

    private void StoreValue(PayloadLayout layout, int index, int exception)
    {
        ValType type = layout.Types[index];
        int slot = layout.Slots[index];
        Operand value = stack[0];
        if (type.IsRef)
        {
            LoadSlot(exception, layout.Refs > PayloadLayout.InlineRefs ? Members.ExceptionRefs : null, slot);
            stack.LoadAt(il.Tail, value);
            if (layout.Refs > PayloadLayout.InlineRefs) il.Emit(OpCodes.Stelem_Ref);
            else il.Field(OpCodes.Stfld, Members.ExceptionRef);
            return;
        }
        for (int half = 0; half < type.Words; half++)
        {
            bool inArray = layout.Words > PayloadLayout.InlineWords;
            LoadSlot(exception, inArray ? Members.ExceptionWords : null, slot + half);
            stack.LoadAt(il.Tail, value);
            switch (type.Kind)
            {
                case ValKind.I32: il.Emit(OpCodes.Conv_U8); break;
                case ValKind.F32:
                    il.Call(Members.BitsOfFloat);
                    il.Emit(OpCodes.Conv_U8);
                    break;
                case ValKind.F64: il.Call(Members.BitsOfDouble); break;
                case ValKind.V128: il.Call(Members.Exception(half == 0 ? nameof(ExceptionHelpers.Low) : nameof(ExceptionHelpers.High))); break;
            }
            if (inArray) il.Emit(OpCodes.Stelem_I8);
            else il.Field(OpCodes.Stfld, Members.ExceptionWord(slot + half));
        }
    }

    /// <summary>Pushes what a value is a part of: the exception, or one of its arrays and the index in it.</summary>
    private void LoadSlot(int exception, FieldInfo? array, int slot)
    {
        il.Ldloc(exception);
        if (array is null) return;
        il.Field(OpCodes.Ldfld, array);
        il.LdcI4(slot);
    }

    /// <summary>Moves the values of an exception, whose tag is known, to temporaries.</summary>
    internal void Unpack(int exception, uint tag, int[] temps)
    {
        PayloadLayout layout = PayloadLayout.Of((FuncType)context.Module.Tags[(int)tag].Composite);
        for (int i = 0; i < layout.Types.Length; i++)
        {
            ValType type = layout.Types[i];
            int slot = layout.Slots[i];
            if (type.IsRef)
            {
                LoadSlot(exception, layout.Refs > PayloadLayout.InlineRefs ? Members.ExceptionRefs : null, slot);
                if (layout.Refs > PayloadLayout.InlineRefs) il.Emit(OpCodes.Ldelem_Ref);
                else il.Field(OpCodes.Ldfld, Members.ExceptionRef);
            }
            else
            {
                LoadWord(layout, exception, slot);
                switch (type.Kind)
                {
                    case ValKind.I32: il.Emit(OpCodes.Conv_I4); break;
                    case ValKind.F32:
                        il.Emit(OpCodes.Conv_I4);
                        floats.EmitFloatOfBits(is64: false);
                        break;
                    case ValKind.F64: floats.EmitFloatOfBits(is64: true); break;
                    case ValKind.V128:
                        LoadWord(layout, exception, slot + 1);
                        il.Call(Members.Exception(nameof(ExceptionHelpers.Vector)));
                        break;
                }
            }
            il.Stloc(temps[i]);
        }
    }

    private void LoadWord(PayloadLayout layout, int exception, int slot)
    {
        bool inArray = layout.Words > PayloadLayout.InlineWords;
        LoadSlot(exception, inArray ? Members.ExceptionWords : null, slot);
        if (inArray) il.Emit(OpCodes.Ldelem_I8);
        else il.Field(OpCodes.Ldfld, Members.ExceptionWord(slot));
    }
}
