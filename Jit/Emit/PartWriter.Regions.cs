using System.Reflection.Emit;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>The protected regions of a part. One that begins or ends in another part is here a region around its piece.</summary>
internal sealed partial class PartWriter
{
    /// <summary>For each region the place in front of it where it is entered for a label inside.</summary>
    private readonly Dictionary<int, int> doors = [];

    /// <summary>For each label of another part, in the current region and those around it, the place from which the region is left for the label.</summary>
    private readonly Stack<Dictionary<int, int>> stubs = [];

    /// <summary>The innermost region around the code that is written, and the one that begins next.</summary>
    private int region = -1, nextRegion;

    /// <summary>
    /// Goes to the label that the part is entered for, if that is in a region, which the code is at the beginning of, or in those inside of it. If the part is
    /// entered at its beginning, or for another label, the code goes on.
    /// </summary>
    private void WriteEntries(int around)
    {
        var targets = new SortedDictionary<int, int>();
        foreach (int i in whole.InstructionsOf(part))
        {
            ref readonly IlBuffer.Node node = ref whole[i];
            if (node.Form != IlBuffer.Form.Mark || whole.EntryOfLabel((int)node.Number) is not (var entry and not 0)) continue;
            int inner = whole.RegionOfLabel((int)node.Number);
            if (inner == around)
            {
                targets[entry] = LabelFor((int)node.Number);
                continue;
            }
            while (inner >= 0 && whole.ParentOf(inner) != around) inner = whole.ParentOf(inner);
            if (inner >= 0) targets[entry] = DoorOf(inner);
        }
        if (targets.Count == 0) return;
        int beginning = code.DefineLabel();
        var table = new int[targets.Keys.Max() + 1];
        Array.Fill(table, beginning);
        foreach ((int entry, int target) in targets) table[entry] = target;
        code.Ldarg(EntryArg);
        code.Switch(table);
        code.Mark(beginning);
    }

    private int DoorOf(int inner)
    {
        if (!doors.TryGetValue(inner, out int door)) doors[inner] = door = code.DefineLabel();
        return door;
    }

    /// <summary>Opens the regions that are around the beginning of the part.</summary>
    private void OpenRegions(int innermost)
    {
        if (innermost < 0) return;
        OpenRegions(whole.ParentOf(innermost));
        OpenRegion(innermost);
    }

    private void OpenRegion(int opened)
    {
        if (doors.TryGetValue(opened, out int door)) code.Mark(door);
        // A label must not be the region's first instruction.
        code.Emit(OpCodes.Nop);
        code.Region(IlBuffer.Border.Try);
        region = opened;
        stubs.Push([]);
        WriteEntries(opened);
    }

    private void WriteBorder(IlBuffer.Border border, bool falls)
    {
        switch (border)
        {
            case IlBuffer.Border.Try:
                if (doors.ContainsKey(nextRegion))
                {
                    // Code that comes here for no label inside begins at the beginning.
                    code.LdcI4(0);
                    code.Starg(EntryArg);
                }
                OpenRegion(nextRegion++);
                break;
            case IlBuffer.Border.Filter:
                WriteStubs(falls);
                code.Region(border);
                break;
            case IlBuffer.Border.End:
                code.Region(border);
                region = whole.ParentOf(region);
                break;
            default: code.Region(border); break;
        }
    }

    /// <summary>Ends the piece of a region that goes on in the next part: with a copy of its handler.</summary>
    private void CloseRegion()
    {
        WriteStubs(falls: false);
        foreach (int i in whole.HandlerOf(region)) WriteHandlerNode(whole[i]);
    }

    private void WriteHandlerNode(in IlBuffer.Node node)
    {
        if (node.Form == IlBuffer.Form.Region && (IlBuffer.Border)node.Number == IlBuffer.Border.Filter) code.Region(IlBuffer.Border.Filter);
        else WriteNode(node, falls: false);
    }

    /// <summary>Where a branch to another part goes within the current region: what it leads to leaves the region.</summary>
    private int StubFor(int label)
    {
        if (!stubs.Peek().TryGetValue(label, out int stub)) stubs.Peek()[label] = stub = code.DefineLabel();
        return stub;
    }

    /// <summary>Writes what <see cref="StubFor"/> has given away, at the end of a region.</summary>
    private void WriteStubs(bool falls)
    {
        Dictionary<int, int> written = stubs.Pop();
        if (written.Count == 0) return;
        int behind = code.DefineLabel();
        if (falls) code.Branch(OpCodes.Br, behind);
        foreach ((int label, int stub) in written)
        {
            code.Mark(stub);
            code.Branch(OpCodes.Leave, ExitFor(whole.StateOf(label)));
        }
        if (falls) code.Mark(behind);
    }
}
