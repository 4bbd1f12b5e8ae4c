namespace WasmJit.Perf;

/// <summary>A guest to measure: <c>run(n)</c> of Kernels/NAME.wasm, which takes some 100 ms and returns a checksum.</summary>
/// <param name="Name">Its file's name.</param>
/// <param name="N">The argument.</param>
/// <param name="Checksum">
/// The result of the same source compiled natively (<c>Kernels/build.sh check NAME N</c>); that of the SIMD kernels, which have
/// no native form, is Wasmtime's.
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

    public byte[] ReadModule() => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Kernels", Name + ".wasm"));

    /// <exception cref="InvalidOperationException">The engine computes something else.</exception>
    public void Check(string engine, long result)
    {
        if ((ulong)result != Checksum)
            throw new InvalidOperationException($"{Name} on {engine}: 0x{result:x16} instead of 0x{Checksum:x16}.");
    }

    /// <summary>The kernels of these names; <c>scalar</c> and <c>simd</c> name all of a kind, no names the scalar ones.</summary>
    /// <exception cref="ArgumentException">There is no such kernel.</exception>
    public static IReadOnlyList<Kernel> Select(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0) return Scalar;
        var selected = new List<Kernel>();
        foreach (string name in names)
        {
            IEnumerable<Kernel> found = name switch
            {
                "scalar" => Scalar,
                "simd" => Simd,
                _ => Scalar.Concat(Simd).Where(k => k.Name == name),
            };
            int before = selected.Count;
            selected.AddRange(found);
            if (selected.Count == before) throw new ArgumentException($"There is no kernel \"{name}\".");
        }
        return selected;
    }
}
