using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>How large the parts become into which functions are split.</summary>
internal readonly record struct PartSize(int Instructions, int Blocks, int LocalRefs);

/// <summary>
/// Splits functions that are too large to be optimised, or even to be compiled, as one: parts of the code become methods of
/// their own, each within RyuJIT's limits, so that its time and memory grow with the size of the function and no faster.
/// What lives across the borders of parts, locals and arguments, is kept in two arrays for the call; a part loads what it uses
/// often when it is entered and stores what it has changed when it is left. It returns where to go on: the method in front of
/// them calls one part after the other.
/// </summary>
/// <remarks>A part can be entered where nothing is on the IL stack, which holds for all labels.</remarks>
internal sealed class Splitter
{
    /// <summary>Far below the limits: the optimiser's time grows faster than a method.</summary>
    private static readonly PartSize Normal = new(10_000, 800, 5_000);

    private const int MaxCached = 100;
    private const int MinUsesToCache = 3;
    private const int StateShift = 16;

    // The arguments of a part.
    private const int WordsArg = 1, RefsArg = 2, EntryArg = 3, ResultArg = 4;

    private enum Place : byte { Part, Words, Refs }

    private readonly IlBuffer il;
    private readonly Signature signature;
    private readonly PartSize size;

    /// <summary>The instructions in order, as indices into the buffer.</summary>
    private readonly int[] order;

    /// <summary>Where parts begin in <see cref="order"/>; the end is the last.</summary>
    private readonly List<int> starts = [0];
    private readonly int[] partOfLabel;

    /// <summary>By label: its number among the places where its part is entered, 0 if it is not.</summary>
    private readonly int[] entryOfLabel;

    /// <summary>Arguments from the second on, then locals: where they are, and the byte offset or index there.</summary>
    private readonly Place[] places;
    private readonly int[] slots;
    private int words, refs;

    private Splitter(IlBuffer il, Signature signature, PartSize size)
    {
        this.il = il;
        this.signature = signature;
        this.size = size;
        var indices = new List<int>(il.Instructions);
        for (int i = il[IlBuffer.Start].Next; i != 0; i = il[i].Next) indices.Add(i);
        order = [.. indices];
        partOfLabel = new int[il.LabelCount];
        entryOfLabel = new int[il.LabelCount];
        int variables = Arguments + il.Locals.Count;
        places = new Place[variables];
        slots = new int[variables];
    }

    private int Arguments => signature.ValueTypes.Length;

    private int Parts => starts.Count - 1;

    private Type TypeOf(int variable) => variable < Arguments ? signature.ValueTypes[variable] : il.Locals[variable - Arguments];

    /// <summary>The variable of an instruction; -1 if it has none, or the instance.</summary>
    private int VariableOf(in IlBuffer.Node node) => node.Form switch
    {
        IlBuffer.Form.Local => Arguments + (int)node.Number,
        IlBuffer.Form.Arg => (int)node.Number - 1,
        _ => -1,
    };

    /// <summary>
    /// Compiles the parts of a function and writes the method in front of them. False if it cannot be split: tail calls and
    /// protected regions cannot leave a part.
    /// </summary>
    /// <param name="il">The function.</param>
    /// <param name="method">The function's method.</param>
    /// <param name="signature">Its signature.</param>
    /// <param name="name">What the parts are called, in stack traces for one.</param>
    /// <param name="kept">Takes what must live as long as the function.</param>
    /// <param name="bytes">The size of the function in WebAssembly.</param>
    /// <param name="size">The size of parts; the usual one if null.</param>
    internal static bool TryWrite(IlBuffer il, DynamicMethod method, Signature signature, string name, List<object> kept, int bytes, PartSize? size = null)
    {
        if (il.HasRegions) return false;
        var splitter = new Splitter(il, signature, size ?? Normal);
        if (!splitter.FindParts() || !splitter.FindEntries() || !splitter.FindPlaces()) return false;
        splitter.Write(method, name, kept, bytes);
        return true;
    }

    // ---- analysis ----

    private bool FindParts()
    {
        int depth = 0, instructions = 0, blocks = 0, uses = 0;
        var calls = new Dictionary<object, int>();
        for (int i = 0; i < order.Length; i++)
        {
            ref readonly IlBuffer.Node node = ref il[order[i]];
            if (depth == 0 && (instructions >= size.Instructions || blocks >= size.Blocks || uses >= size.LocalRefs))
            {
                starts.Add(i);
                instructions = blocks = uses = 0;
            }
            switch (node.Form)
            {
                case IlBuffer.Form.Mark:
                    if (depth != 0) return false;
                    partOfLabel[node.Number] = starts.Count - 1;
                    blocks++;
                    continue;
                case IlBuffer.Form.Local or IlBuffer.Form.Arg: uses++; break;
                // What leaves the part has a block of its own there.
                case IlBuffer.Form.Label: blocks += 2; break;
                case IlBuffer.Form.Switch: blocks += Math.Min(((int[])node.Object!).Length, size.Blocks / 2); break;
            }
            if (node.Code == OpCodes.Tailcall || node.Code == OpCodes.Jmp) return false;
            instructions++;
            depth += StackChange(node, calls);
            if (node.Code == OpCodes.Ret || node.Code == OpCodes.Throw) depth = 0;
            if (depth < 0 || (depth > 0 && node.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch)) return false;
        }
        starts.Add(order.Length);
        return Parts > 1 && Parts < 1 << 14;
    }

    private static int StackChange(in IlBuffer.Node node, Dictionary<object, int> calls)
    {
        switch (node.Form)
        {
            case IlBuffer.Form.Method when node.Object is MethodBase method:
                if (!calls.TryGetValue(method, out int change))
                {
                    change = -method.GetParameters().Length;
                    if (method is ConstructorInfo) change++;
                    else change += (((MethodInfo)method).ReturnType == typeof(void) ? 0 : 1) - (method.IsStatic ? 0 : 1);
                    calls[method] = change;
                }
                return change;
            case IlBuffer.Form.Calli:
                var callee = (Signature)node.Object!;
                return (callee.Return == typeof(void) ? 0 : 1) - callee.Parameters.Length - 1;
            default:
                return Pushed(node.Code.StackBehaviourPush) - Popped(node.Code.StackBehaviourPop);
        }
    }

    private static int Pushed(StackBehaviour behaviour) => behaviour switch
    {
        StackBehaviour.Push0 => 0,
        StackBehaviour.Push1_push1 => 2,
        _ => 1,
    };

    private static int Popped(StackBehaviour behaviour) => behaviour switch
    {
        StackBehaviour.Pop0 or StackBehaviour.Varpop => 0,
        StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref => 1,
        StackBehaviour.Pop1_pop1 or StackBehaviour.Popi_pop1 or StackBehaviour.Popi_popi or StackBehaviour.Popi_popi8
            or StackBehaviour.Popi_popr4 or StackBehaviour.Popi_popr8 or StackBehaviour.Popref_pop1 or StackBehaviour.Popref_popi => 2,
        _ => 3,
    };

    /// <summary>Numbers the labels that are reached from other parts.</summary>
    private bool FindEntries()
    {
        var entries = new int[Parts];
        for (int part = 0; part < Parts; part++)
            for (int i = starts[part]; i < starts[part + 1]; i++)
            {
                ref readonly IlBuffer.Node node = ref il[order[i]];
                if (node.Form == IlBuffer.Form.Label) Reach((int)node.Number, part, entries);
                else if (node.Form == IlBuffer.Form.Switch)
                    foreach (int label in (int[])node.Object!) Reach(label, part, entries);
            }
        return entries.Max() < 1 << StateShift;
    }

    private void Reach(int label, int from, int[] entries)
    {
        int part = partOfLabel[label];
        if (part != from && entryOfLabel[label] == 0) entryOfLabel[label] = ++entries[part];
    }

    /// <summary>
    /// Finds what may live from one part to another: whatever is read somewhere without having been written since the label
    /// before. All else is local to each part.
    /// </summary>
    private bool FindPlaces()
    {
        var written = new int[places.Length];
        var addressed = new bool[places.Length];
        var addressedEarly = new bool[places.Length];
        var used = new bool[places.Length];
        int run = 0;
        for (int part = 0; part < Parts; part++)
        {
            run++;
            for (int i = starts[part]; i < starts[part + 1]; i++)
            {
                ref readonly IlBuffer.Node node = ref il[order[i]];
                if (node.Form == IlBuffer.Form.Mark) run++;
                int variable = VariableOf(node);
                if (variable < 0) continue;
                if (node.Code == OpCodes.Stloc)
                {
                    written[variable] = run;
                    used[variable] = true;
                }
                else if (node.Code == OpCodes.Ldloca)
                {
                    addressed[variable] = true;
                    addressedEarly[variable] |= written[variable] != run;
                }
                else
                {
                    used[variable] = true;
                    if (written[variable] != run || variable < Arguments) places[variable] = Place.Words;
                }
            }
        }
        for (int variable = 0; variable < places.Length; variable++)
        {
            // Where only the address counts it is that of the frame; what is addressed otherwise must not leave it.
            if ((addressedEarly[variable] && used[variable]) || (addressed[variable] && places[variable] != Place.Part)) return false;
            if (places[variable] == Place.Part && variable >= Arguments) continue;
            Type type = TypeOf(variable);
            if (!type.IsValueType)
            {
                places[variable] = Place.Refs;
                slots[variable] = refs++;
                continue;
            }
            if (LoadOf(type) is null) return false;
            places[variable] = Place.Words;
            slots[variable] = words * 8;
            words += type == typeof(System.Runtime.Intrinsics.Vector128<byte>) ? 2 : 1;
        }
        return true;
    }

    private static OpCode? LoadOf(Type type) =>
        type == typeof(int) ? OpCodes.Ldind_I4 : type == typeof(long) ? OpCodes.Ldind_I8 : type == typeof(nint) ? OpCodes.Ldind_I
        : type == typeof(float) ? OpCodes.Ldind_R4 : type == typeof(double) ? OpCodes.Ldind_R8
        : type == typeof(System.Runtime.Intrinsics.Vector128<byte>) ? OpCodes.Ldobj : null;

    private static OpCode StoreOf(Type type) =>
        type == typeof(int) ? OpCodes.Stind_I4 : type == typeof(long) ? OpCodes.Stind_I8 : type == typeof(nint) ? OpCodes.Stind_I
        : type == typeof(float) ? OpCodes.Stind_R4 : type == typeof(double) ? OpCodes.Stind_R8 : OpCodes.Stobj;

    // ---- writing ----

    private Type[] PartParameters => signature.Return == typeof(void)
        ? [typeof(InstanceCore), typeof(long).MakeByRefType(), typeof(object[]), typeof(int)]
        : [typeof(InstanceCore), typeof(long).MakeByRefType(), typeof(object[]), typeof(int), signature.Return.MakeByRefType()];

    private unsafe void Write(DynamicMethod method, string name, List<object> kept, int bytes)
    {
        nint[] codes = GC.AllocateArray<nint>(Parts, pinned: true);
        var methods = new DynamicMethod[Parts];
        var frames = new long[Parts];
        Type[] parameters = PartParameters;
        CancellationScope? scope = WasmThread.CurrentScope;
        Parallel.For(0, Parts, (part, state) =>
        {
            if (scope?.Stopped is not null)
            {
                state.Stop();
                return;
            }
            IlBuffer code = new PartWriter(this, part).Write();
            methods[part] = new DynamicMethod(name, typeof(int), parameters, typeof(Splitter).Module, true);
            ILGenerator generator = methods[part].GetILGenerator(Math.Max(64, code.Bytes));
            if (JitCost.IsTooDear(code, bytes / Parts)) JitCost.WriteUnoptimised(code, generator);
            else code.WriteTo(generator);
            codes[part] = CodeAddress.Of(methods[part]);
            frames[part] = FrameGuard.LargeFrame(codes[part], FrameGuard.Estimate(code));
        });
        CancellationScope.ThrowIfStopped();
        kept.Add(codes);
        kept.Add(methods);
        WriteFront(method.GetILGenerator(), parameters, (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref codes[0]), frames.Max());
    }

    /// <summary>The method in front: makes the arrays, and calls parts until one returns from the function.</summary>
    private void WriteFront(ILGenerator front, Type[] parameters, nint codes, long frame)
    {
        LocalBuilder wordArray = front.DeclareLocal(typeof(long[])), refArray = front.DeclareLocal(typeof(object[]));
        LocalBuilder state = front.DeclareLocal(typeof(int));
        LocalBuilder? result = parameters.Length > ResultArg ? front.DeclareLocal(signature.Return) : null;
        if (frame > 0)
        {
            front.Emit(OpCodes.Ldc_I8, frame);
            front.Emit(OpCodes.Call, Members.StackSpace);
        }
        front.Emit(OpCodes.Ldc_I4, words + 1);
        front.Emit(OpCodes.Newarr, typeof(long));
        front.Emit(OpCodes.Stloc, wordArray);
        front.Emit(OpCodes.Ldc_I4, refs);
        front.Emit(OpCodes.Newarr, typeof(object));
        front.Emit(OpCodes.Stloc, refArray);
        for (int i = 0; i < Arguments; i++)
        {
            if (places[i] == Place.Words)
            {
                FirstWord();
                front.Emit(OpCodes.Ldc_I4, slots[i]);
                front.Emit(OpCodes.Add);
                front.Emit(OpCodes.Ldarg, (short)(i + 1));
                OpCode store = StoreOf(TypeOf(i));
                if (store == OpCodes.Stobj) front.Emit(store, TypeOf(i));
                else front.Emit(store);
            }
            else
            {
                front.Emit(OpCodes.Ldloc, refArray);
                front.Emit(OpCodes.Ldc_I4, slots[i]);
                front.Emit(OpCodes.Ldarg, (short)(i + 1));
                front.Emit(OpCodes.Stelem_Ref);
            }
        }
        Label again = front.DefineLabel();
        front.MarkLabel(again);
        front.Emit(OpCodes.Ldarg_0);
        FirstWord();
        front.Emit(OpCodes.Ldloc, refArray);
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Ldc_I4, (1 << StateShift) - 1);
        front.Emit(OpCodes.And);
        if (result is not null) front.Emit(OpCodes.Ldloca, result);
        front.Emit(OpCodes.Ldc_I8, (long)codes);
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Ldc_I4, StateShift);
        front.Emit(OpCodes.Shr);
        front.Emit(OpCodes.Conv_I8);
        front.Emit(OpCodes.Ldc_I4_8);
        front.Emit(OpCodes.Conv_I8);
        front.Emit(OpCodes.Mul);
        front.Emit(OpCodes.Add);
        front.Emit(OpCodes.Conv_I);
        front.Emit(OpCodes.Ldind_I);
        front.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(int), parameters, null);
        front.Emit(OpCodes.Stloc, state);
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Ldc_I4_0);
        front.Emit(OpCodes.Bge, again);
        front.Emit(OpCodes.Ldarg_0);
        front.Emit(OpCodes.Call, Members.KeepAlive);
        if (result is not null) front.Emit(OpCodes.Ldloc, result);
        front.Emit(OpCodes.Ret);

        void FirstWord()
        {
            front.Emit(OpCodes.Ldloc, wordArray);
            front.Emit(OpCodes.Ldc_I4_0);
            front.Emit(OpCodes.Ldelema, typeof(long));
        }
    }

    /// <summary>Writes one part.</summary>
    private sealed class PartWriter(Splitter whole, int part)
    {
        private readonly IlBuffer code = new();
        private readonly Dictionary<int, int> labels = [];

        /// <summary>Variables that have a local here, and those of them that live in the arrays; the latter with whether they change.</summary>
        private readonly Dictionary<int, int> locals = [];
        private readonly Dictionary<int, bool> cached = [];
        private readonly Dictionary<int, int> exits = [];
        private readonly Dictionary<Type, int> temps = [];
        private int leave = -1, state = -1;

        internal IlBuffer Write()
        {
            ChooseCached();
            foreach ((int variable, _) in cached)
            {
                LoadFromArray(variable);
                code.Stloc(LocalFor(variable));
            }
            EnterWhereAsked();
            bool falls = true;
            for (int i = whole.starts[part]; i < whole.starts[part + 1]; i++)
            {
                ref readonly IlBuffer.Node node = ref whole.il[whole.order[i]];
                WriteNode(node);
                falls = node.Code != OpCodes.Br && node.Code != OpCodes.Ret && node.Code != OpCodes.Throw;
            }
            // The code of the last part never ends without going somewhere.
            if (falls && part + 1 < whole.Parts) Leave((part + 1) << StateShift);
            foreach ((int label, int exit) in exits)
            {
                code.Mark(exit);
                Leave((whole.partOfLabel[label] << StateShift) | whole.entryOfLabel[label]);
            }
            if (leave < 0) return code;
            code.Mark(leave);
            foreach ((int variable, bool changes) in cached)
                if (changes) StoreToArray(variable, LocalFor(variable));
            code.Ldloc(state);
            code.Emit(OpCodes.Ret);
            return code;
        }

        private void ChooseCached()
        {
            var uses = new Dictionary<int, (int Count, bool Changes)>();
            for (int i = whole.starts[part]; i < whole.starts[part + 1]; i++)
            {
                ref readonly IlBuffer.Node node = ref whole.il[whole.order[i]];
                int variable = whole.VariableOf(node);
                if (variable < 0 || whole.places[variable] == Place.Part) continue;
                (int count, bool changes) = uses.GetValueOrDefault(variable);
                uses[variable] = (count + 1, changes || node.Code == OpCodes.Stloc || node.Code == OpCodes.Starg);
            }
            foreach ((int variable, (int count, bool changes)) in uses.OrderByDescending(u => u.Value.Count).ThenBy(u => u.Key).Take(MaxCached))
                if (count >= MinUsesToCache) cached[variable] = changes;
        }

        private void EnterWhereAsked()
        {
            var entries = new SortedDictionary<int, int>();
            for (int i = whole.starts[part]; i < whole.starts[part + 1]; i++)
            {
                ref readonly IlBuffer.Node node = ref whole.il[whole.order[i]];
                if (node.Form == IlBuffer.Form.Mark && whole.entryOfLabel[node.Number] is var entry and not 0) entries[entry] = LabelFor((int)node.Number);
            }
            if (entries.Count == 0) return;
            int beginning = code.DefineLabel();
            code.Ldarg(EntryArg);
            code.Switch([beginning, .. entries.Values]);
            code.Mark(beginning);
        }

        private int LabelFor(int label)
        {
            if (!labels.TryGetValue(label, out int own)) labels[label] = own = code.DefineLabel();
            return own;
        }

        /// <summary>Where a branch goes: to the label, or to where the part is left for it.</summary>
        private int TargetFor(int label)
        {
            if (whole.partOfLabel[label] == part) return LabelFor(label);
            if (!exits.TryGetValue(label, out int exit)) exits[label] = exit = code.DefineLabel();
            return exit;
        }

        private void Leave(int to)
        {
            if (leave < 0)
            {
                leave = code.DefineLabel();
                state = code.DeclareLocal(typeof(int));
            }
            code.LdcI4(to);
            code.Stloc(state);
            code.Branch(OpCodes.Br, leave);
        }

        private int LocalFor(int variable)
        {
            if (!locals.TryGetValue(variable, out int local)) locals[variable] = local = code.DeclareLocal(whole.TypeOf(variable));
            return local;
        }

        private int Temp(Type type)
        {
            if (!temps.TryGetValue(type, out int temp)) temps[type] = temp = code.DeclareLocal(type);
            return temp;
        }

        private void LoadFromArray(int variable)
        {
            if (whole.places[variable] == Place.Refs)
            {
                code.Ldarg(RefsArg);
                code.LdcI4(whole.slots[variable]);
                code.Emit(OpCodes.Ldelem_Ref);
                return;
            }
            Address(variable);
            Type type = whole.TypeOf(variable);
            OpCode load = LoadOf(type)!.Value;
            if (load == OpCodes.Ldobj) code.TypeOp(load, type);
            else code.Emit(load);
        }

        private void StoreToArray(int variable, int from)
        {
            if (whole.places[variable] == Place.Refs)
            {
                code.Ldarg(RefsArg);
                code.LdcI4(whole.slots[variable]);
                code.Ldloc(from);
                code.Emit(OpCodes.Stelem_Ref);
                return;
            }
            Address(variable);
            code.Ldloc(from);
            Type type = whole.TypeOf(variable);
            OpCode store = StoreOf(type);
            if (store == OpCodes.Stobj) code.TypeOp(store, type);
            else code.Emit(store);
        }

        private void Address(int variable)
        {
            code.Ldarg(WordsArg);
            if (whole.slots[variable] == 0) return;
            code.LdcI4(whole.slots[variable]);
            code.Emit(OpCodes.Add);
        }

        private void WriteNode(in IlBuffer.Node node)
        {
            code.Source = node.Source;
            switch (node.Form)
            {
                case IlBuffer.Form.Mark: code.Mark(LabelFor((int)node.Number)); break;
                case IlBuffer.Form.Label: code.Branch(node.Code, TargetFor((int)node.Number)); break;
                case IlBuffer.Form.Switch: code.Switch(Array.ConvertAll((int[])node.Object!, TargetFor)); break;
                case IlBuffer.Form.Local or IlBuffer.Form.Arg when whole.VariableOf(node) >= 0: WriteAccess(node); break;
                case IlBuffer.Form.None when node.Code == OpCodes.Ret: WriteReturn(); break;
                default: code.Append(node); break;
            }
        }

        private void WriteAccess(in IlBuffer.Node node)
        {
            int variable = whole.VariableOf(node);
            bool stores = node.Code == OpCodes.Stloc || node.Code == OpCodes.Starg;
            if (whole.places[variable] == Place.Part || cached.ContainsKey(variable))
            {
                int local = LocalFor(variable);
                if (stores) code.Stloc(local);
                else if (node.Code == OpCodes.Ldloca) code.Ldloca(local);
                else code.Ldloc(local);
            }
            else if (stores)
            {
                int temp = Temp(whole.TypeOf(variable));
                code.Stloc(temp);
                StoreToArray(variable, temp);
            }
            else
            {
                LoadFromArray(variable);
            }
        }

        private void WriteReturn()
        {
            Type type = whole.signature.Return;
            if (type != typeof(void))
            {
                int temp = Temp(type);
                code.Stloc(temp);
                code.Ldarg(ResultArg);
                code.Ldloc(temp);
                code.TypeOp(OpCodes.Stobj, type);
            }
            code.LdcI4(-1);
            code.Emit(OpCodes.Ret);
        }
    }
}
