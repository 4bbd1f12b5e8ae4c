using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Il;

/// <summary>How many values an instruction leaves on the IL stack more than it takes.</summary>
internal static class StackEffect
{
    internal static int Of(in IlBuffer.Node node)
    {
        switch (node.Object)
        {
            case NativeSignature signature: return -signature.Parameters.Length - 1 + (signature.Return == typeof(void) ? 0 : 1);
            case MethodInfo called when node.Form == IlBuffer.Form.Method:
                return -called.GetParameters().Length - (called.IsStatic ? 0 : 1) + (called.ReturnType == typeof(void) ? 0 : 1);
            case ConstructorInfo made: return 1 - made.GetParameters().Length;
        }
        // A return ends every statement.
        return node.Code == OpCodes.Ret ? int.MinValue / 2 : Pushed(node.Code.StackBehaviourPush) - Popped(node.Code.StackBehaviourPop);
    }

    /// <summary>How many values an instruction other than a call leaves.</summary>
    internal static int Pushed(StackBehaviour behaviour) => behaviour switch
    {
        StackBehaviour.Push0 => 0,
        StackBehaviour.Push1_push1 => 2,
        _ => 1,
    };

    /// <summary>How many values such an instruction takes; a return counts as taking none.</summary>
    internal static int Popped(StackBehaviour behaviour) => behaviour switch
    {
        StackBehaviour.Pop0 => 0,
        StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref => 1,
        StackBehaviour.Pop1_pop1 or StackBehaviour.Popi_pop1 or StackBehaviour.Popi_popi or StackBehaviour.Popi_popi8 or StackBehaviour.Popi_popr4
            or StackBehaviour.Popi_popr8 or StackBehaviour.Popref_pop1 or StackBehaviour.Popref_popi => 2,
        StackBehaviour.Popi_popi_popi or StackBehaviour.Popref_popi_popi or StackBehaviour.Popref_popi_popi8 or StackBehaviour.Popref_popi_popr4
            or StackBehaviour.Popref_popi_popr8 or StackBehaviour.Popref_popi_popref or StackBehaviour.Popref_popi_pop1 => 3,
        _ => 0,
    };
}
