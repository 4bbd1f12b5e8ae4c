using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>How large the parts of a split function may become.</summary>
internal readonly record struct PartSize(int Instructions, int Blocks, int LocalRefs);

/// <summary>
/// How a function is cut into parts: where each begins, the labels at which others enter it, and the places of variables that live in more than one.
/// </summary>
/// <remarks>
/// A part can be entered where nothing is on the IL stack, which holds for all labels. A protected region may be cut as well: each part that has a piece of
/// it has a region of its own around the piece, with a copy of the handler, which only notes the exception and leaves.
/// </remarks>
internal sealed class Partition
{
    /// <summary>What <see cref="StateOf"/> gives has the part above so many bits.</summary>
    internal const int StateShift = 16;

    /// <summary>Where a variable is: in a local of each part, or in an array for the call.</summary>
    internal enum Place : byte { Part, Words, Refs }

    private readonly IlBuffer il;
    private readonly PartSize size;

    /// <summary>The instructions in order, as indices into the buffer.</summary>
    private readonly int[] order;

    /// <summary>Where parts begin in <see cref="order"/>; the end is the last.</summary>
    private readonly List<int> starts = [0];
    private readonly int[] partOfLabel;

    /// <summary>By label: its number among the places where its part is entered, 0 if it is not.</summary>
    private readonly int[] entryOfLabel;

    /// <summary>Protected regions in the order of their beginnings, and by label and by part the innermost around it or its beginning, -1 for none.</summary>
    private readonly List<Region> regions = [];
    private readonly int[] regionOfLabel;
    private readonly List<int> regionOfStart = [-1];

    /// <summary>Arguments from the second on, then locals: where they are, and the byte offset or index there.</summary>
    private readonly Place[] places;
    private readonly int[] slots;

    /// <summary>The signatures of tail calls.</summary>
    private readonly List<NativeSignature> tails = [];

    private Partition(IlBuffer il, Signature signature, PartSize size)
    {
        this.il = il;
        this.size = size;
        Signature = signature;
        var indices = new List<int>(il.Instructions);
        for (int i = il[IlBuffer.Start].Next; i != 0; i = il[i].Next) indices.Add(i);
        order = [.. indices];
        partOfLabel = new int[il.LabelCount];
        entryOfLabel = new int[il.LabelCount];
        regionOfLabel = new int[il.LabelCount];
        int variables = Arguments + il.Locals.Count;
        places = new Place[variables];
        slots = new int[variables];
    }

    /// <summary>A protected region: the one around it, -1 for none, and the instructions at its borders, as indices into <see cref="order"/>.</summary>
    private readonly record struct Region(int Parent, int Try, int Filter, int End);

    /// <summary>The signature of the function.</summary>
    internal Signature Signature { get; }

    /// <summary>How many parts there are.</summary>
    internal int Parts => starts.Count - 1;

    /// <summary>How many words the variables outside of parts need.</summary>
    internal int Words { get; private set; }

    /// <summary>How many references the variables outside of parts hold.</summary>
    internal int Refs { get; private set; }

    /// <summary>How many variables are arguments; they come first.</summary>
    internal int Arguments => Signature.ValueTypes.Length;

    /// <summary>The signatures of the tail calls, by the number that a part's result names one with.</summary>
    internal IReadOnlyList<NativeSignature> Tails => tails;

    /// <summary>Cuts a function. Null if it cannot be split, or need not be.</summary>
    internal static Partition? Of(IlBuffer il, Signature signature, PartSize size)
    {
        var partition = new Partition(il, signature, size);
        return partition.FindParts() && partition.FindEntries() && partition.FindPlaces() && partition.FindTails() ? partition : null;
    }

    internal Type TypeOf(int variable) => variable < Arguments ? Signature.ValueTypes[variable] : il.Locals[variable - Arguments];

    /// <summary>The variable of an instruction; -1 if it has none, or the instance.</summary>
    internal int VariableOf(in IlBuffer.Node node) => node.Form switch
    {
        IlBuffer.Form.Local => Arguments + (int)node.Number,
        IlBuffer.Form.Arg => (int)node.Number - 1,
        _ => -1,
    };

    internal Place PlaceOf(int variable) => places[variable];

    /// <summary>The byte offset of a variable among the words, or its index among the references.</summary>
    internal int SlotOf(int variable) => slots[variable];

    /// <summary>The instructions of a part, as indices into the buffer.</summary>
    internal ReadOnlySpan<int> InstructionsOf(int part) => order.AsSpan(starts[part]..starts[part + 1]);

    internal ref readonly IlBuffer.Node this[int instruction] => ref il[instruction];

    internal int PartOfLabel(int label) => partOfLabel[label];

    /// <summary>The number of a label among those where its part is entered; 0 if it is not.</summary>
    internal int EntryOfLabel(int label) => entryOfLabel[label];

    /// <summary>The innermost region around a label, -1 for none.</summary>
    internal int RegionOfLabel(int label) => regionOfLabel[label];

    /// <summary>The innermost region around the beginning of a part, -1 for none.</summary>
    internal int RegionOfStart(int part) => regionOfStart[part];

    /// <summary>The first region that begins in a part or behind it.</summary>
    internal int FirstRegionOf(int part)
    {
        int first = regions.FindIndex(r => r.Try >= starts[part]);
        return first < 0 ? regions.Count : first;
    }

    /// <summary>Whether a part has a piece of a region.</summary>
    internal bool HasRegions(int part) => regionOfStart[part] >= 0 || (FirstRegionOf(part) is var first && first < regions.Count && regions[first].Try < starts[part + 1]);

    /// <summary>The region around another; -1 for none.</summary>
    internal int ParentOf(int region) => regions[region].Parent;

    /// <summary>The instructions of a region's handler, from its first border to its last, as indices into the buffer.</summary>
    internal ReadOnlySpan<int> HandlerOf(int region) => order.AsSpan(regions[region].Filter..(regions[region].End + 1));

    /// <summary>The regions of which a part has a piece but not the handler.</summary>
    private IEnumerable<int> Continued(int part)
    {
        for (int region = part + 1 < Parts ? regionOfStart[part + 1] : -1; region >= 0; region = regions[region].Parent) yield return region;
    }

    /// <summary>All instructions that a part consists of: its own, and the handlers of regions that go on behind it.</summary>
    internal IEnumerable<int> AllInstructionsOf(int part)
    {
        for (int i = starts[part]; i < starts[part + 1]; i++) yield return order[i];
        foreach (int region in Continued(part))
            for (int i = regions[region].Filter; i <= regions[region].End; i++) yield return order[i];
    }

    /// <summary>The result of a part that makes a tail call.</summary>
    internal static int StateOfTail(int number) => -2 - number;

    /// <summary>The number of a tail call's signature.</summary>
    internal int TailOf(NativeSignature signature) => tails.IndexOf(signature);

    /// <summary>The first word, as a byte offset, and the first reference that take what a tail call passes. The address of its code is the first word.</summary>
    internal (int Words, int Refs) TailSlots { get; private set; }

    /// <summary>The result of a part that goes on at a label of another.</summary>
    internal int StateOf(int label) => (partOfLabel[label] << StateShift) | entryOfLabel[label];

    private bool FindParts()
    {
        int depth = 0, instructions = 0, blocks = 0, uses = 0, region = -1;
        bool inHandler = false;
        var calls = new Dictionary<object, int>();
        for (int i = 0; i < order.Length; i++)
        {
            ref readonly IlBuffer.Node node = ref il[order[i]];
            // A variable whose address is taken (a tuple of results) does not live from one part to another.
            if (depth == 0 && !inHandler && node.Code != OpCodes.Ldloca && (node.Form != IlBuffer.Form.Region || (IlBuffer.Border)node.Number == IlBuffer.Border.Try)
                && (instructions >= size.Instructions || blocks >= size.Blocks || uses >= size.LocalRefs))
            {
                starts.Add(i);
                regionOfStart.Add(region);
                instructions = blocks = uses = 0;
            }
            switch (node.Form)
            {
                case IlBuffer.Form.Mark:
                    if (depth != 0 || inHandler) return false;
                    partOfLabel[node.Number] = starts.Count - 1;
                    regionOfLabel[node.Number] = region;
                    blocks++;
                    continue;
                case IlBuffer.Form.Region:
                    blocks += 2;
                    if (!Cross((IlBuffer.Border)node.Number, i, ref region, ref inHandler, ref depth)) return false;
                    continue;
                case IlBuffer.Form.Local or IlBuffer.Form.Arg: uses++; break;
                // A branch that leaves the part gets a block of its own there.
                case IlBuffer.Form.Label: blocks += 2; break;
                case IlBuffer.Form.Switch: blocks += Math.Min(((int[])node.Object!).Length, size.Blocks / 2); break;
            }
            if (node.Code == OpCodes.Jmp) return false;
            instructions++;
            bool ends = node.Code == OpCodes.Ret || node.Code == OpCodes.Throw || node.Code == OpCodes.Leave;
            if (node.Code == OpCodes.Ret && region >= 0) return false;
            depth = ends ? 0 : depth + StackChange(node, calls);
            if (depth < 0 || (depth > 0 && node.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch)) return false;
        }
        starts.Add(order.Length);
        return Parts > 1 && Parts < 1 << 14 && CopiesFew();
    }

    /// <summary>The effect of an instruction on the stack. .NET copies the parameters of a method whenever it is asked, so methods are asked once.</summary>
    private static int StackChange(in IlBuffer.Node node, Dictionary<object, int> calls)
    {
        if (node.Form != IlBuffer.Form.Method) return StackEffect.Of(node);
        if (!calls.TryGetValue(node.Object!, out int change)) calls[node.Object!] = change = StackEffect.Of(node);
        return change;
    }

    /// <summary>Up to this many instructions of copied handlers are always allowed.</summary>
    private const int FewCopies = 100_000;

    /// <summary>Whether copies of handlers make the function no more than twice as large: regions may be thousands deep in each other.</summary>
    private bool CopiesFew()
    {
        long copied = 0, most = Math.Max(FewCopies, order.Length);
        for (int part = 0; part < Parts; part++)
            foreach (int region in Continued(part))
                if ((copied += regions[region].End - regions[region].Filter) > most) return false;
        return true;
    }

    /// <summary>Crosses the border of a region. False for a kind of border that is not known here.</summary>
    private bool Cross(IlBuffer.Border border, int at, ref int region, ref bool inHandler, ref int depth)
    {
        switch (border)
        {
            case IlBuffer.Border.Try:
                if (depth != 0 || inHandler) return false;
                regions.Add(new Region(region, at, -1, -1));
                region = regions.Count - 1;
                return true;
            case IlBuffer.Border.Filter:
                regions[region] = regions[region] with { Filter = at };
                inHandler = true;
                // The exception.
                depth = 1;
                return true;
            case IlBuffer.Border.FilteredCatch:
                depth = 1;
                return true;
            case IlBuffer.Border.End:
                if (!inHandler) return false;
                regions[region] = regions[region] with { End = at };
                region = regions[region].Parent;
                inHandler = false;
                depth = 0;
                return true;
            default: return false;
        }
    }

    /// <summary>Numbers the labels that are reached from other parts.</summary>
    private bool FindEntries()
    {
        var entries = new int[Parts];
        for (int part = 0; part < Parts; part++)
            foreach (int i in AllInstructionsOf(part))
            {
                ref readonly IlBuffer.Node node = ref il[i];
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
    /// Finds values that may live from one part to another: variables that are read somewhere without having been written since the label before. All
    /// others are local to each part.
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
                if (node.Form is IlBuffer.Form.Mark or IlBuffer.Form.Region) run++;
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
            // If only the address counts, it is that of the frame; other addressed locals must not leave the frame.
            if ((addressedEarly[variable] && used[variable]) || (addressed[variable] && places[variable] != Place.Part)) return false;
            if (places[variable] == Place.Part && variable >= Arguments) continue;
            Type type = TypeOf(variable);
            if (!type.IsValueType)
            {
                places[variable] = Place.Refs;
                slots[variable] = Refs++;
                continue;
            }
            if (!HasWords(type)) return false;
            places[variable] = Place.Words;
            slots[variable] = Words * 8;
            Words += WordsOf(type);
        }
        return true;
    }

    /// <summary>A function with more signatures of tail calls than this is not split.</summary>
    private const int MostTails = 1 << 10;

    /// <summary>Finds the signatures of tail calls. The part stores what is passed and returns; the method in front makes the call.</summary>
    private bool FindTails()
    {
        bool isTail = false;
        int words = 0, refs = 0;
        foreach (int i in order)
        {
            ref readonly IlBuffer.Node node = ref il[i];
            if (isTail && node.Form == IlBuffer.Form.Calli)
            {
                var signature = (NativeSignature)node.Object!;
                if (!tails.Contains(signature)) tails.Add(signature);
                if (tails.Count == MostTails || signature.Parameters.Any(type => type.IsValueType && !HasWords(type))) return false;
                words = Math.Max(words, 1 + signature.Parameters.Sum(WordsOf));
                refs = Math.Max(refs, signature.Parameters.Count(type => !type.IsValueType));
            }
            isTail = node.Code == OpCodes.Tailcall;
        }
        TailSlots = (Words * 8, Refs);
        Words += words;
        Refs += refs;
        return true;
    }

    /// <summary>How many words a value takes; none if it is a reference.</summary>
    internal static int WordsOf(Type type) => !type.IsValueType ? 0 : type == typeof(System.Runtime.Intrinsics.Vector128<byte>) ? 2 : 1;

    /// <summary>Whether values of a type, which are not references, can be in the words.</summary>
    private static bool HasWords(Type type) => Indirect.LoadOf(type) is not null || type == typeof(System.Runtime.Intrinsics.Vector128<byte>);
}
