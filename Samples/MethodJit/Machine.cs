using System.Runtime.InteropServices;
using System.Text;
using WasmJit;

namespace Sprig;

/// <summary>A machine with a program: the guest of machine.wat, whose memory gets the bytecode.</summary>
public sealed class Machine
{
    private const int FunctionSize = 32, CodeEnd = 131072, FramesAt = 196608, MostFunctions = 511;

    private readonly Memory memory;
    private readonly Func<int, int, long> enter;
    private readonly Dictionary<string, int> numbers = [];

    /// <summary>Compiles a program and loads it.</summary>
    /// <param name="program">Its text.</param>
    /// <param name="output">Where <c>print</c> writes.</param>
    /// <param name="compiles">Whether hot functions and loops are compiled; otherwise all is interpreted.</param>
    /// <param name="options">The engine's options.</param>
    /// <exception cref="SprigException">The text is not a program.</exception>
    public Machine(string program, TextWriter? output = null, bool compiles = true, EngineOptions? options = null)
    {
        Instance = new Engine(options).CompileText(Resource("machine.wat")).Instantiate(new Imports
        {
            { "sprig", "print", (Action<long>)(value => output?.WriteLine(value)) },
        });
        memory = Instance.GetExport<Memory>("machine");
        enter = Instance.GetExport<Func<int, int, long>>("enter");
        Instance.GetExport<Global>("jit").Value = compiles ? 1 : 0;
        Load(SprigCompiler.Compile(program));
    }

    /// <summary>The guest.</summary>
    public Instance Instance { get; }

    /// <summary>How many functions and loops it has compiled.</summary>
    public int Compiled => (int)Instance.GetExport<Global>("made").Value!;

    /// <summary>A program that comes with the sample, or another of its files.</summary>
    /// <param name="name">The name of the file.</param>
    public static string Resource(string name)
    {
        using Stream stream = typeof(Machine).Assembly.GetManifestResourceStream(name) ?? throw new ArgumentException($"There is no '{name}'.", nameof(name));
        return new StreamReader(stream).ReadToEnd();
    }

    private void Load(SprigProgram program)
    {
        int names = SprigProgram.AddressOf(program.Words.Count);
        if (program.Functions.Count > MostFunctions) throw new SprigException($"there are more than {MostFunctions} functions");
        byte[] text = [.. program.Functions.SelectMany(f => Encoding.UTF8.GetBytes(f.Name))];
        if (names + text.Length > CodeEnd) throw new SprigException("the program is too large");
        memory.WriteBytes(SprigProgram.CodeAt, MemoryMarshal.AsBytes<int>([.. program.Words]));
        memory.WriteBytes((ulong)names, text);
        for (int i = 0; i < program.Functions.Count; i++)
        {
            SprigFunction function = program.Functions[i];
            numbers[function.Name] = i;
            int length = Encoding.UTF8.GetByteCount(function.Name);
            int[] record =
            [
                SprigProgram.AddressOf(function.Begin), SprigProgram.AddressOf(function.End), function.Parameters, function.Locals, 0, 0, names, length,
            ];
            memory.WriteBytes((ulong)(i * FunctionSize), MemoryMarshal.AsBytes<int>(record));
            names += length;
        }
    }

    /// <summary>Calls a function.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="arguments">As many as it has parameters.</param>
    /// <exception cref="TrapException">The program divides by zero, leaves its memory or goes too deep.</exception>
    public long Run(string function, params long[] arguments)
    {
        memory.WriteBytes(FramesAt, MemoryMarshal.AsBytes<long>(arguments));
        return enter(numbers[function] * FunctionSize, FramesAt);
    }
}
