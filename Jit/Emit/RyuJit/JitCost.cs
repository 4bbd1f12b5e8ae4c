using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// An estimate of the time that RyuJIT's optimiser takes for a method. Mostly it is little more than a microsecond for each instruction. But there
/// are shapes that take it thousands of times as long, and it cannot be stopped. Code of such a shape is compiled without optimisation, which
/// takes a microsecond or two for each instruction whatever the shape.
/// </summary>
/// <remarks>Figures of .NET 10.0.12 on AMD Zen 3. Measured times lie at or below them (RATIONALE.md).</remarks>
internal static class JitCost
{
    /// <summary>Seconds that every function may take, and additional seconds for each byte of WebAssembly.</summary>
    private const double BudgetBase = 0.05, BudgetPerByte = 10e-6;

    /// <summary>How many parts of a function may each take what any function may.</summary>
    private const double BaseParts = 10;

    private const double PerInstruction = 1.7e-6;

    /// <summary>For each block and each meeting of values; see <see cref="ControlFlow.Meetings"/>.</summary>
    private const double PerMeeting = 6e-9;

    /// <summary>For each local, block, and loop around the block.</summary>
    private const double PerNesting = 45e-9;

    /// <summary>For each local, block, and the square of the number of protected regions around the block.</summary>
    private const double PerRegions = 30e-9;

    /// <summary>More than these are never optimised as one method.</summary>
    private const int MostBlocks = 5_000;

    /// <summary>Whether optimising a method would take longer than its share of WebAssembly may.</summary>
    /// <param name="il">The method.</param>
    /// <param name="bytes">How much WebAssembly it stands for.</param>
    /// <param name="parts">Of a part: how many parts the function has, which share what any function may take.</param>
    internal static bool IsTooDear(IlBuffer il, int bytes, int parts = 1)
    {
        double budget = (BudgetBase * Math.Min(1, BaseParts / parts)) + (bytes * BudgetPerByte);
        double cost = il.Instructions * PerInstruction;
        if (cost > budget) return true;
        Count(il, out int blocks, out long nesting, out long regions);
        cost += il.Locals.Count * ((nesting * PerNesting) + (regions * PerRegions));
        if (cost > budget) return true;
        long most = (long)((budget - cost) / (PerMeeting * blocks));
        return (long)blocks * il.Locals.Count * 2 > most && blocks <= MostBlocks && ControlFlow.Meetings(il, most) > most;
    }

    /// <summary>Writes a method so that RyuJIT does not optimise it. The code does not fall through its end.</summary>
    internal static void WriteUnoptimised(IlBuffer il, ILGenerator generator)
    {
        il.WriteTo(generator);
        PreventOptimising(generator);
    }

    /// <summary>Writes what makes RyuJIT compile a method without optimisation, behind its end.</summary>
    internal static void PreventOptimising(ILGenerator generator)
    {
        for (int padding = 0; padding < JitLimits.BytesThatPreventOptimising; padding += 10)
        {
            generator.Emit(OpCodes.Ldc_I8, 0L);
            generator.Emit(OpCodes.Pop);
        }
        generator.Emit(OpCodes.Ldnull);
        generator.Emit(OpCodes.Throw);
    }

    /// <summary>Counts blocks, and for all of them together the loops around them and the squares of the regions around them.</summary>
    private static void Count(IlBuffer il, out int blocks, out long nesting, out long regions)
    {
        // A loop reaches from its label to the last branch back to it; all in blocks.
        var starts = new int[il.LabelCount];
        Array.Fill(starts, -1);
        var ends = new int[il.LabelCount];
        blocks = 1;
        regions = 0;
        long depth = 0;
        foreach (IlBuffer.Node node in il.InOrder())
        {
            switch (node.Form)
            {
                case IlBuffer.Form.Mark: starts[node.Number] = blocks; break;
                case IlBuffer.Form.Label: Branch((int)node.Number, blocks); break;
                case IlBuffer.Form.Switch:
                    foreach (int label in (int[])node.Object!) Branch(label, blocks);
                    break;
                case IlBuffer.Form.Region:
                    if ((IlBuffer.Border)node.Number == IlBuffer.Border.Try) depth++;
                    else if ((IlBuffer.Border)node.Number == IlBuffer.Border.End) depth--;
                    break;
                default: continue;
            }
            blocks++;
            regions += depth * depth;
        }
        nesting = 0;
        for (int label = 0; label < starts.Length; label++)
            if (ends[label] > 0) nesting += ends[label] - starts[label];

        void Branch(int label, int from)
        {
            if (starts[label] >= 0) ends[label] = from;
        }
    }
}
