using System.Text;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>The same through wasmtime-dotnet.</summary>
internal sealed class PluginByWasmtime : IPlugin, IDisposable
{
    private readonly W.Store store;
    private readonly W.Linker linker;
    private readonly W.Memory memory;
    private readonly W.Global.Accessor<int> used;
    private readonly W.Global.Accessor<long> version;
    private readonly Func<int, int, int> add, length, sum;
    private readonly Func<long, long, long> addLong;
    private readonly Func<double, float, double> scale;
    private readonly Func<int, int> isOdd, half, nextLevel, malloc, run;
    private readonly Func<int, int, (int, int)> divMod, repeat;
    private readonly Func<(int, int)> name;
    private readonly Action<int, int> zero, mirror;
    private readonly Action<int> free;
    private readonly Action reset;

    internal PluginByWasmtime(W.Engine engine, W.Module module)
    {
        store = new W.Store(engine);
        linker = new W.Linker(engine);
        linker.DefineFunction("host", "log", (W.Caller caller, int at, int count) => Log?.Invoke(caller.GetMemory("memory")!.ReadString(at, count)));
        linker.DefineFunction("host", "progress", (int step) => Progress?.Invoke(step) == true ? 1 : 0);
        W.Instance instance = linker.Instantiate(store, module);
        memory = instance.GetMemory("memory")!;
        used = instance.GetGlobal("used")!.Wrap<int>()!;
        version = instance.GetGlobal("version")!.Wrap<long>()!;
        add = instance.GetFunction<int, int, int>("add")!;
        addLong = instance.GetFunction<long, long, long>("add-long")!;
        scale = instance.GetFunction<double, float, double>("scale")!;
        isOdd = instance.GetFunction<int, int>("is-odd")!;
        half = instance.GetFunction<int, int>("half")!;
        nextLevel = instance.GetFunction<int, int>("next-level")!;
        divMod = instance.GetFunction<int, int, (int, int)>("div-mod")!;
        reset = instance.GetAction("reset")!;
        name = instance.GetFunction<(int, int)>("name")!;
        length = instance.GetFunction<int, int, int>("length")!;
        repeat = instance.GetFunction<int, int, (int, int)>("repeat")!;
        sum = instance.GetFunction<int, int, int>("sum")!;
        zero = instance.GetAction<int, int>("zero")!;
        mirror = instance.GetAction<int, int>("mirror")!;
        run = instance.GetFunction<int, int>("run")!;
        malloc = instance.GetFunction<int, int>("malloc")!;
        free = instance.GetAction<int>("free")!;
    }

    public event Action<string>? Log;
    public event Func<int, bool>? Progress;

    public int Used { get => used.GetValue(); set => used.SetValue(value); }
    public long Version => version.GetValue();
    public int Add(int a, int b) => add(a, b);
    public long AddLong(long a, long b) => addLong(a, b);
    public double Scale(double value, float by) => scale(value, by);
    public bool IsOdd(uint number) => isOdd((int)number) != 0;
    public uint Half(uint number) => (uint)half((int)number);
    public Level NextLevel(Level level) => (Level)nextLevel((int)level);
    public (int Quotient, int Remainder) DivMod(int a, int b) => divMod(a, b);
    public void Reset() => reset();
    public int Run(int steps) => run(steps);
    public int Malloc(int size) => malloc(size);
    public void Free(int address) => free(address);

    public string Name()
    {
        (int at, int count) = name();
        return memory.ReadString(at, count);
    }

    public int Length(string text)
    {
        int at = malloc(Encoding.UTF8.GetByteCount(text));
        try
        {
            return length(at, memory.WriteString(at, text));
        }
        finally
        {
            free(at);
        }
    }

    public string Repeat(string text)
    {
        int at = malloc(Encoding.UTF8.GetByteCount(text));
        try
        {
            (int result, int count) = repeat(at, memory.WriteString(at, text));
            string repeated = memory.ReadString(result, count);
            free(result);
            return repeated;
        }
        finally
        {
            free(at);
        }
    }

    public int Sum(ReadOnlySpan<int> items)
    {
        int at = malloc(items.Length * sizeof(int));
        try
        {
            items.CopyTo(memory.GetSpan<int>(at, items.Length));
            return sum(at, items.Length);
        }
        finally
        {
            free(at);
        }
    }

    public void Zero(Span<byte> bytes)
    {
        int at = malloc(bytes.Length);
        try
        {
            bytes.CopyTo(memory.GetSpan<byte>(at, bytes.Length));
            zero(at, bytes.Length);
            memory.GetSpan<byte>(at, bytes.Length).CopyTo(bytes);
        }
        finally
        {
            free(at);
        }
    }

    public Point Mirror(Point point)
    {
        int from = malloc(8), to = malloc(8);
        try
        {
            memory.Write(from, point);
            mirror(to, from);
            return memory.Read<Point>(to);
        }
        finally
        {
            free(from);
            free(to);
        }
    }

    public void Dispose()
    {
        linker.Dispose();
        store.Dispose();
    }
}
