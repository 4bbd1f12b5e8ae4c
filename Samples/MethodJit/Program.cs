using System.Diagnostics;
using System.Globalization;
using Sprig;
using WasmJit;

// Runs the function main of a program: sprig [--no-jit] FILE [NUMBER...]
bool compiles = !args.Contains("--no-jit");
string[] rest = [.. args.Where(a => a != "--no-jit")];
if (rest.Length == 0)
{
    Console.Error.WriteLine("sprig [--no-jit] FILE [NUMBER...]    runs the function main of a program");
    return 2;
}
try
{
    var machine = new Machine(File.ReadAllText(rest[0]), Console.Out, compiles);
    long start = Stopwatch.GetTimestamp();
    long result = machine.Run("main", [.. rest[1..].Select(a => long.Parse(a, CultureInfo.InvariantCulture))]);
    Console.WriteLine(result);
    Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds:f0} ms, {machine.Compiled} functions and loops compiled");
    return 0;
}
catch (SprigException e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
catch (TrapException e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    foreach (WasmFrame frame in e.WasmStack.Take(10)) Console.Error.WriteLine($"  at {frame}");
    return 1;
}
