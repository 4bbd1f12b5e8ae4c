using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Jit.Saved;

/// <summary>The stubs of a saved assembly. Their pages are freed with it: all code that can reach a stub keeps the assembly.</summary>
/// <remarks>Unsafe: writes machine code into memory of its own, before it can be executed, and cells of the assembly's.</remarks>
internal sealed unsafe class SavedStubs
{
    private readonly Func<int, nint> code;
    private readonly Lock gate = new();
    private readonly Dictionary<Signature, LazyStubs?> known = [];
    private readonly Dictionary<string, int> indices;
    private readonly List<int>[] funcs;

    /// <summary>The stubs of some signatures.</summary>
    /// <param name="signatures">Their keys.</param>
    /// <param name="code">The shared method of a signature, by its index.</param>
    internal SavedStubs(string[] signatures, Func<int, nint> code)
    {
        this.code = code;
        funcs = new List<int>[signatures.Length];
        indices = new Dictionary<string, int>(signatures.Length);
        for (int i = 0; i < signatures.Length; i++) indices[signatures[i]] = i;
    }

    /// <summary>The stub of a function, 0 if its signature has none.</summary>
    internal nint Of(Signature signature, int func)
    {
        lock (gate)
        {
            if (!known.TryGetValue(signature, out LazyStubs? stubs))
            {
                if (indices.TryGetValue(signature.Key, out int index)) stubs = new LazyStubs(StubShape.Saved(signature), index, code(index));
                if (stubs is { IsNumbered: false }) stubs = null;
                if (stubs is not null) funcs[index] = [];
                known[signature] = stubs;
            }
            if (stubs is null) return 0;
            // The instance that the stub is called with says which of the assembly's modules is meant.
            List<int> list = funcs[stubs.Id];
            list.Add(func);
            return stubs.Numbered(list.Count - 1);
        }
    }

    /// <summary>
    /// Makes the stubs of all functions of a module at once, for an assembly that is never unloaded, and puts them into the cells: there are thousands. Those without a
    /// number are left out. A stub's number is its function's index with all bits inverted, so that it is none of those that <see cref="Of"/> gives.
    /// </summary>
    /// <param name="module">The module.</param>
    /// <param name="cells">The cells of its own functions.</param>
    /// <returns>Whether there was room for them.</returns>
    internal bool MakeAll(ModuleInfo module, nint* cells)
    {
        int first = module.ImportedFuncs, count = module.Funcs.Count - first;
        if (count == 0) return true;
        if (!Mappings.TryTakeNow(1)) return false;
        // Before the stubs are the addresses where those of each signature go on.
        int stubsAt = (indices.Count * sizeof(nint)) + (indices.Count % 2 * sizeof(nint));
        ulong size = (ulong)stubsAt + ((ulong)count * StubCode.StubSize);
        byte* block = Pages.BeginCode(size);
        var targets = (nint*)block;
        var shapes = new Dictionary<DefType, (int Index, int Register, bool IsFloat)>(ReferenceEqualityComparer.Instance);
        for (int own = 0; own < count; own++)
        {
            DefType type = module.Funcs[first + own].Type;
            if (!shapes.TryGetValue(type, out (int Index, int Register, bool IsFloat) shape))
            {
                // By its key alone: the signature itself would be made for this.
                string key = Signature.KeyOf((FuncType)type.Composite);
                bool isNumbered = StubShape.CanBeNumbered(key, out bool isFloat, out int register);
                shape = (isNumbered && indices.TryGetValue(key, out int index) ? index : -1, register, isFloat);
                shapes[type] = shape;
                if (shape.Index >= 0) targets[shape.Index] = code(shape.Index);
            }
            if (shape.Index < 0) continue;
            byte* stub = block + stubsAt + (own * (long)StubCode.StubSize);
            int distance = checked((int)((byte*)(targets + shape.Index) - stub));
            StubCode.WriteX64(new Span<byte>(stub, StubCode.StubSize), shape.Register, shape.IsFloat, ~(first + own), distance);
            cells[own] = (nint)stub;
        }
        Pages.EndCode(block, size);
        return true;
    }

    internal int FuncOf(int signature, int number)
    {
        if (number < 0) return ~number;
        lock (gate) return funcs[signature][number];
    }
}
