namespace WasmJit.Fuzz;

/// <summary>Makes a module from a number. The same number gives the same module.</summary>
internal abstract class ModuleGenerator
{
    /// <summary>The name for <c>wasmjit fuzz --generators</c>.</summary>
    internal abstract string Name { get; }

    /// <summary>
    /// Whether the modules are valid, and end by themselves when global "g0", their own fuel, is set. Their results can be
    /// compared then.
    /// </summary>
    internal virtual bool MakesPrograms => true;

    /// <summary>Whether the modules behave the same on other engines.</summary>
    internal virtual bool IsStandard => false;

    /// <summary>The module of a number.</summary>
    internal abstract byte[] Make(int seed);

    /// <summary>All generators.</summary>
    /// <param name="corpus">The modules to break. If it is empty, modules of the other generators are broken.</param>
    internal static IReadOnlyList<ModuleGenerator> All(IReadOnlyList<byte[]> corpus)
    {
        ModuleGenerator[] programs = [new NumberGenerator(), new ReferenceGenerator(links: false), new ReferenceGenerator(links: true)];
        return [.. programs, new MutantGenerator(programs, corpus)];
    }
}

/// <summary>Operators on numbers.</summary>
internal sealed class NumberGenerator : ModuleGenerator
{
    internal override string Name => "numbers";

    internal override bool IsStandard => true;

    internal override byte[] Make(int seed) => new NumberModule(seed).Bytes;
}

/// <summary>Operators on references, with or without those of the runtime-linking extension.</summary>
internal sealed class ReferenceGenerator(bool links) : ModuleGenerator
{
    /// <summary>How many modules share a frame.</summary>
    private const int PerFrame = 50;

    private (int Number, Frame Frame)? last;

    internal override string Name => links ? "linking" : "references";

    internal override bool IsStandard => !links;

    internal override byte[] Make(int seed)
    {
        int number = seed / PerFrame;
        if (last?.Number != number) last = (number, FrameOf(number));
        Frame frame = last.Value.Frame;
        var random = new Random(seed);
        return frame.With([.. Enumerable.Range(0, frame.Info.Funcs.Count).Where(i => !frame.Info.Funcs[i].IsImported)
            .Select(i => new ReferenceBody(frame, i, random).Write())]);
    }

    private Frame FrameOf(int number) => new(Wat.ToBinary(FrameText.Make(new Random(~number), links)));
}
