using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The state that all emitters of one function share: the buffer, the operand stack, the places of locals, and the current activation. It emits what
/// every operator may need: the instance and what it holds.
/// </summary>
internal sealed class EmitterContext
{
    internal EmitterContext(ModuleInfo module, int index, ICodeTarget target)
    {
        Target = target;
        Root = Current = new Activation(module, index, new InstanceUse(-1), null, 0, 0);
        Il = target.Verifies ? new IlBuffer() : new IlBuffer(Root.Func.BodyEnd - Root.Func.BodyStart);
        Signature = Signature.Of(Root.Func.Type);
        Stack = new OperandStack(Il, Places);
        if (target.Verifies) Stack.Shadows = new Shadows(Il, Stack);
        Known = new KnownIndexes(this);
    }

    internal ICodeTarget Target { get; }

    internal IlBuffer Il { get; }

    internal OperandStack Stack { get; }

    internal LocalPlaces Places { get; } = new();

    /// <summary>The signature of the method.</summary>
    internal Signature Signature { get; }

    /// <summary>The function that is compiled.</summary>
    internal Activation Root { get; }

    /// <summary>The function itself, or the one that is being put into it.</summary>
    internal Activation Current { get; set; }

    /// <summary>The module of the operators being emitted.</summary>
    internal ModuleInfo Module => Current.Module;

    /// <summary>The function of the operators being emitted.</summary>
    internal FuncInfo Func => Current.Func;

    /// <summary>What was proved of the operands of the operator being emitted.</summary>
    internal ProvenTypes Proven => Current.Proven;

    /// <summary>Whether the function calls anything that uses the stack: functions, or by a tail call what may be the host.</summary>
    internal bool HasCalls { get; set; }

    internal bool HasTailCalls { get; set; }

    /// <summary>
    /// How often code emitted so far leaves what is emitted for this function: calls, and helpers that may charge fuel, run guests, or let the host dispose
    /// of something. What such code changes is not known behind it.
    /// </summary>
    internal int OtherCode { get; private set; }

    /// <summary>How often code emitted so far may end the guest or leave the function in a way that looks at what is left of the fuel: traps, exceptions, tail calls.</summary>
    internal int Ends { get; private set; }

    /// <summary>Such code is about to be emitted, or just has been.</summary>
    internal void NoteEnd() => Ends++;

    /// <summary>The positions behind calls, where fuel is counted.</summary>
    internal List<int> Calls { get; } = [];

    /// <summary>What is proved of indices.</summary>
    internal KnownIndexes Known { get; }

    /// <summary>What the loops of the function whose operators are being emitted do.</summary>
    internal LoopWrites Loops => Current.Loops;

    /// <summary>Code that runs other code is about to be emitted, or just has been.</summary>
    internal void NoteOtherCode()
    {
        OtherCode++;
        Known.ForgetMemories();
    }

    /// <summary>Positions of loops and ways out, where the targets of raw pointers must still be alive.</summary>
    internal List<int> WaysOut { get; } = [];

    // ---- the instance ----

    /// <summary>Pushes the running function's instance.</summary>
    internal int LoadInstanceAt(int at) => LoadInstanceOfAt(at, Current.Use);

    internal int LoadInstance() => LoadInstanceAt(Il.Tail);

    private int LoadInstanceOfAt(int at, InstanceUse use) => use.Local < 0 ? Il.LdargAt(at, 0) : Il.LdlocAt(at, use.Local);

    /// <summary>Pushes element <paramref name="index"/> of an array of the instance, which is on the IL stack.</summary>
    internal int LoadElementAt(int at, FieldInfo array, int index)
    {
        at = Il.FieldAt(at, OpCodes.Ldfld, array);
        at = Il.LdcI4At(at, index);
        return Il.EmitAt(at, OpCodes.Ldelem_Ref);
    }

    /// <summary>Pushes element <paramref name="index"/> of an array of the running function's instance.</summary>
    internal void LoadInstanceElement(FieldInfo array, int index) => LoadElementAt(LoadInstance(), array, index);

    /// <summary>Pushes a memory of the instance.</summary>
    internal int LoadMemoryAt(int at, int memory)
    {
        at = LoadInstanceAt(at);
        return memory == 0 ? Il.FieldAt(at, OpCodes.Ldfld, Members.Memory0) : LoadElementAt(at, Members.Memories, memory);
    }

    /// <summary>Pushes a memory of the instance.</summary>
    internal void LoadMemory(uint memory) => LoadMemoryAt(Il.Tail, (int)memory);

    /// <summary>Pushes a table of the instance.</summary>
    internal void LoadTable(int table)
    {
        if (table == 0)
        {
            LoadInstance();
            Il.Field(OpCodes.Ldfld, Members.Table0);
        }
        else
        {
            LoadInstanceElement(Members.Tables, table);
        }
    }

    /// <summary>The type of the memory that an operator names: the module's own by index, or one behind a reference by its type.</summary>
    internal MemoryType MemoryOf(in Instr instr, uint index) => instr.Op.IsThroughReference ? Entity(index).Memory : Module.Memories[(int)index];

    /// <summary>The same of a table.</summary>
    internal TableType TableOf(in Instr instr, uint index) => instr.Op.IsThroughReference ? Entity(index).Table : Module.Tables[(int)index].Type;

    /// <summary>The memory, table or global type in a defined type.</summary>
    internal ExternType Entity(uint type) => ((EntityType)Module.Types[(int)type].Composite).Entity;

    /// <summary>The heap type that an immediate names.</summary>
    internal HeapType HeapTypeOf(HeapTypeCode code, int offset) => new TypeDecoder(Module).HeapTypeOf(code, offset);

    // ---- raw pointers ----

    /// <summary>The local with a memory's base, which never changes; loaded once at the function's start.</summary>
    internal int MemoryBase(uint memory)
    {
        Current.Use.UsesMemory = true;
        if (!Current.Use.MemoryBases.TryGetValue(memory, out int local)) Current.Use.MemoryBases[memory] = local = Il.DeclareLocal(typeof(nint));
        return local;
    }

    /// <summary>The local with a memory, for checks: only its length is loaded again at each access.</summary>
    internal int MemoryObject(uint memory)
    {
        Current.Use.UsesMemory = true;
        if (!Current.Use.MemoryObjects.TryGetValue(memory, out int local)) Current.Use.MemoryObjects[memory] = local = Il.DeclareLocal(typeof(Memory));
        return local;
    }

    /// <summary>Notes the position of a loop or of a way out.</summary>
    internal void KeepInstancesAliveAt(int at)
    {
        WaysOut.Add(at);
        for (Activation? activation = Current; activation is not null; activation = activation.Caller)
            if (activation.Caller?.Use != activation.Use) activation.Use.KeepAlives.Add(at);
    }

    /// <summary>Emits what the current instance needs at the beginning, and keeps it alive where it must be.</summary>
    internal int FinishUseAt(int at)
    {
        InstanceUse use = Current.Use;
        foreach ((uint memory, int local) in use.MemoryObjects) at = Il.StlocAt(LoadMemoryAt(at, (int)memory), local);
        if (use.UsesMemory)
            foreach (int wayOut in use.KeepAlives) Il.CallAt(LoadInstanceOfAt(wayOut, use), Members.KeepAlive);
        foreach ((uint memory, int local) in use.MemoryBases)
        {
            at = LoadInstanceAt(at);
            if (memory == 0)
            {
                at = Il.FieldAt(at, OpCodes.Ldfld, Members.Memory0Base);
            }
            else
            {
                at = LoadElementAt(at, Members.Memories, (int)memory);
                at = Il.FieldAt(at, OpCodes.Ldfld, Members.MemoryBase);
            }
            at = Il.StlocAt(at, local);
        }
        return at;
    }

    /// <summary>Pushes where in the map of stacks this frame is: map + (&amp;local >> granule).</summary>
    internal int StackMarkAt(int at)
    {
        int local = Il.DeclareLocal(typeof(int));
        at = Il.LdlocaAt(at, local);
        at = Il.EmitAt(at, OpCodes.Conv_U);
        at = Il.LdcI4At(at, StackGuard.GranuleLog2);
        at = Il.EmitAt(at, OpCodes.Shr_Un);
        at = Target.LoadStackMapAt(Il, at);
        return Il.EmitAt(at, OpCodes.Add);
    }

    // ---- helpers ----

    /// <summary>Puts the topmost operands onto the IL stack as a helper takes them: addresses with 64 bits.</summary>
    internal int TakeFor(MethodInfo helper, int operands) => Stack.Take(operands, AddressSize.WideParameters(helper));

    /// <summary>Calls a helper whose arguments are on the IL stack, and pushes what it gives.</summary>
    internal bool CallTaken(MethodInfo helper, int start, ValType? result)
    {
        Il.Call(helper);
        if (result is not { } type) return true;
        if (type == ValType.I32 && helper.ReturnType == typeof(long)) Il.Emit(OpCodes.Conv_I4);
        Stack.PushStack(type, start);
        return true;
    }

    /// <summary>Calls a helper with the topmost operands and pushes what it gives.</summary>
    internal bool CallHelper(int operands, MethodInfo helper, ValType? result = null) => CallTaken(helper, TakeFor(helper, operands), result);

    /// <summary>The same with the instance and a number behind the operands.</summary>
    internal bool CallWithIndex(int operands, uint index, MethodInfo helper, ValType? result = null)
    {
        int start = TakeFor(helper, operands);
        LoadInstance();
        Il.LdcI4((int)index);
        return CallTaken(helper, start, result);
    }
}
