using System.Globalization;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>
/// A valid module made of random numbers, whose functions end. No compiler would write such code: operands stay on the stack
/// across everything that can stand between them and their use. Operators come from the operator table. What the specification
/// leaves open does not show: the bits of NaNs are not used.
/// </summary>
internal sealed class NumberModule
{
    private static readonly ValType[] Numbers = [ValType.I32, ValType.I64, ValType.F32, ValType.F64, ValType.V128];
    private static readonly long[] Edges = [int.MinValue, int.MaxValue, long.MinValue, long.MaxValue, 65535, 65536, 0xff, -1];
    private static readonly double[] FloatEdges = [0.0, -0.0, double.PositiveInfinity, double.NegativeInfinity, 1e-310, 4294967296.0, -2147483648.5, 9.3e18];

    /// <summary>What shows the sign of a NaN, which the specification leaves open.</summary>
    private static readonly Operator[] ShowSigns = Find("f32.copysign", "f64.copysign", "f32.store", "f64.store");
    private static readonly Operator[] VectorComparisons = Find(
        "f32x4.eq", "f32x4.ne", "f32x4.lt", "f32x4.gt", "f32x4.le", "f32x4.ge", "f64x2.eq", "f64x2.ne", "f64x2.lt", "f64x2.gt", "f64x2.le", "f64x2.ge");
    private static readonly Operator[] Plain = [.. OperatorTable.All.Where(IsUsable)];
    private static readonly Operator[] ScalarPlain = [.. Plain.Where(IsScalar)];
    private static readonly Operator[] Comparisons = [.. ScalarPlain.Where(op => op.MemArg is null && op.Params.Length == 2 && op.Results is [var result] && result == ValType.I32
        && op.Operation == Operation.Compare)];
    private static readonly ValType[] Scalars = Numbers[..4];
    private static readonly Operator Sub = OperatorTable.Find("i32.sub")!, LessThan = OperatorTable.Find("i32.lt_s")!, Eqz = OperatorTable.Find("i32.eqz")!,
        And = OperatorTable.Find("i32.and")!, And64 = OperatorTable.Find("i64.and")!;

    /// <summary>A function exported by the helper that every module imports from.</summary>
    internal const string Helper = """
        (module
          (global $calls (mut i32) (i32.const 0))
          (func (export "twice") (param i32) (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.mul (local.get 0) (i32.const 2)))
          (func (export "mix") (param i64 f64) (result f64 i64)
            (f64.add (local.get 1) (f64.const 1)) (i64.xor (local.get 0) (i64.const 255)))
          (func (export "calls") (result i32) (global.get $calls)))
        """;

    private static Operator[] Find(params string[] mnemonics) => [.. mnemonics.Select(mnemonic => OperatorTable.Find(mnemonic)!)];

    private readonly Random random;

    /// <summary>
    /// Whether there are no vectors and exceptions: the interpreter leaves functions with them to the compiler, and in a module that has everything
    /// hardly a function is interpreted.
    /// </summary>
    private readonly bool isScalar;
    private readonly List<Signature> types = [];
    private readonly List<Signature> functions = [];
    private readonly ByteWriter bodies = new();

    private sealed record Signature(ValType[] Params, ValType[] Results);

    internal NumberModule(int seed)
    {
        random = new Random(seed);
        isScalar = seed % 2 != 0;
        functions.Add(new Signature([ValType.I32], [ValType.I32]));
        functions.Add(new Signature([ValType.I64, ValType.F64], [ValType.F64, ValType.I64]));
        int count = random.Next(3, 9);
        for (int i = 0; i < count; i++) functions.Add(new Signature(Some(4), Some(2)));
        bodies.U32((uint)count);
        for (int i = 2; i < functions.Count; i++)
        {
            var body = new ByteWriter();
            new Body(this, i, body).Write();
            bodies.Sized(body);
        }
        Bytes = Assemble();
    }

    internal byte[] Bytes { get; }

    /// <summary>The exported functions, which have no vectors in their types, with the types of their parameters.</summary>
    internal IEnumerable<(string Name, ValType[] Params, int Results)> Exports =>
        functions.Index().Skip(2)
            .Where(f => !f.Item.Params.Concat(f.Item.Results).Contains(ValType.V128))
            .Select(f => ($"f{f.Index}", f.Item.Params, f.Item.Results.Length));

    internal static bool IsUsable(Operator op) =>
        op.HasSignature && op.Id == OpId.Plain
        && op.Proposal.Name is "core" or "simd" or "sign-extension" or "sat-float-to-int" or "wide-arithmetic"
        && op.Operation != Operation.Reinterpret && !ShowSigns.Contains(op)
        && !(op.Results.Contains(ValType.V128) && (op.Params.Any(p => p.Kind is ValKind.F32 or ValKind.F64) || MakesFloats(op)));

    /// <summary>Whether an operator neither takes nor makes vectors.</summary>
    internal static bool IsScalar(Operator op) => !op.Params.Concat(op.Results).Contains(ValType.V128);

    /// <summary>Vectors with the bits of NaNs.</summary>
    private static bool MakesFloats(Operator op) => op.Lanes is LaneShape.F32x4 or LaneShape.F64x2 && !VectorComparisons.Contains(op);

    private ValType[] Some(int most) => [.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => Pick(Types))];

    private ValType[] Types => isScalar ? Scalars : Numbers;

    private Operator[] Operators => isScalar ? ScalarPlain : Plain;

    private T Pick<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];

    private uint TypeIndex(ValType[] parameters, ValType[] results)
    {
        int known = types.FindIndex(t => t.Params.SequenceEqual(parameters) && t.Results.SequenceEqual(results));
        if (known < 0) types.Add(new Signature(parameters, results));
        return (uint)(known < 0 ? types.Count - 1 : known);
    }

    internal static byte Code(ValType type) => (byte)(0x80 - (int)type.Kind);

    // ---- the module around the bodies ----

    private byte[] Assemble()
    {
        var imports = new ByteWriter();
        imports.U32(2);
        foreach ((string name, int index) in new[] { ("twice", 0), ("mix", 1) })
        {
            imports.Name("helper");
            imports.Name(name);
            imports.U8(ExternByte.Func);
            imports.U32(TypeIndex(functions[index].Params, functions[index].Results));
        }
        var funcs = new ByteWriter();
        funcs.U32((uint)functions.Count - 2);
        foreach (Signature function in functions.Skip(2)) funcs.U32(TypeIndex(function.Params, function.Results));
        var tags = new ByteWriter();
        tags.U32(1);
        tags.U8(0);
        tags.U32(TypeIndex([ValType.I32], []));
        var typeSection = new ByteWriter();
        typeSection.U32((uint)types.Count);
        foreach (Signature type in types)
        {
            typeSection.U8(TypeByte.Func);
            foreach (ValType[] list in new[] { type.Params, type.Results })
            {
                typeSection.U32((uint)list.Length);
                foreach (ValType value in list) typeSection.U8(Code(value));
            }
        }
        var globals = new ByteWriter();
        globals.U32(6);
        foreach (ValType type in Numbers.Prepend(ValType.I32))
        {
            globals.U8(Code(type));
            globals.U8(1);
            Constant(globals, type);
            globals.Code(OpId.End);
        }
        var exports = new ByteWriter();
        var names = Exports.Select(e => (e.Name, Kind: ExternByte.Func, Index: uint.Parse(e.Name.AsSpan(1), CultureInfo.InvariantCulture))).ToList();
        names.Add(("m0", ExternByte.Memory, 0));
        names.Add(("m1", ExternByte.Memory, 1));
        for (uint i = 0; i < 5; i++) names.Add(($"g{i}", ExternByte.Global, i));
        exports.U32((uint)names.Count);
        foreach ((string name, byte kind, uint index) in names)
        {
            exports.Name(name);
            exports.U8(kind);
            exports.U32(index);
        }
        var elems = new ByteWriter();
        elems.Bytes([1, 0]);
        elems.Code(OpId.I32Const);
        elems.S64(0);
        elems.Code(OpId.End);
        elems.U32(3);
        for (uint i = 0; i < 3; i++) elems.U32(i);

        var module = new ByteWriter();
        module.Bytes("\0asm\x01\0\0\0"u8);
        Section(module, SectionId.Type, typeSection);
        Section(module, SectionId.Import, imports);
        Section(module, SectionId.Function, funcs);
        Section(module, SectionId.Table, Raw([1, (byte)HeapType.Func.Code, 0, 4]));
        Section(module, SectionId.Memory, Raw([2, 1, 1, 1, 5, 1, 1]));
        Section(module, SectionId.Tag, tags);
        Section(module, SectionId.Global, globals);
        Section(module, SectionId.Export, exports);
        Section(module, SectionId.Element, elems);
        Section(module, SectionId.Code, bodies);
        return module.ToArray();
    }

    private static ByteWriter Raw(ReadOnlySpan<byte> bytes)
    {
        var writer = new ByteWriter();
        writer.Bytes(bytes);
        return writer;
    }

    private static void Section(ByteWriter module, byte id, ByteWriter content)
    {
        module.U8(id);
        module.Sized(content);
    }

    private void Constant(ByteWriter code, ValType type) => Constant(code, random, type);

    /// <summary>Writes a number, often a boundary value.</summary>
    internal static void Constant(ByteWriter code, Random random, ValType type)
    {
        switch (type.Kind)
        {
            case ValKind.I32: code.Code(OpId.I32Const); code.S64((int)SomeBits(random)); break;
            case ValKind.I64: code.Code(OpId.I64Const); code.S64(SomeBits(random)); break;
            case ValKind.F32: code.Code(OpId.F32Const); code.Fixed32(BitConverter.SingleToUInt32Bits((float)SomeFloat(random))); break;
            case ValKind.F64: code.Code(OpId.F64Const); code.Fixed64(BitConverter.DoubleToUInt64Bits(SomeFloat(random))); break;
            default:
                code.Code(OpId.V128Const);
                code.Fixed64((ulong)SomeBits(random));
                code.Fixed64((ulong)SomeBits(random));
                break;
        }
    }

    private static long SomeBits(Random random) => random.Next(6) switch
    {
        0 => random.Next(-4, 5),
        1 => random.NextInt64(),
        2 => -random.NextInt64(),
        3 => 1L << random.Next(64),
        4 => Edges[random.Next(Edges.Length)],
        _ => random.Next(70_000),
    };

    private static double SomeFloat(Random random) => random.Next(4) switch
    {
        0 => random.Next(-4, 5),
        1 => random.NextDouble() * 1e20,
        2 => FloatEdges[random.Next(FloatEdges.Length)],
        _ => random.NextDouble() - 0.5,
    };

    /// <summary>One function.</summary>
    private sealed class Body(NumberModule module, int index, ByteWriter body)
    {
        private readonly record struct Label(ValType[] Types, int Height);

        private readonly Random random = module.random;
        private readonly Signature signature = module.functions[index];
        private readonly ByteWriter code = new();
        private readonly List<ValType> locals = [.. module.functions[index].Params];
        private readonly List<ValType> stack = [];
        private readonly List<Label> labels = [];
        private int left;

        internal void Write()
        {
            ValType[] own = module.Some(6);
            locals.AddRange(own);
            body.U32((uint)own.Length);
            foreach (ValType type in own)
            {
                body.U8(1);
                body.U8(Code(type));
            }
            left = random.Next(8) == 0 ? 300 : random.Next(5, 60);
            labels.Add(new Label(signature.Results, 0));
            Burn();
            while (left-- > 0) Step();
            Finish(signature.Results, 0);
            code.Code(OpId.End);
            body.Bytes(code.Span);
        }

        /// <summary>Takes one unit of the fuel, and traps without fuel.</summary>
        private void Burn()
        {
            Indexed(OpId.GlobalGet, 0);
            Number(1);
            code.Code(Sub);
            Indexed(OpId.GlobalSet, 0);
            Indexed(OpId.GlobalGet, 0);
            Number(0);
            code.Code(LessThan);
            code.Code(OpId.If);
            code.U8(TypeByte.EmptyBlock);
            code.Code(OpId.Unreachable);
            code.Code(OpId.End);
        }

        private void Number(int value)
        {
            code.Code(OpId.I32Const);
            code.S64(value);
        }

        private void Step()
        {
            switch (random.Next(22))
            {
                case 0 or 1 or 2: Push(module.Pick(module.Types)); break;
                case 3 or 4 or 5:
                    if (stack.Count == Height) break;
                    int local = locals.IndexOf(stack[^1], random.Next(2) == 0 ? 0 : Math.Min(1, locals.Count));
                    if (local < 0) local = locals.IndexOf(stack[^1]);
                    if (local < 0) break;
                    bool tees = random.Next(2) == 0;
                    Indexed(tees ? OpId.LocalTee : OpId.LocalSet, (uint)local);
                    if (!tees) Drop(1);
                    break;
                case 6:
                    if (stack.Count == Height) break;
                    Indexed(OpId.GlobalSet, (uint)Array.IndexOf(Numbers, stack[^1]) + 1);
                    Drop(1);
                    break;
                case 7: Call(); break;
                case 8: Select(); break;
                case 9 or 10: Nest(); break;
                case 11: Branch(); break;
                case 12 when stack.Count > Height:
                    code.Code(OpId.Drop);
                    Drop(1);
                    break;
                case 13 when random.Next(8) == 0:
                    // More reads of locals than a translator can let wait.
                    for (int i = random.Next(60, 80); i > 0; i--) Push(module.Pick(module.Types));
                    break;
                case 14:
                    StraightCode.Write(code, random, locals, labels[0].Types);
                    if (random.Next(3) == 0) Call();
                    break;
                default: Operate(); break;
            }
        }

        private int Height => labels[^1].Height;

        private void Drop(int count) => stack.RemoveRange(stack.Count - count, count);

        private void Indexed(OpId op, uint index)
        {
            code.Code(op);
            code.U32(index);
        }

        private void Push(ValType type)
        {
            int local = random.Next(4) == 0 ? -1 : locals.LastIndexOf(type, random.Next(Math.Max(1, locals.Count)), 1);
            if (local < 0 && locals.Contains(type) && random.Next(3) > 0) local = locals.IndexOf(type);
            if (local >= 0) Indexed(OpId.LocalGet, (uint)local);
            else if (random.Next(5) == 0) Indexed(OpId.GlobalGet, (uint)Array.IndexOf(Numbers, type) + 1);
            else module.Constant(code, type);
            stack.Add(type);
        }

        /// <summary>Brings operands of the types to the top. Operands that are there are used if they fit.</summary>
        private void Need(ValType[] types)
        {
            int fits = Math.Min(types.Length, stack.Count - Height);
            while (fits > 0 && !stack.Skip(stack.Count - fits).SequenceEqual(types.Take(fits))) fits--;
            foreach (ValType type in types.Skip(fits)) Push(type);
        }

        private void Apply(ValType[] parameters, ValType[] results)
        {
            Drop(parameters.Length);
            stack.AddRange(results);
        }

        private void Operate()
        {
            Operator op = module.Pick(module.Operators);
            // Half of the operators take operands that are there.
            for (int i = 0; i < 30 && random.Next(2) == 0 && (op.Params.Length == 0 || stack.Count == Height || op.Params[^1] != stack[^1]); i++)
                op = module.Pick(module.Operators);
            bool isWide = op.MemArg is not null && random.Next(4) == 0;
            ValType address = isWide ? ValType.I64 : ValType.I32;
            ValType[] parameters = [.. op.Params.Select(p => p == OperatorTable.At ? address : p)];
            if (op.MemArg is not null) NeedAddress(parameters, isWide);
            else Need(parameters);
            code.Code(op);
            foreach (Immediate immediate in op.Immediates)
            {
                switch (immediate.Kind)
                {
                    case ImmediateKind.MemArg:
                        code.U8((byte)((uint)random.Next(immediate.Number + 1) | (isWide ? MemArgFlags.HasMemory : 0)));
                        if (isWide) code.U8(1);
                        code.U32(random.Next(3) switch { 0 => 0u, 1 => 16u * (uint)random.Next(4), _ => 16u * (uint)random.Next(4_100) });
                        break;
                    case ImmediateKind.Lane: code.U8((byte)random.Next(immediate.Number)); break;
                    case ImmediateKind.Lanes16: for (int i = 0; i < 16; i++) code.U8((byte)random.Next(32)); break;
                    default: throw new InvalidOperationException($"{op.Mnemonic} has an immediate that random modules do not know");
                }
            }
            Apply(parameters, [.. op.Results]);
        }

        /// <summary>
        /// Most addresses are small and aligned, so that no access is partly out of bounds: RyuJIT finds dead values that the emitter
        /// does not find, and narrows their loads.
        /// </summary>
        private void NeedAddress(ValType[] parameters, bool isWide)
        {
            if (random.Next(4) == 0)
            {
                Need(parameters);
                return;
            }
            Push(parameters[0]);
            code.Code(isWide ? OpId.I64Const : OpId.I32Const);
            code.S64(random.Next(2) == 0 ? 0xff0 : 0xfff0);
            code.Code(isWide ? And64 : And);
            foreach (ValType type in parameters.Skip(1)) Push(type);
        }

        private void Call()
        {
            if (random.Next(5) == 0)
            {
                // The table holds the imports and the first function, which calls nothing through it.
                if (index == 2) return;
                Signature any = module.functions[random.Next(3)];
                Need([.. any.Params, ValType.I32]);
                if (random.Next(3) > 0)
                {
                    code.Code(OpId.Drop);
                    Number(module.functions.IndexOf(any));
                }
                code.Code(OpId.CallIndirect);
                code.U32(module.TypeIndex(any.Params, any.Results));
                code.U8(0);
                Apply([.. any.Params, ValType.I32], any.Results);
                return;
            }
            int callee = random.Next(index);
            Signature type = module.functions[callee];
            Need(type.Params);
            Indexed(OpId.Call, (uint)callee);
            Apply(type.Params, type.Results);
        }

        private void Select()
        {
            ValType type = stack.Count > Height ? stack[^1] : module.Pick(module.Types);
            Need([type, type, ValType.I32]);
            code.Code(OpId.Select);
            Drop(2);
        }

        private void Nest()
        {
            if (labels.Count > 5 || left < 3) return;
            int kind = random.Next(module.isScalar ? 3 : 4);
            int taken = Math.Min(random.Next(8) == 0 ? random.Next(12) : random.Next(3), stack.Count - Height);
            ValType[] parameters = [.. stack.Skip(stack.Count - taken)];
            ValType[] results = module.Some(random.Next(8) == 0 ? 11 : 2);
            if (kind == 2) Condition(parameters);
            if (kind == 2) Drop(1);
            // The value of an exception is an i32, which the target takes.
            int catching = kind == 3 ? labels.FindLastIndex(l => l.Types.AsSpan().SequenceEqual([ValType.I32])) : -1;
            if (kind == 3 && catching < 0) kind = 0;
            code.Code(kind switch { 0 => OpId.Block, 1 => OpId.Loop, 2 => OpId.If, _ => OpId.TryTable });
            code.S64(module.TypeIndex(parameters, results));
            if (kind == 3)
            {
                code.Bytes([1, 0, 0]);
                code.U32((uint)(labels.Count - 1 - catching));
            }
            int height = stack.Count - taken;
            labels.Add(new Label(kind == 1 ? parameters : results, height));
            if (kind == 1) Burn();
            for (int i = random.Next(1, 12); i > 0 && left-- > 0; i--) Step();
            Finish(results, height);
            if (kind == 2)
            {
                code.Code(OpId.Else);
                stack.RemoveRange(height, stack.Count - height);
                stack.AddRange(parameters);
                for (int i = random.Next(6); i > 0 && left-- > 0; i--) Step();
                Finish(results, height);
            }
            code.Code(OpId.End);
            labels.RemoveAt(labels.Count - 1);
        }

        /// <summary>Leaves operands of just these types above a height.</summary>
        private void Finish(ValType[] results, int height)
        {
            if (stack.Count >= height + results.Length && stack.Skip(stack.Count - results.Length).SequenceEqual(results)
                && stack.Count > height + results.Length)
            {
                // Operands below the results can only go with a branch out of a block.
                while (stack.Count > height)
                {
                    code.Code(OpId.Drop);
                    Drop(1);
                }
            }
            while (stack.Count > height && !(stack.Count == height + results.Length && stack.Skip(height).SequenceEqual(results)))
            {
                code.Code(OpId.Drop);
                Drop(1);
            }
            if (stack.Count == height) foreach (ValType type in results) Push(type);
        }

        /// <summary>A condition of a branch, often one that has just been compared.</summary>
        private void Condition(ValType[] below)
        {
            if (random.Next(2) == 0)
            {
                Need([.. below, ValType.I32]);
                return;
            }
            Need(below);
            Operator op = module.Pick(Comparisons);
            foreach (ValType type in op.Params) Push(type);
            code.Code(op);
            Apply([.. op.Params], [ValType.I32]);
        }

        private void Branch()
        {
            int depth = random.Next(labels.Count);
            Label label = labels[labels.Count - 1 - depth];
            switch (random.Next(8))
            {
                case 0 when labels.Count > 1:
                    // Code behind an unconditional branch is dead. Go on in a new block that leaves the stack unchanged.
                    Need(label.Types);
                    Indexed(OpId.Br, (uint)depth);
                    stack.RemoveRange(Height, stack.Count - Height);
                    break;
                case 1:
                    Need([.. label.Types, ValType.I32]);
                    code.Code(OpId.BrTable);
                    uint[] same = [.. labels.Index().Where(l => l.Item.Types.SequenceEqual(label.Types)).Select(l => (uint)(labels.Count - 1 - l.Index))];
                    uint count = (uint)random.Next(4);
                    code.U32(count);
                    for (uint i = 0; i <= count; i++) code.U32(module.Pick(same));
                    stack.RemoveRange(Height, stack.Count - Height);
                    break;
                case 2 when !module.isScalar:
                    Need([ValType.I32]);
                    code.Code(Eqz);
                    code.Code(OpId.If);
                    code.U8(TypeByte.EmptyBlock);
                    Number(7);
                    Indexed(OpId.Throw, 0);
                    code.Code(OpId.End);
                    Drop(1);
                    break;
                default:
                    Condition(label.Types);
                    Indexed(OpId.BrIf, (uint)depth);
                    Drop(1);
                    break;
            }
        }
    }
}
