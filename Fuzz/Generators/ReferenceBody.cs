using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>
/// A function made of random numbers, over typed references: operands of lower types on one side of a select, writes of wider locals
/// that are read back, merges, dead code, nulls, casts down of what was just widened. It knows types, so that what it writes is
/// valid; and its loops and calls take from the module's own fuel, so that it ends.
/// </summary>
internal sealed class ReferenceBody
{
    internal ReferenceBody(Frame frame, int index, Random random)
    {
        Frame = frame;
        Choose = new TypeChoice(frame, random, isPlain: random.Next(3) == 0);
        Signature = frame.Info.Funcs[index].Func;
        // Functions without loops and calls need no fuel, and are small enough to be compiled into their callers.
        Body = new BodyWriter(frame, Signature.Params, isLeaf: random.Next(3) == 0);
        Values = new ValueWriter(this);
        Casts = new CastWriter(this);
        Numbers = new NumberWriter(this);
        Control = new ControlWriter(this);
        Statements = new StatementWriter(this);
        Links = new LinkingWriter(this);
    }

    internal Frame Frame { get; }

    internal TypeChoice Choose { get; }

    internal FuncType Signature { get; }

    internal BodyWriter Body { get; }

    internal ValueWriter Values { get; }

    internal CastWriter Casts { get; }

    internal NumberWriter Numbers { get; }

    internal ControlWriter Control { get; }

    internal StatementWriter Statements { get; }

    internal LinkingWriter Links { get; }

    /// <summary>The locals and the code.</summary>
    internal ByteWriter Write()
    {
        Random random = Choose.Random;
        ValType[] own = [.. Enumerable.Range(0, random.Next(3, 9)).Select(_ => Choose.SomeType())];
        foreach (ValType type in own) Body.AddLocal(type);
        // Accesses go on through references that locals have, of which a random type is one too seldom.
        if (Frame.IsLinked)
            for (int i = random.Next(4); i > 0; i--) Body.AddLocal(ValType.Ref(random.Next(3) == 0 ? HeapType.Slice : Choose.Pick([.. Frame.Entities(ExternKind.Memory)]), true));
        Body.Left = Body.IsLeaf ? random.Next(3, 15) : random.Next(12) == 0 ? 160 : random.Next(10, 60);
        ValType[] results = [.. Signature.Results];
        Body.Labels.Add(new BodyLabel(results, 0));
        if (!Body.IsLeaf) Body.Burn();
        while (Body.Left > 0)
        {
            Body.Left--;
            Statements.Step();
        }
        Values.Finish(results);
        Body.Emit(OpId.End);
        return Body.Whole(Signature.Params.Length);
    }
}
