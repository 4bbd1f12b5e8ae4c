using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace WasmJit.Jit;

/// <summary>
/// Validates one function body or constant expression (spec 3.4 and the algorithm of its appendix). One object serves many
/// functions, one after the other; its stacks are reused.
/// </summary>
internal sealed partial class FunctionValidator(ModuleInfo module)
{
    internal struct Frame
    {
        internal OpId Kind;
        internal ImmutableArray<ValType> Start;
        internal ImmutableArray<ValType> End;
        internal int Height;
        internal int InitHeight;
        internal bool Unreachable;

        /// <summary>The last <c>br_table</c> that has its label.</summary>
        internal int Table;

        internal readonly ImmutableArray<ValType> Label => Kind == OpId.Loop ? Start : End;
    }

    private readonly ModuleInfo module = module;
    private ValType[] stack = new ValType[16];
    private int height;
    private Frame[] frames = new Frame[4];
    private int depth;
    private readonly List<LocalRun> runs = [];
    private readonly List<ValType> locals = [];
    private bool[] initialised = [];

    /// <summary>
    /// A run of locals that are declared in few bytes, and where it ends: a function that is smaller than the number of its locals cannot
    /// use them all, and pays for those alone that it uses.
    /// </summary>
    private readonly List<(int End, ValType Type)> ends = [];

    /// <summary>Of such functions, the locals that have a value by now and begin without.</summary>
    private readonly HashSet<int> written = [];
    private readonly List<int> initLog = [];
    private int at;

    /// <summary>Counts operators, to ask now and then whether a guest that waits for the module is to stop.</summary>
    private uint polls;
    private ImmutableArray<ValType> results = [];

    /// <summary>Validates a function's body.</summary>
    internal void ValidateBody(int index)
    {
        FuncInfo func = module.Funcs[index];
        try
        {
            int code = DeclareLocals(index);
            Run(code, func.BodyEnd, results, isConstant: false);
        }
        catch (MalformedModuleException e) when (e.FunctionIndex is null)
        {
            throw new MalformedModuleException(e.Reason, e.Offset, index, module.FuncName(index));
        }
        catch (InvalidModuleException e) when (e.FunctionIndex is null)
        {
            throw new InvalidModuleException(e.Reason, e.Offset, index, module.FuncName(index));
        }
    }

    /// <summary>So many locals are listed one by one in any case, and one more for each byte of the function.</summary>
    private const int DirectLocals = 256;

    /// <summary>Reads the declarations of a function's locals; gives where its code begins.</summary>
    private int DeclareLocals(int index)
    {
        FuncInfo func = module.Funcs[index];
        int code = ModuleDecoder.ReadLocals(module, func, runs);
        locals.Clear();
        locals.AddRange(func.Func.Params);
        ends.Clear();
        written.Clear();
        int count = locals.Count;
        foreach (LocalRun run in runs)
        {
            if (module.Features != Features.All) FeatureValidator.Check(module, run.Type, func.BodyStart);
            count += run.Count;
            ends.Add((count, run.Type));
        }
        int direct = count <= DirectLocals + (func.BodyEnd - func.BodyStart) ? count : locals.Count;
        if (direct == count)
        {
            foreach (LocalRun run in runs)
                for (int i = 0; i < run.Count; i++) locals.Add(run.Type);
        }
        if (initialised.Length < direct) initialised = new bool[Math.Max(direct, 64)];
        for (int i = 0; i < direct; i++) initialised[i] = i < func.Func.Params.Length || locals[i].IsDefaultable;
        results = func.Func.Results;
        return code;
    }

    /// <summary>Validates a constant expression; only globals below <paramref name="globals"/> are in scope.</summary>
    internal void ValidateConst(ConstExpr expr, ValType type, int globals)
    {
        locals.Clear();
        ends.Clear();
        results = [type];
        constGlobals = globals;
        Run(expr.Start, expr.End, results, isConstant: true);
    }

    private int constGlobals;

    private void Run(int start, int end, ImmutableArray<ValType> expected, bool isConstant)
    {
        height = 0;
        depth = 0;
        initLog.Clear();
        PushFrame(OpId.Block, [], expected);
        var code = new CodeReader(module.Bytes.Span, start, end);
        while (depth > 0)
        {
            if (code.AtEnd) throw MissingEnd(end);
            if ((++polls & 0xfff) == 0) Runtime.CancellationScope.ThrowIfStopped();
            code.Read(out Instr instr);
            at = instr.Offset;
            if (isConstant) CheckConstant(instr);
            Validate(ref code, ref instr);
        }
        if (!code.AtEnd) throw new MalformedModuleException("unexpected content after end of code: section size mismatch", code.Position);
    }

    /// <summary>The official suite tells apart by what follows: nothing, what would be an end, or something else.</summary>
    private MalformedModuleException MissingEnd(int end)
    {
        ReadOnlySpan<byte> bytes = module.Bytes.Span;
        string reason = end >= bytes.Length ? "unexpected end of section or function"
            : bytes[end] == OperatorTable.Of(OpId.End).Code ? "section size mismatch" : "END opcode expected";
        return new MalformedModuleException(reason, end);
    }

    internal InvalidModuleException Error(string reason) => new(reason, at);

    // ---- operand stack ----

    private void Push(ValType type)
    {
        if (height == stack.Length) GrowStack();
        ref ValType slot = ref stack[height++];
        // Mostly a number takes the place of one of the same type. A write costs what any write of a reference costs.
        if (type.Kind != slot.Kind || type.Kind == ValKind.Ref) slot = type;
    }

    private void GrowStack() => Array.Resize(ref stack, height * 2);

    private void Push(ImmutableArray<ValType> types)
    {
        if (types.Length > 8)
        {
            while (height + types.Length > stack.Length) Array.Resize(ref stack, stack.Length * 2);
            types.CopyTo(stack, height);
            height += types.Length;
            return;
        }
        foreach (ValType type in types) Push(type);
    }

    private ValType Pop()
    {
        ref Frame frame = ref frames[depth - 1];
        if (height == frame.Height)
            return frame.Unreachable ? ValType.Bottom : throw Error("type mismatch: an operand is missing");
        return stack[--height];
    }

    private ValType Pop(ValType expected)
    {
        ref Frame frame = ref frames[depth - 1];
        if (height > frame.Height)
        {
            ref ValType actual = ref stack[height - 1];
            if (actual.Kind == expected.Kind && expected.Kind != ValKind.Ref)
            {
                height--;
                return expected;
            }
        }
        return PopOther(expected, frame.Height, frame.Unreachable);
    }

    private ValType PopOther(ValType expected, int bottom, bool isUnreachable)
    {
        if (height == bottom)
            return isUnreachable ? ValType.Bottom : throw Error($"type mismatch: instruction requires [{expected}] but stack has []");
        ValType actual = stack[--height];
        return Subtyping.IsSubtype(actual, expected) ? actual
            : throw Error($"type mismatch: instruction requires [{expected}] but stack has [{actual}]");
    }

    /// <summary>Pops an operand of a number type; whether it was one. Nothing is done where more has to be looked at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPopNumber(ValKind kind)
    {
        int top = height - 1;
        if (top < frames[depth - 1].Height || stack[top].Kind != kind || kind == ValKind.Ref) return false;
        height = top;
        return true;
    }

    private void Pop(ImmutableArray<ValType> types)
    {
        if (types.Length > 8 && EndsWith(types.AsSpan())) height -= types.Length;
        else for (int i = types.Length - 1; i >= 0; i--) Pop(types[i]);
    }

    /// <summary>Whether exactly these types are on top: with a thousand of them and many blocks it pays to look first.</summary>
    private bool EndsWith(ReadOnlySpan<ValType> types)
    {
        if (height - frames[depth - 1].Height < types.Length) return false;
        ReadOnlySpan<ValType> top = stack.AsSpan(height - types.Length, types.Length);
        for (int i = 0; i < types.Length; i++)
            if (top[i].Kind != types[i].Kind || (types[i].IsRef && top[i] != types[i])) return false;
        return true;
    }

    /// <summary>Pops a reference of any type.</summary>
    private ValType PopRef()
    {
        ValType type = Pop();
        return type.IsRef || type.Kind == ValKind.Bottom ? type : throw Error($"type mismatch: a reference was expected, not {type}");
    }

    // ---- control stack ----

    private void PushFrame(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end)
    {
        if (depth == frames.Length) Array.Resize(ref frames, depth * 2);
        frames[depth++] = new Frame { Kind = kind, Start = start, End = end, Height = height, InitHeight = initLog.Count };
        Push(start);
    }

    private Frame PopFrame()
    {
        Frame frame = frames[depth - 1];
        Pop(frame.End);
        if (height != frame.Height)
            throw Error($"type mismatch: block requires [{List(frame.End.AsSpan())}] but stack has [{List(stack.AsSpan(frame.Height..height))}]");
        for (int i = initLog.Count - 1; i >= frame.InitHeight; i--)
        {
            if (initLog[i] < locals.Count) initialised[initLog[i]] = false;
            else written.Remove(initLog[i]);
        }
        initLog.RemoveRange(frame.InitHeight, initLog.Count - frame.InitHeight);
        depth--;
        return frame;
    }

    /// <summary>The topmost types; there can be millions.</summary>
    private static string List(ReadOnlySpan<ValType> types)
    {
        const int most = 20;
        string text = string.Join(' ', types[Math.Max(0, types.Length - most)..].ToArray());
        return types.Length > most ? $"... {text}" : text;
    }

    private void Unreachable()
    {
        ref Frame frame = ref frames[depth - 1];
        height = frame.Height;
        frame.Unreachable = true;
    }

    private ref Frame Label(uint label)
    {
        if (label >= (uint)depth) throw Error($"unknown label {label}");
        return ref frames[depth - 1 - (int)label];
    }

    /// <summary>Types that stay on the stack when a conditional branch is not taken.</summary>
    private void PopPush(ImmutableArray<ValType> types)
    {
        Pop(types);
        Push(types);
    }

    // ---- index spaces ----

    private DefType Type(uint index) =>
        index < (uint)module.Types.Count ? module.Types[(int)index] : throw Error($"unknown type {index}");

    private FuncType FuncTypeAt(uint index) =>
        Type(index).Composite as FuncType ?? throw Error($"unknown type {index}: not a function type, type mismatch");

    private StructType StructTypeAt(uint index) =>
        Type(index).Composite as StructType ?? throw Error("type mismatch: not a struct type");

    private ArrayType ArrayTypeAt(uint index) =>
        Type(index).Composite as ArrayType ?? throw Error("type mismatch: not an array type");

    private FuncInfo Func(uint index) =>
        index < (uint)module.Funcs.Count ? module.Funcs[(int)index] : throw Error($"unknown function {index}");

    private TableType Table(uint index) =>
        index < (uint)module.Tables.Count ? module.Tables[(int)index].Type : throw Error($"unknown table {index}");

    private MemoryType Memory(uint index) =>
        index < (uint)module.Memories.Count ? module.Memories[(int)index] : throw Error($"unknown memory {index}");

    private GlobalType Global(uint index)
    {
        if (index >= (uint)module.Globals.Count) throw Error($"unknown global {index}");
        return module.Globals[(int)index].Type;
    }

    private DefType Tag(uint index) =>
        index < (uint)module.Tags.Count ? module.Tags[(int)index] : throw Error($"unknown tag {index}");

    private ElemInfo Elem(uint index) =>
        index < (uint)module.Elems.Count ? module.Elems[(int)index] : throw Error($"unknown elem segment {index}");

    private void Data(uint index)
    {
        if (module.DataCount is not { } count) throw new MalformedModuleException("data count section required", at);
        if (index >= count) throw Error($"unknown data segment {index}");
    }

    private ValType Local(uint index) => index < (uint)locals.Count ? locals[(int)index] : LocalInRun(index);

    private ValType LocalInRun(uint index)
    {
        int low = 0, high = ends.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (index < (uint)ends[middle].End) high = middle;
            else low = middle + 1;
        }
        return low < ends.Count ? ends[low].Type : throw Error($"unknown local {index}");
    }

    private HeapType Heap(HeapTypeCode code) => new TypeDecoder(module).HeapTypeOf(code, at);

    private ImmutableArray<ValType> ValTypes(ByteReader reader, int count)
    {
        var decoder = new TypeDecoder(module);
        var types = ImmutableArray.CreateBuilder<ValType>(count);
        for (int i = 0; i < count; i++) types.Add(decoder.ReadValType(ref reader));
        return types.MoveToImmutable();
    }

    private void BlockType(ref CodeReader code, in Instr instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end)
    {
        start = end = [];
        switch (instr.BlockForm)
        {
            case BlockTypeForm.Value:
                end = ValTypes(code.Types(instr), 1);
                break;
            case BlockTypeForm.Index:
                FuncType type = FuncTypeAt(instr.BlockIndex);
                start = type.Params;
                end = type.Results;
                break;
        }
    }

    private void CheckConstant(in Instr instr)
    {
        if (!instr.Op.Has(OpTraits.Constant)) throw Error("constant expression required");
        if (instr.Id is not (OpId.GlobalGet or OpId.RefGlobal)) return;
        // Only globals before this one have a value.
        if (instr.A >= (uint)constGlobals) throw Error($"unknown global {instr.A}");
        if (instr.Id == OpId.GlobalGet && Global(instr.A).IsMutable) throw Error("constant expression required");
    }
}
