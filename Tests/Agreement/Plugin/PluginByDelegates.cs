using System.Text;

namespace WasmJit.Agreement;

/// <summary>The same by the exports' delegates, one by one, with texts and structs by hand.</summary>
internal sealed class PluginByDelegates : IPlugin
{
    private readonly Memory memory;
    private readonly Global used, version;
    private readonly Func<int, int, int> add, length, sum;
    private readonly Func<long, long, long> addLong;
    private readonly Func<double, float, double> scale;
    private readonly Func<int, int> isOdd, half, nextLevel, malloc, run;
    private readonly Func<int, int, (int, int)> divMod, repeat;
    private readonly Func<(int, int)> name;
    private readonly Action<int, int> zero, mirror;
    private readonly Action<int> free;
    private readonly Action reset;

    internal PluginByDelegates(Module module)
    {
        Instance instance = module.Instantiate(new Imports
        {
            { "host", "log", (Caller caller, int at, int count) => Log?.Invoke(caller.Memory.ReadString((uint)at, count)) },
            { "host", "progress", (int step) => Progress?.Invoke(step) == true ? 1 : 0 },
        });
        memory = instance.GetExport<Memory>("memory");
        used = instance.GetExport<Global>("used");
        version = instance.GetExport<Global>("version");
        add = instance.GetExport<Func<int, int, int>>("add");
        addLong = instance.GetExport<Func<long, long, long>>("add-long");
        scale = instance.GetExport<Func<double, float, double>>("scale");
        isOdd = instance.GetExport<Func<int, int>>("is-odd");
        half = instance.GetExport<Func<int, int>>("half");
        nextLevel = instance.GetExport<Func<int, int>>("next-level");
        divMod = instance.GetExport<Func<int, int, (int, int)>>("div-mod");
        reset = instance.GetExport<Action>("reset");
        name = instance.GetExport<Func<(int, int)>>("name");
        length = instance.GetExport<Func<int, int, int>>("length");
        repeat = instance.GetExport<Func<int, int, (int, int)>>("repeat");
        sum = instance.GetExport<Func<int, int, int>>("sum");
        zero = instance.GetExport<Action<int, int>>("zero");
        mirror = instance.GetExport<Action<int, int>>("mirror");
        run = instance.GetExport<Func<int, int>>("run");
        malloc = instance.GetExport<Func<int, int>>("malloc");
        free = instance.GetExport<Action<int>>("free");
    }

    public event Action<string>? Log;
    public event Func<int, bool>? Progress;

    public int Used { get => (int)used.Value!; set => used.Value = value; }
    public long Version => (long)version.Value!;
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
        return memory.ReadString((uint)at, count);
    }

    public int Length(string text)
    {
        int at = malloc(Encoding.UTF8.GetByteCount(text));
        try
        {
            return length(at, memory.WriteString((uint)at, text));
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
            (int result, int count) = repeat(at, memory.WriteString((uint)at, text));
            string repeated = memory.ReadString((uint)result, count);
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
            for (int i = 0; i < items.Length; i++) memory.Write((uint)(at + (i * sizeof(int))), items[i]);
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
            memory.WriteBytes((uint)at, bytes);
            zero(at, bytes.Length);
            memory.Slice((uint)at, bytes.Length).CopyTo(bytes);
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
            memory.Write((uint)from, point);
            mirror(to, from);
            return memory.Read<Point>((uint)to);
        }
        finally
        {
            free(from);
            free(to);
        }
    }
}
