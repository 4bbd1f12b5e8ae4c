using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;

namespace WasmJit.Text;

/// <summary>The outcomes of broken modules.</summary>
internal sealed record FuzzResult(long Tried, long Valid, IReadOnlyList<string> Escaped);

/// <summary>
/// Gives the engine truncated modules and modules with changed bytes. Each must cause a documented exception or be a valid
/// module. Valid modules are compiled, printed and read again. Any other exception is a failure.
/// </summary>
internal sealed class ModuleFuzzer(EngineOptions options)
{
    private readonly Engine engine = new(options);
    private readonly List<string> escaped = [];
    private long tried, valid;

    internal FuzzResult Result => new(Interlocked.Read(ref tried), Interlocked.Read(ref valid), [.. escaped]);

    /// <summary>The modules of a script in the binary format, without those whose text is malformed.</summary>
    internal static IEnumerable<byte[]> ModulesOf(WastScript script)
    {
        foreach (WastCommand command in script.Commands)
        {
            WastModule? module = command switch
            {
                ModuleCommand c => c.Module,
                AssertFailure f => f.Module,
                _ => null,
            };
            if (module is null) continue;
            byte[]? bytes = null;
            try
            {
                bytes = module.Encode();
            }
            catch (WatException)
            {
                // A test of malformed text.
            }
            if (bytes is not null) yield return bytes;
        }
    }

    /// <summary>Cuts a module off at every byte, or at every <paramref name="step"/>-th.</summary>
    internal void Truncate(byte[] module, int step = 1)
    {
        for (int length = 0; length < module.Length; length += step) Try(module[..length], $"truncated at {length} of {module.Length}");
    }

    /// <summary>Changes one to eight bytes at random places, <paramref name="count"/> times.</summary>
    internal void Mutate(IReadOnlyList<byte[]> modules, int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = (byte[])modules[random.Next(modules.Count)].Clone();
            if (bytes.Length == 0) continue;
            for (int n = random.Next(1, 9); n > 0; n--) bytes[random.Next(bytes.Length)] = Interesting(random);
            Try(bytes, $"mutation {i} of seed {seed}");
        }
    }

    private static byte Interesting(Random random) => random.Next(4) switch
    {
        0 => 0xff,
        1 => 0x80,
        2 => (byte)random.Next(0x40),
        _ => (byte)random.Next(256),
    };

    private void Try(byte[] bytes, string what)
    {
        Interlocked.Increment(ref tried);
        try
        {
            try
            {
                Module module = engine.Compile(bytes);
                foreach (ModuleInfo info in module.Info.WithNested())
                {
                    FunctionCode code = CompiledModule.Of(info, engine.CodeOptions);
                    for (int i = info.ImportedFuncs; i < info.Funcs.Count; i++) code.Compile(i);
                }
                Interlocked.Increment(ref valid);
                if (!Prints(module.Info)) Escape("its text is another module");
            }
            catch (InvalidModuleException)
            {
                // Every module that can be decoded can be printed.
                Wat.FromBinary(bytes);
            }
        }
        catch (ModuleException)
        {
            // A documented exception.
        }
        catch (Exception e)
        {
            Escape($"{e.GetType().Name}: {e.Message}");
        }
        void Escape(string why)
        {
            lock (escaped) escaped.Add($"{what}: {why} {Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 400)))}");
        }
    }

    /// <summary>Checks that a valid module's text is read as a valid module, and that printing and reading that again changes nothing.</summary>
    private bool Prints(ModuleInfo module)
    {
        byte[] read = Wat.ToBinary(WatPrinter.Print(module));
        return engine.Validate(read, out _) && read.AsSpan().SequenceEqual(Wat.ToBinary(Wat.FromBinary(read)));
    }
}
