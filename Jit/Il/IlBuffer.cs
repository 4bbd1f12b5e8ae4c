using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Il;

/// <summary>Which kind of null a null dereference in a function means.</summary>
internal enum NullMeaning : byte
{
    /// <summary>No access through a reference, or one that is told apart by itself.</summary>
    None,

    /// <summary>A struct.</summary>
    Struct,

    /// <summary>An array.</summary>
    Array,
}

/// <summary>
/// The IL of one function while it is being written. Unlike an ILGenerator it lets instructions be inserted before an
/// expression that is already there (a callee's instance below the arguments), counts what RyuJIT's limits count, can be
/// listed, and can be written to any ILGenerator.
/// </summary>
internal sealed partial class IlBuffer
{
    /// <summary>Which kind of null a fault in this function means.</summary>
    internal NullMeaning Nulls { get; set; }

    /// <summary>A position: the instruction after which the next one goes. <see cref="Start"/> is before the first.</summary>
    internal const int Start = 0;

    /// <summary>What an instruction's operand is.</summary>
    internal enum Form : byte
    {
        None, Int, Long, Float, Double, Local, Arg, Label, Switch, Method, Field, Type, String, Calli, Mark, Region,
    }

    /// <summary>The borders of protected regions. The ILGenerator adds the <c>leave</c> and <c>endfilter</c> that they need.</summary>
    internal enum Border : byte { Try, Catch, Filter, FilteredCatch, End }

    internal struct Node
    {
        internal OpCode Code;
        internal Form Form;
        internal int Next;
        internal int Source;
        internal long Number;
        internal object? Object;

        /// <summary>The opcode, for comparisons.</summary>
        internal readonly IlOp Op => (IlOp)Code.Value;

        /// <summary>Whether it pushes a number.</summary>
        internal readonly bool IsConstant => Form is Form.Int or Form.Long or Form.Float or Form.Double;

        /// <summary>Whether it stores to a local or an argument.</summary>
        internal readonly bool IsLocalStore => Op is IlOp.Stloc or IlOp.Starg;
    }

    /// <summary>What a method can have.</summary>
    internal const int MaxLocals = 65_000;

    /// <summary>No function becomes more than this.</summary>
    private const int MaxNodes = 8_000_000;

    /// <summary>
    /// How much IL a function of some bytes may become. Mostly it is less than two instructions for each byte. But a branch that carries a thousand
    /// values is two bytes, and two thousand instructions, each of which takes RyuJIT a microsecond and half a kilobyte, optimised or not.
    /// </summary>
    private const int NodesOfAny = 1_500_000, NodesPerByte = 12;

    private readonly int maxNodes;

    internal IlBuffer() => maxNodes = MaxNodes;

    /// <param name="bytes">How much WebAssembly it is for.</param>
    internal IlBuffer(int bytes) => maxNodes = (int)Math.Min(MaxNodes, NodesOfAny + ((long)NodesPerByte * bytes));

    private Node[] nodes = new Node[32];
    private int count = 1;
    private int labelCount;
    private readonly List<Type> locals = [];

    /// <summary>The offset of the WebAssembly instruction that is being emitted, for listings; 0 for code that belongs to none.</summary>
    internal int Source { get; set; }

    /// <summary>
    /// Where code of an inlined function begins, and of which of its operators it is; offset -1 is the function itself. Null if origins
    /// are not wanted.
    /// </summary>
    internal List<Origin>? Origins { get; set; }

    /// <summary>An operator of an inlined function.</summary>
    /// <param name="Node">The first instruction, in the order in which they were made.</param>
    /// <param name="Offset">The operator's offset.</param>
    /// <param name="Caller">The origin of the call, as an index in <see cref="Origins"/>; -1 if that is in the function itself.</param>
    internal readonly record struct Origin(int Node, int Offset, int Caller);

    /// <summary>What is made from here on belongs to an operator of an inlined function, or to none.</summary>
    internal void BeginOrigin(int offset, int caller) => Origins?.Add(new Origin(count, offset, caller));

    /// <summary>The offsets of the operators that an instruction was made of: of the innermost function first.</summary>
    internal List<int> OriginOf(int node)
    {
        var chain = new List<int>();
        List<Origin> origins = Origins ?? [];
        for (int at = LastOrigin(node); at >= 0 && origins[at].Offset >= 0; at = origins[at].Caller) chain.Add(origins[at].Offset);
        chain.Add(nodes[node].Source);
        return chain;
    }

    /// <summary>The last origin that begins at an instruction, or at one made before it; -1 for none.</summary>
    private int LastOrigin(int node)
    {
        int low = 0, high = Origins?.Count ?? 0;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Origins![middle].Node <= node) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    /// <summary>The last instruction: where appending goes on.</summary>
    internal int Tail { get; private set; }

    internal IReadOnlyList<Type> Locals => locals;

    internal int LabelCount => labelCount;

    /// <summary>How many instructions there are, with those that are in no listing.</summary>
    internal int NodeCount => count;

    /// <summary>IL instructions so far, labels not counted.</summary>
    internal int Instructions { get; private set; }

    /// <summary>Reads, writes and addresses of locals and arguments, which RyuJIT limits to 8,000 (MinOpts above).</summary>
    internal int LocalRefs { get; private set; }

    /// <summary>An upper estimate of the basic blocks: labels, branches, switch arms.</summary>
    internal int Blocks { get; private set; }

    /// <summary>The most that a call passes, in bytes: arguments and results.</summary>
    internal int LargestCall { get; private set; }

    /// <summary>The bytes that all calls of functions pass together.</summary>
    internal long Passed { get; private set; }

    /// <summary>Calls of methods, which RyuJIT may put into the function with their locals.</summary>
    internal int MethodCalls { get; private set; }

    /// <summary>Whether there are protected regions.</summary>
    internal bool HasRegions { get; private set; }

    /// <summary>Whether there are jumps through tables.</summary>
    internal bool HasSwitch { get; private set; }

    /// <summary>An upper estimate of the IL's size in bytes.</summary>
    internal int Bytes { get; private set; }

    internal ref readonly Node this[int index] => ref nodes[index];

    internal int DeclareLocal(Type type)
    {
        locals.Add(type);
        return locals.Count - 1;
    }

    internal int DefineLabel() => labelCount++;

    private int Insert(int after, in Node node)
    {
        // Moves of values cost half of what other instructions do.
        if (count - (LocalRefs / 2) > maxNodes || count > MaxNodes) throw new UnsupportedModuleException($"a function that becomes more than {maxNodes:N0} instructions of IL");
        if (count == nodes.Length) Array.Resize(ref nodes, count * 2);
        int index = count++;
        nodes[index] = node;
        nodes[index].Next = nodes[after].Next;
        nodes[index].Source = Source;
        nodes[after].Next = index;
        if (after == Tail) Tail = index;
        if (node.Form is not (Form.Mark or Form.Region)) Instructions += node.Form == Form.Long && IsShort(node.Number) ? 2 : 1;
        Bytes += SizeOf(node);
        switch (node.Form)
        {
            case Form.Local or Form.Arg: LocalRefs++; break;
            case Form.Mark or Form.Label: Blocks++; break;
            case Form.Switch:
                Blocks++;
                HasSwitch = true;
                break;
            case Form.Method: MethodCalls++; break;
            case Form.Region:
                Blocks += 2;
                HasRegions = true;
                break;
        }
        return index;
    }

    private static int SizeOf(in Node node) => node.Form switch
    {
        Form.Mark => 0,
        Form.Region => 5,
        Form.None => node.Code.Size,
        Form.Long or Form.Double => 9,
        Form.Switch => 5 + (4 * ((int[])node.Object!).Length),
        Form.Local or Form.Arg => node.Number < 256 ? 2 : 4,
        _ => node.Code.Size + 4,
    };

    // ---- appending; each returns the new position ----

    /// <summary>An instruction of another buffer that names neither label nor local.</summary>
    internal int Append(in Node node) => Insert(Tail, node.Form == Form.Calli ? node with { Number = 0 } : node);

    internal int Emit(OpCode code) => Insert(Tail, new Node { Code = code });

    internal int EmitAt(int after, OpCode code) => Insert(after, new Node { Code = code });

    internal int LdcI4(int value) => LdcI4At(Tail, value);

    internal int LdcI4At(int after, int value) => Insert(after, new Node { Code = OpCodes.Ldc_I4, Form = Form.Int, Number = value });

    /// <summary>Gives an <see cref="LdcI4"/> another value.</summary>
    internal void Repatch(int node, int value) => nodes[node].Number = value;

    internal int LdcI8(long value) => LdcI8At(Tail, value);

    internal int LdcI8At(int after, long value) => Insert(after, new Node { Code = OpCodes.Ldc_I8, Form = Form.Long, Number = value });

    internal int LdcR4At(int after, int bits) => Insert(after, new Node { Code = OpCodes.Ldc_R4, Form = Form.Float, Number = bits });

    internal int LdcR8At(int after, long bits) => Insert(after, new Node { Code = OpCodes.Ldc_R8, Form = Form.Double, Number = bits });

    internal int Ldloc(int local) => LdlocAt(Tail, local);

    internal int LdlocAt(int after, int local) => Insert(after, new Node { Code = OpCodes.Ldloc, Form = Form.Local, Number = local });

    internal int Stloc(int local) => StlocAt(Tail, local);

    internal int StlocAt(int after, int local) => Insert(after, new Node { Code = OpCodes.Stloc, Form = Form.Local, Number = local });

    internal int Ldloca(int local) => LdlocaAt(Tail, local);

    internal int LdlocaAt(int after, int local) => Insert(after, new Node { Code = OpCodes.Ldloca, Form = Form.Local, Number = local });

    internal int Ldarg(int arg) => LdargAt(Tail, arg);

    internal int LdargAt(int after, int arg) => Insert(after, new Node { Code = OpCodes.Ldarg, Form = Form.Arg, Number = arg });

    internal int Starg(int arg) => Insert(Tail, new Node { Code = OpCodes.Starg, Form = Form.Arg, Number = arg });

    internal int StargAt(int after, int arg) => Insert(after, new Node { Code = OpCodes.Starg, Form = Form.Arg, Number = arg });

    internal int Branch(OpCode code, int label) => BranchAt(Tail, code, label);

    internal int BranchAt(int after, OpCode code, int label) => Insert(after, new Node { Code = code, Form = Form.Label, Number = label });

    internal int Switch(int[] labels) => Insert(Tail, new Node { Code = OpCodes.Switch, Form = Form.Switch, Object = labels });

    internal int Mark(int label) => MarkAt(Tail, label);

    internal int MarkAt(int after, int label) => Insert(after, new Node { Form = Form.Mark, Number = label });

    internal int Region(Border border) => RegionAt(Tail, border);

    internal int RegionAt(int after, Border border) => Insert(after, new Node { Form = Form.Region, Number = (int)border });

    /// <summary>The method of a <see cref="Call"/>.</summary>
    internal MethodInfo MethodAt(int node) => (MethodInfo)nodes[node].Object!;

    /// <summary>Gives a <see cref="Call"/> another method of the same signature.</summary>
    internal void Retarget(int node, MethodInfo method) => nodes[node].Object = method;

    /// <summary>The position of the instruction behind another; 0 at the end.</summary>
    internal int After(int node) => nodes[node].Next;

    /// <summary>The position so many instructions before the end.</summary>
    /// <param name="from">A position from which on there are at least so many.</param>
    /// <param name="instructions">How many.</param>
    internal int Before(int from, int instructions)
    {
        int ahead = from;
        for (; instructions > 0; instructions--) ahead = nodes[ahead].Next;
        for (; ahead != Tail; ahead = nodes[ahead].Next) from = nodes[from].Next;
        return from;
    }

    /// <summary>Puts an instruction without label or local in the place of one without label.</summary>
    internal void Replace(int node, OpCode code, Form form = Form.None, object? operand = null)
    {
        ref Node replaced = ref nodes[node];
        Bytes -= SizeOf(replaced);
        if (replaced.Form is Form.Local or Form.Arg) LocalRefs--;
        replaced.Code = code;
        replaced.Form = form;
        replaced.Object = operand;
        Bytes += SizeOf(replaced);
    }

    /// <summary>Whether the instructions behind one position, up to another, are a constant and its addition.</summary>
    internal bool IsSumOfConstant(int before, int last) =>
        nodes[before].Next is var constant and not 0 && nodes[constant].Form == Form.Int && nodes[constant].Next == last && nodes[last] is { Form: Form.None, Op: IlOp.Add };

    /// <summary>Takes out the instructions behind one position, up to another, which is no position any more. They must be constants, branches, or have no operands.</summary>
    internal void CutBehind(int before, int last)
    {
        for (int node = nodes[before].Next; ; node = nodes[node].Next)
        {
            Instructions--;
            if (nodes[node].Form == Form.Label) Blocks--;
            Bytes -= SizeOf(nodes[node]);
            if (node == last) break;
        }
        nodes[before].Next = nodes[last].Next;
        if (Tail == last) Tail = before;
    }

    internal int Call(MethodInfo method) => CallAt(Tail, method);

    internal int CallAt(int after, MethodInfo method) =>
        Insert(after, new Node { Code = OpCodes.Call, Form = Form.Method, Object = method });

    internal int Newobj(ConstructorInfo constructor) =>
        Insert(Tail, new Node { Code = OpCodes.Newobj, Form = Form.Method, Object = constructor });

    internal int Field(OpCode code, FieldInfo field) => FieldAt(Tail, code, field);

    internal int FieldAt(int after, OpCode code, FieldInfo field) =>
        Insert(after, new Node { Code = code, Form = Form.Field, Object = field });

    internal int TypeOp(OpCode code, Type type) => TypeOpAt(Tail, code, type);

    internal int TypeOpAt(int after, OpCode code, Type type) =>
        Insert(after, new Node { Code = code, Form = Form.Type, Object = type });

    /// <summary>Loads a value whose address is on the stack.</summary>
    internal int LoadIndirectAt(int after, Type type) => Indirect.LoadOf(type) is { } code ? EmitAt(after, code) : TypeOpAt(after, OpCodes.Ldobj, type);

    /// <summary>Stores a value to the address below it on the stack.</summary>
    internal int StoreIndirectAt(int after, Type type) => Indirect.StoreOf(type) is { } code ? EmitAt(after, code) : TypeOpAt(after, OpCodes.Stobj, type);

    internal int Ldstr(string text) => LdstrAt(Tail, text);

    internal int LdstrAt(int after, string text) => Insert(after, new Node { Code = OpCodes.Ldstr, Form = Form.String, Object = text });

    /// <summary>An indirect call.</summary>
    /// <param name="signature">The callee's signature.</param>
    /// <param name="tail">Adds the <c>tail.</c> prefix.</param>
    /// <param name="start">The position before the arguments if that is where the address may be loaded as well; -1 if it is not, or is not known.</param>
    internal int Calli(NativeSignature signature, bool tail = false, int start = -1)
    {
        if (tail) Emit(OpCodes.Tailcall);
        LargestCall = Math.Max(LargestCall, signature.PassedBytes);
        Passed += signature.PassedBytes;
        return Insert(Tail, new Node { Code = OpCodes.Calli, Form = Form.Calli, Object = signature, Number = start + 1 });
    }

    /// <summary>Up to this number RyuJIT's limit does not matter, whether the locals are used or not.</summary>
    private const int FewLocals = 512;

    /// <summary>
    /// Forgets locals that no instruction names. A function declares fifty thousand in three bytes, and RyuJIT pays for each.
    /// </summary>
    internal void DropUnusedLocals()
    {
        if (locals.Count <= FewLocals) return;
        var numbers = new int[locals.Count];
        for (int i = nodes[Start].Next; i != 0; i = nodes[i].Next)
            if (nodes[i].Form == Form.Local) numbers[nodes[i].Number] = 1;
        int kept = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] == 0) continue;
            locals[kept] = locals[i];
            numbers[i] = kept++;
        }
        locals.RemoveRange(kept, locals.Count - kept);
        for (int i = nodes[Start].Next; i != 0; i = nodes[i].Next)
            if (nodes[i].Form == Form.Local) nodes[i].Number = numbers[nodes[i].Number];
    }

    /// <summary>The instructions in order, labels as <see cref="Form.Mark"/>.</summary>
    internal IEnumerable<Node> InOrder()
    {
        for (int i = nodes[Start].Next; i != 0; i = nodes[i].Next) yield return nodes[i];
    }

    /// <summary>
    /// A listing for people: one instruction a line, and the offset of the WebAssembly instruction that it is for. Numbers of
    /// labels and locals are stable.
    /// </summary>
    /// <param name="nameOf">What types are called, where their own names would depend on the process; null for those.</param>
    internal IEnumerable<(int Source, string Text)> Listing(Func<Type, string>? nameOf = null)
    {
        nameOf ??= type => type.Name;
        for (int i = 0; i < locals.Count; i++) yield return (0, $"  .local {i} {nameOf(locals[i])}");
        foreach (Node node in InOrder())
        {
            if (node.Form == Form.Mark)
            {
                yield return (node.Source, $"L{node.Number}:");
                continue;
            }
            if (node.Form == Form.Region)
            {
                yield return (node.Source, $"  .{((Border)node.Number).ToString().ToLowerInvariant()}");
                continue;
            }
            string operand = node.Form switch
            {
                Form.None => "",
                Form.Int or Form.Local or Form.Arg => $" {node.Number}",
                Form.Long => $" {node.Number}",
                Form.Float => $" {BitConverter.Int32BitsToSingle((int)node.Number):R}",
                Form.Double => $" {BitConverter.Int64BitsToDouble(node.Number):R}",
                Form.Label => $" L{node.Number}",
                Form.Switch => $" ({string.Join(' ', ((int[])node.Object!).Select(l => $"L{l}"))})",
                Form.Method => $" {Owner((MethodBase)node.Object!)}.{((MethodBase)node.Object!).Name}",
                Form.Field => $" {Owner((FieldInfo)node.Object!)}.{((FieldInfo)node.Object!).Name}",
                Form.Type => $" {nameOf((Type)node.Object!)}",
                Form.String => $" \"{node.Object}\"",
                _ => $" {node.Object}",
            };
            yield return (node.Source, $"  {node.Code.Name}{operand}");
        }

        string Owner(MemberInfo member) => member.DeclaringType is { } type ? nameOf(type) : "";
    }
}
