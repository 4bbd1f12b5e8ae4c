namespace WasmJit.Agreement;

internal enum Level : byte { Low, Middle, High }

internal readonly record struct Point(int X, int Y);

/// <summary>A plug-in with twenty exports, texts and callbacks, as a host wants to see it. Through this library the interface is all that the host writes.</summary>
internal interface IPlugin
{
    event Action<string>? Log;
    event Func<int, bool>? Progress;
    int Add(int a, int b);
    long AddLong(long a, long b);
    double Scale(double value, float by);
    bool IsOdd(uint number);
    uint Half(uint number);
    Level NextLevel(Level level);
    (int Quotient, int Remainder) DivMod(int a, int b);
    void Reset();
    string Name();
    int Length(string text);
    [return: WasmOwned]
    string Repeat(string text);
    int Sum(ReadOnlySpan<int> items);
    void Zero(Span<byte> bytes);
    Point Mirror(Point point);
    int Run(int steps);
    int Used { get; set; }
    long Version { get; }
    int Malloc(int size);
    void Free(int address);
}
