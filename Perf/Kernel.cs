namespace WasmJit.Perf;

/// <summary>A guest to measure: <c>run(n)</c> of Kernels/NAME.wasm, which takes some 100 ms and returns a checksum.</summary>
/// <param name="Name">Its file's name.</param>
/// <param name="N">The argument.</param>
/// <param name="Checksum">
/// The result of the same source compiled natively (<c>Kernels/build.sh check NAME N</c>); that of the others, which have no native
/// form, is what both engines compute.
/// </param>
internal sealed record Kernel(string Name, int N, ulong Checksum)
{
    /// <summary>What <c>compare</c> runs unless told.</summary>
    public static readonly IReadOnlyList<Kernel> Scalar =
    [
        new("fib", 37, 0x0000000001709e79),
        new("sieve", 6, 0x2cc42960ebfe43ce),
        new("sha256", 300, 0xdd2b6fda7778d91a),
        new("matmul", 24, 0x5cf7c88585dda2d6),
        new("nbody", 1_000_000, 0xcddbe48e495d884b),
        new("interp", 40, 0x9ccb900841b71c46),
        new("quicksort", 8, 0xdc33b63877c2344f),
        new("hashtable", 3_000_000, 0x73a86fcc81097404),
        new("indirect", 10_000, 0x881098c4d460e64f),
        new("format", 250_000, 0xf503d283d4648b67),
        new("memcopy", 400, 0x5e10f8d37d1dbce0),
        new("switch1000", 5_000_000, 0xc6ba1cff51cbd5a3),
    ];

    /// <summary>Kernels of 128-bit vectors.</summary>
    public static readonly IReadOnlyList<Kernel> Simd =
    [
        new("simd_dot", 10_000, 0x31f7bb7573986e84),
        new("simd_blur", 500, 0xe9add9efb02d831e),
        new("simd_base64", 2_000, 0x00028469b9453b06),
    ];

    /// <summary>Kernels of structs, arrays and casts.</summary>
    public static readonly IReadOnlyList<Kernel> Gc =
    [
        new("gc_trees", 14, 0x0001a7f807d2facf),
        new("gc_map", 1_000_000, 0x6575dbee93e6a232),
        new("gc_sort", 100_000, 0x982f6baeb0135494),
    ];

    /// <summary>Kernels that throw and catch, or could.</summary>
    public static readonly IReadOnlyList<Kernel> Exceptions =
    [
        new("eh_depth1", 50_000, 0x4ed880a54b8ffe58),
        new("eh_depth10", 20_000, 0xcbba5ca0c07bf0f0),
        new("eh_parser", 20, 0x42aee52475dd454c),
        new("eh_loop", 50_000_000, 0x99453d464e1d8140),
    ];

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<Kernel>> Groups =
        new Dictionary<string, IReadOnlyList<Kernel>> { ["scalar"] = Scalar, ["simd"] = Simd, ["gc"] = Gc, ["exceptions"] = Exceptions };

    /// <summary>The name of the group that it belongs to.</summary>
    public string Group => Groups.First(g => g.Value.Contains(this)).Key;

    /// <summary>The module's file.</summary>
    public string Path => System.IO.Path.Combine(AppContext.BaseDirectory, "Kernels", Name + ".wasm");

    public byte[] ReadModule() => File.ReadAllBytes(Path);

    /// <exception cref="InvalidOperationException">The engine computes something else.</exception>
    public void Check(string engine, long result)
    {
        if ((ulong)result != Checksum)
            throw new InvalidOperationException($"{Name} on {engine}: 0x{result:x16} instead of 0x{Checksum:x16}.");
    }

    /// <summary>The kernels of these names; a group's name stands for all of it, no names for the scalar ones.</summary>
    /// <exception cref="ArgumentException">There is no such kernel.</exception>
    public static IReadOnlyList<Kernel> Select(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0) return Scalar;
        var selected = new List<Kernel>();
        foreach (string name in names)
        {
            if (name == "all") selected.AddRange(Groups.Values.SelectMany(g => g));
            else if (Groups.TryGetValue(name, out IReadOnlyList<Kernel>? group)) selected.AddRange(group);
            else if (Groups.Values.SelectMany(g => g).FirstOrDefault(k => k.Name == name) is { } kernel) selected.Add(kernel);
            else throw new ArgumentException($"There is no kernel \"{name}\".");
        }
        return selected;
    }
}
