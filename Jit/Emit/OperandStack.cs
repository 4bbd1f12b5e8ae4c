using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The wasm operand stack of the function being emitted. Operands stay on the IL stack as long as that is possible; constants
/// and locals are not loaded before they are used. What an operator needs below operands that are already on the IL stack is
/// inserted in front of their code, which never crosses a label, because labels find no operand on the IL stack.
/// </summary>
internal sealed class OperandStack(IlBuffer il, LocalPlaces places)
{
    /// <summary>Deeper expressions go through a temporary: RyuJIT walks trees recursively.</summary>
    private const int MaxDepth = 100;

    /// <summary>More operands than this are not kept on the IL stack at once: IL has a limit, and the JIT's time grows.</summary>
    private const int MaxOnStack = 200;

    /// <summary>
    /// After so many instructions with something on the IL stack all of it goes to temporaries: functions can be cut into parts only where the IL stack is empty.
    /// </summary>
    private const int LongestOnStack = 4_000;

    private readonly Dictionary<Type, Stack<int>> free = [];

    /// <summary>Temporaries whose operands the operator being emitted has used up: its code reads them, wherever it is put.</summary>
    private readonly List<int> held = [];

    /// <summary>Temporaries of labels that may hold a loaded value.</summary>
    private readonly HashSet<int> loaded = [];
    private Operand[] items = new Operand[8];
    private int onStack;

    /// <summary>How many instructions there were when the IL stack was empty last.</summary>
    private int lastEmpty;

    /// <summary>Below these heights there is nothing on the IL stack, and no pending read of a local: scans can start at these heights.</summary>
    private int lowestOnStack, lowestPending;

    /// <summary>Where pending reads of each place are or were, ascending.</summary>
    private readonly List<List<int>?> pending = [];

    internal int Count { get; private set; }

    internal ref Operand this[int fromTop] => ref items[Count - 1 - fromTop];

    internal ref Operand At(int height) => ref items[height];

    /// <summary>In verifying mode, compares operands with their earlier values; otherwise null.</summary>
    internal Shadows? Shadows { get; set; }

    /// <summary>
    /// A temporary that holds no operand, to be stored to behind all code that there is. The caller frees it, or makes it an
    /// operand's. Temporaries of operands are free again when the operator that used them up has been emitted.
    /// </summary>
    internal int TakeTemp(Type type)
    {
        if (!free.TryGetValue(type, out Stack<int>? known) || !known.TryPop(out int temp)) return il.DeclareLocal(type);
        loaded.Remove(temp);
        return temp;
    }

    /// <summary>Notes that a temporary of a label takes the value of the operand.</summary>
    internal void MarkStored(in Operand operand, int temp)
    {
        if (operand.HasLoad) loaded.Add(temp);
    }

    /// <summary>
    /// Stores the value on the IL stack at a position with code behind it, to a temporary that none of this code uses: one that is free
    /// now may well have been in use there.
    /// </summary>
    internal int StoreEarlier(int position, Type type, out int temp)
    {
        temp = position == il.Tail ? TakeTemp(type) : il.DeclareLocal(type);
        return il.StlocAt(position, temp);
    }

    /// <summary>An operator has been emitted: no code will be put in front of what it read.</summary>
    internal void EndOperator()
    {
        foreach (int temp in held) FreeTemp(temp);
        held.Clear();
        if (onStack > 0 && il.Instructions - lastEmpty > LongestOnStack) Flush();
        if (onStack == 0) lastEmpty = il.Instructions;
    }

    internal void FreeTemp(int temp)
    {
        Type type = il.Locals[temp];
        if (!free.TryGetValue(type, out Stack<int>? known)) free[type] = known = new Stack<int>();
        known.Push(temp);
    }

    internal void Push(in Operand operand)
    {
        if (Count == items.Length) Array.Resize(ref items, Count * 2);
        items[Count++] = operand;
        Note(Count - 1);
        Shadows?.Keep(ref items[Count - 1], il.Tail);
    }

    /// <summary>Remembers what has come to a height.</summary>
    private void Note(int height)
    {
        if (items[height].Kind == OperandKind.Stack) lowestOnStack = Math.Min(lowestOnStack, height);
        if (items[height].Kind != OperandKind.Local) return;
        lowestPending = Math.Min(lowestPending, height);
        int place = items[height].Index;
        while (pending.Count <= place) pending.Add(null);
        List<int> heights = pending[place] ??= [];
        // What was higher is gone.
        while (heights.Count > 0 && heights[^1] >= height) heights.RemoveAt(heights.Count - 1);
        heights.Add(height);
    }

    /// <summary>Exchanges the two topmost operands, neither of which is on the IL stack, or both of which are used up at once.</summary>
    internal void Swap()
    {
        (items[Count - 1], items[Count - 2]) = (items[Count - 2], items[Count - 1]);
        Note(Count - 2);
        Note(Count - 1);
    }

    /// <summary>The value that the instructions after <paramref name="start"/> have just left on the IL stack.</summary>
    internal void PushStack(ValType type, int start, int depth = 1, bool hasLoad = false, byte loadWidth = 0, bool mayBeKnown = false)
    {
        if (depth > MaxDepth || onStack >= MaxOnStack)
        {
            int temp = TakeTemp(Signature.ClrType(type));
            if (mayBeKnown) HideAt(il.Tail, type);
            il.Stloc(temp);
            PushTemp(type, temp);
            return;
        }
        onStack++;
        Push(new Operand { Kind = OperandKind.Stack, Type = type, Start = start, Depth = depth, HasLoad = hasLoad, LoadWidth = loadWidth, MayBeKnown = mayBeKnown });
    }

    internal void PushTemp(ValType type, int temp) => Push(new Operand { Kind = OperandKind.Temp, Type = type, Index = temp, HasLoad = loaded.Contains(temp) });

    internal void PushFrameTemp(ValType type, int temp) =>
        Push(new Operand { Kind = OperandKind.FrameTemp, Type = type, Index = temp, HasLoad = loaded.Contains(temp) });

    internal void PushConst(ValType type, ulong bits) => Push(new Operand { Kind = OperandKind.Const, Type = type, Bits = bits });

    internal void PushVector(ulong low, ulong high) =>
        Push(new Operand { Kind = OperandKind.Const, Type = ValType.V128, Bits = low, High = high });

    internal void PushLocal(ValType type, int place) => Push(new Operand { Kind = OperandKind.Local, Type = type, Index = place });

    /// <summary>Forgets the topmost operand, which is not or no longer on the IL stack.</summary>
    internal void Remove()
    {
        ref Operand operand = ref items[--Count];
        if (operand.Kind == OperandKind.Temp) held.Add(operand.Index);
        else if (operand.Kind == OperandKind.Stack) onStack--;
    }

    /// <summary>Takes the topmost operand away as it is: one on the IL stack stays there, a temporary is now the caller's.</summary>
    internal Operand Pop()
    {
        Operand operand = items[--Count];
        if (operand.Kind == OperandKind.Stack) onStack--;
        return operand;
    }

    /// <summary>Emits the load of an operand that is not on the IL stack; returns the new position.</summary>
    /// <param name="after">The position.</param>
    /// <param name="operand">The operand.</param>
    /// <param name="hides">
    /// Whether the JIT must not know a float constant: it goes where the emitter loses sight of it, into a local or temporary.
    /// </param>
    internal int LoadAt(int after, in Operand operand, bool hides = false)
    {
        switch (operand.Kind)
        {
            case OperandKind.Temp or OperandKind.FrameTemp or OperandKind.Local:
                after = LoadPlaceAt(after, operand);
                return Shadows is { } shadows ? shadows.CompareAt(after, operand) : after;
            case OperandKind.Const:
                return operand.Type.Kind switch
                {
                    ValKind.I32 => il.LdcI4At(after, (int)operand.Bits),
                    ValKind.I64 => il.LdcI8At(after, (long)operand.Bits),
                    ValKind.F32 => LoadFloatAt(after, (int)operand.Bits, hides),
                    ValKind.F64 => LoadDoubleAt(after, (long)operand.Bits, hides),
                    ValKind.V128 => LoadVectorAt(after, operand.Bits, operand.High, operand.IsOpaque || (hides && MustHide(operand))),
                    _ => il.EmitAt(after, OpCodes.Ldnull),
                };
            default: throw new InvalidOperationException("The operand is on the IL stack.");
        }
    }

    /// <summary>Pushes what is in the temporary or local of an operand.</summary>
    internal int LoadPlaceAt(int after, in Operand operand)
    {
        if (operand.Kind != OperandKind.Local) return il.LdlocAt(after, operand.Index);
        (bool isArg, int index) = places[operand.Index];
        return isArg ? il.LdargAt(after, index) : il.LdlocAt(after, index);
    }

    /// <summary>The end of the code of an operand that is on the IL stack.</summary>
    internal int EndOf(int fromTop)
    {
        int next = NextOnStack(fromTop);
        return next >= 0 ? this[next].Start : il.Tail;
    }

    /// <summary>Notes that the code of an operand on the IL stack ends further behind: something was put to its end.</summary>
    internal void MoveEnd(int fromTop, int end)
    {
        int next = NextOnStack(fromTop);
        if (next >= 0) this[next].Start = end;
    }

    private int NextOnStack(int fromTop)
    {
        int next = fromTop - 1;
        while (next >= 0 && this[next].Kind != OperandKind.Stack) next--;
        return next;
    }

    // With a NaN the result of an operator may be known, so that the JIT would narrow the load of the other operand.

    private int LoadFloatAt(int after, int bits, bool hides) =>
        hides || float.IsNaN(BitConverter.Int32BitsToSingle(bits))
            ? il.CallAt(il.LdargAt(il.LdcI4At(after, bits), 0), Members.Float(nameof(Runtime.Floats.HiddenOfBits32)))
            : il.LdcR4At(after, bits);

    private int LoadDoubleAt(int after, long bits, bool hides) =>
        hides || double.IsNaN(BitConverter.Int64BitsToDouble(bits))
            ? il.CallAt(il.LdargAt(il.LdcI8At(after, bits), 0), Members.Float(nameof(Runtime.Floats.HiddenOfBits64)))
            : il.LdcR8At(after, bits);

    /// <summary>A vector constant, which the JIT puts beside the code.</summary>
    internal int LoadVectorAt(int after, ulong low, ulong high, bool hides = false)
    {
        after = il.LdcI8At(after, (long)low);
        after = il.LdcI8At(after, (long)high);
        after = il.CallAt(after, Members.VectorOfHalves);
        return hides ? HideAt(after, ValType.V128) : after;
    }

    /// <summary>Makes the number on the IL stack one that the JIT does not know.</summary>
    internal int HideAt(int after, ValType type) => il.CallAt(
        il.LdargAt(after, 0),
        type.Kind switch
        {
            ValKind.F32 => Members.Float(nameof(Runtime.Floats.Hide32)),
            ValKind.F64 => Members.Float(nameof(Runtime.Floats.Hide64)),
            _ => Members.Vector(nameof(Runtime.Simd.Hide)),
        });

    /// <summary>Makes a float or vector among the topmost operands one that the JIT does not know; where it is on the IL stack, or will be.</summary>
    internal void Hide(int fromTop)
    {
        ref Operand operand = ref items[Count - 1 - fromTop];
        if (operand.Kind != OperandKind.Stack) return;
        MoveEnd(fromTop, HideAt(EndOf(fromTop), operand.Type));
        operand.MayBeKnown = false;
    }

    /// <summary>
    /// Before the topmost operands go where the emitter cannot follow them: numbers that the JIT may know become unknown.
    /// </summary>
    internal void HideKnown(int count)
    {
        for (int i = 0; i < count; i++)
            if (items[Count - 1 - i].MayBeKnown) Hide(i);
    }

    /// <summary>Whether a vector constant has lanes that the JIT would treat in its own way as floats.</summary>
    private static bool MustHide(in Operand constant)
    {
        return HasSpecial(constant.Bits) || HasSpecial(constant.High);

        static bool HasSpecial(ulong half) =>
            HasNaN(half, is32: false) || HasNaN(half, is32: true) || half is
                0 or 0x8000000000000000 or 0x3ff0000000000000 or 0xbff0000000000000 or 0x8000000080000000 or 0x3f8000003f800000 or 0xbf800000bf800000;
    }

    /// <summary>Whether half of a vector has a NaN in its lanes.</summary>
    internal static bool HasNaN(ulong half, bool is32) => is32
        ? float.IsNaN(BitConverter.UInt32BitsToSingle((uint)half)) || float.IsNaN(BitConverter.UInt32BitsToSingle((uint)(half >> 32)))
        : double.IsNaN(BitConverter.UInt64BitsToDouble(half));

    /// <summary>Whether a float constant is a signalling NaN.</summary>
    internal static bool IsSignalling(in Operand constant) =>
        constant.Type.Kind == ValKind.F32 ? IsSignalling((uint)constant.Bits) : IsSignalling(constant.Bits);

    /// <summary>Whether an f32 is a signalling NaN.</summary>
    private static bool IsSignalling(uint bits) => (bits & 0x400000) == 0 && float.IsNaN(BitConverter.UInt32BitsToSingle(bits));

    /// <summary>Whether an f64 is a signalling NaN.</summary>
    private static bool IsSignalling(ulong bits) => (bits & (1UL << 51)) == 0 && double.IsNaN(BitConverter.UInt64BitsToDouble(bits));

    /// <summary>
    /// Puts the topmost <paramref name="count"/> operands onto the IL stack, one above the other, and forgets them. Gives the
    /// position before the first, where what goes below them can be inserted.
    /// </summary>
    /// <param name="count">How many.</param>
    /// <param name="depth">The depth of an expression of them.</param>
    /// <param name="hasLoad">Whether one of them has a load.</param>
    /// <param name="hides">Whether what the JIT may know about floats is to be hidden.</param>
    /// <param name="wide">Which of them are needed with 64 bits: bits, that of the lowest operand first. An i32 among them is widened, as an address is.</param>
    internal int Take(int count, out int depth, out bool hasLoad, bool hides = false, uint wide = 0)
    {
        if (hides) HideKnown(count);
        int position = il.Tail;
        depth = 0;
        hasLoad = false;
        for (int i = 0; i < count; i++)
        {
            ref Operand operand = ref items[Count - 1 - i];
            int end = operand.Kind == OperandKind.Stack ? position : LoadAt(position, operand, hides);
            if (((wide >> (count - 1 - i)) & 1) != 0 && operand.Type == ValType.I32) il.EmitAt(end, OpCodes.Conv_U8);
            if (operand.Kind != OperandKind.Stack) continue;
            position = operand.Start;
            depth = Math.Max(depth, operand.Depth);
            hasLoad |= operand.HasLoad;
        }
        for (int i = 0; i < count; i++) Remove();
        depth++;
        return position;
    }

    internal int Take(int count, uint wide = 0) => Take(count, out _, out _, wide: wide);

    /// <summary>The same, into locals or temporaries: what the JIT may know about floats, it knows no longer.</summary>
    internal int TakeHidden(int count) => Take(count, out _, out _, hides: true);

    /// <summary>The same, with a call of <paramref name="check"/> on the lowest operand before the others are evaluated any further.</summary>
    internal int TakeChecked(int count, System.Reflection.MethodInfo check)
    {
        int position = il.Tail;
        for (int i = 0; i < count - 1; i++)
        {
            ref Operand operand = ref items[Count - 1 - i];
            if (operand.Kind == OperandKind.Stack) position = operand.Start;
            else LoadAt(position, operand);
        }
        Operand lowest = items[Count - count];
        int start = lowest.Kind == OperandKind.Stack ? lowest.Start : position;
        il.CallAt(lowest.Kind == OperandKind.Stack ? position : LoadAt(position, lowest), check);
        for (int i = 0; i < count; i++) Remove();
        return start;
    }

    /// <summary>
    /// Leaves the two topmost operands on the IL stack and forgets them. Gives the positions before them and between them.
    /// </summary>
    internal int TakePair(out int between, out int treeDepth, out bool hasLoad)
    {
        Operand first = this[1], second = this[0];
        int position = il.Tail;
        if (second.Kind == OperandKind.Stack) position = second.Start;
        else LoadAt(position, second);
        between = first.Kind == OperandKind.Stack ? position : LoadAt(position, first);
        Remove();
        Remove();
        treeDepth = Math.Max(first.Depth, second.Depth) + 1;
        hasLoad = first.HasLoad || second.HasLoad;
        return first.Kind == OperandKind.Stack ? first.Start : position;
    }

    /// <summary>
    /// Takes an operand out from below others, which stay. On the IL stack it goes to a temporary where its code ends; one that
    /// the code behind it does not use, although it may be free by now. The caller frees a temporary.
    /// </summary>
    internal Operand Extract(int fromTop)
    {
        int place = Count - 1 - fromTop;
        if (items[place].Kind == OperandKind.Stack)
        {
            if (items[place].MayBeKnown) Hide(fromTop);
            int end = StoreEarlier(EndOf(fromTop), Signature.ClrType(items[place].Type), out int temp);
            onStack--;
            var stored = new Operand { Kind = OperandKind.Temp, Type = items[place].Type, Index = temp };
            if (Shadows is { } shadows) end = shadows.Keep(ref stored, end);
            MoveEnd(fromTop, end);
            items[place] = stored;
        }
        Operand taken = items[place];
        Array.Copy(items, place + 1, items, place, Count - place - 1);
        Count--;
        for (int i = place; i < Count; i++) Note(i);
        return taken;
    }

    /// <summary>The height of the lowest operand on the IL stack.</summary>
    private int LowestOnStack()
    {
        if (onStack == 0) return int.MaxValue;
        while (items[lowestOnStack].Kind != OperandKind.Stack) lowestOnStack++;
        return lowestOnStack;
    }

    /// <summary>Whether there are pending reads of locals below the topmost <paramref name="keep"/> operands.</summary>
    internal bool HasPending(int keep)
    {
        while (lowestPending < Count - keep && items[lowestPending].Kind != OperandKind.Local) lowestPending++;
        return lowestPending < Count - keep;
    }

    /// <summary>Moves the operands below the topmost <paramref name="keep"/> from the IL stack to temporaries.</summary>
    internal void FlushBelow(int keep)
    {
        if (LowestOnStack() >= Count - keep) return;
        for (int i = Count - 1; i >= lowestOnStack; i--) Spill(ref items[i]);
        lowestOnStack = Count;
    }

    /// <summary>Moves the topmost operand to a temporary, if it is on the IL stack.</summary>
    internal void SpillTop() => Spill(ref items[Count - 1]);

    /// <summary>Moves every operand on the IL stack to temporaries.</summary>
    internal void Flush() => FlushBelow(0);

    /// <summary>
    /// The same before a control construct, and pending reads of locals too: a write inside would have to save them on one
    /// path only.
    /// </summary>
    internal void FlushForBlock()
    {
        Flush();
        for (int i = lowestPending; i < Count; i++)
            if (items[i].Kind == OperandKind.Local) SaveLocal(ref items[i]);
        lowestPending = Count;
    }

    /// <summary>Saves pending reads of a local that is about to be written.</summary>
    internal void BeforeWrite(int place, int below)
    {
        if (place >= pending.Count || pending[place] is not { Count: > 0 } heights) return;
        int kept = 0;
        foreach (int height in heights)
        {
            if (height >= Count || items[height].Kind != OperandKind.Local || items[height].Index != place) continue;
            if (height >= Count - below) heights[kept++] = height;
            else SaveBelow(height);
        }
        heights.RemoveRange(kept, heights.Count - kept);
    }

    /// <summary>
    /// Saves a pending read of a local before the code of the operands above it that are on the IL stack, where it will be
    /// loaded. Temporaries that are free now may be in use there.
    /// </summary>
    private void SaveBelow(int index)
    {
        int above = Math.Max(index + 1, LowestOnStack());
        while (above < Count && items[above].Kind != OperandKind.Stack) above++;
        if (above >= Count)
        {
            SaveLocal(ref items[index]);
            return;
        }
        ref Operand operand = ref items[index];
        items[above].Start = StoreEarlier(LoadAt(items[above].Start, operand), Signature.ClrType(operand.Type), out int temp);
        operand = new Operand { Kind = OperandKind.Temp, Type = operand.Type, Index = temp, Shadow = operand.Shadow };
    }

    private void SaveLocal(ref Operand operand)
    {
        LoadAt(il.Tail, operand);
        Spill(ref operand, force: true);
    }

    private void Spill(ref Operand operand, bool force = false)
    {
        if (operand.Kind != OperandKind.Stack && !force) return;
        if (operand.Kind == OperandKind.Stack) onStack--;
        int temp = TakeTemp(Signature.ClrType(operand.Type));
        if (operand.MayBeKnown) HideAt(il.Tail, operand.Type);
        il.Stloc(temp);
        operand = new Operand
        {
            Kind = OperandKind.Temp,
            Type = operand.Type,
            Index = temp,
            HasLoad = operand.HasLoad,
            LoadWidth = operand.LoadWidth,
            Range = operand.Range,
            Shadow = operand.Shadow,
        };
        Shadows?.Keep(ref operand, il.Tail);
    }

    /// <summary>Drops operands above a height when control leaves: those on the IL stack are popped.</summary>
    internal void Unwind(int height)
    {
        while (Count > height)
        {
            if (items[Count - 1].Kind == OperandKind.Stack) il.Emit(OpCodes.Pop);
            Remove();
        }
    }

    /// <summary>Forgets operands above a height without emitting: the code is unreachable.</summary>
    internal void Forget(int height)
    {
        while (Count > height) Remove();
    }
}
