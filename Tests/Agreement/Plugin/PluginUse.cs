using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>Does the same with the plug-in in each way that there is, in a process of its own, since one is another engine's.</summary>
internal static class PluginUse
{
    /// <summary>Prints a line for each way.</summary>
    internal static void Run(string file, TextWriter output)
    {
        byte[] bytes = File.ReadAllBytes(file);
        Module module = new Engine().Compile(bytes);
        output.WriteLine($"interface {Use(module.Instantiate<IPlugin>())}");
        output.WriteLine($"delegates {Use(new PluginByDelegates(module))}");
        using var engine = new W.Engine();
        using W.Module other = W.Module.FromBytes(engine, "plugin", bytes);
        using var plugin = new PluginByWasmtime(engine, other);
        output.WriteLine($"wasmtime-dotnet {Use(plugin)}");
    }

    private static string Use(IPlugin plugin)
    {
        var seen = new List<object>();
        plugin.Log += seen.Add;
        plugin.Progress += step => step < 3;
        plugin.Used = 0;
        seen.AddRange([plugin.Add(40, 2), plugin.AddLong((1L << 40) - 1, 1), plugin.Scale(2, 2.5f), plugin.IsOdd(3), plugin.Half(uint.MaxValue), plugin.NextLevel(Level.Middle)]);
        seen.AddRange([plugin.DivMod(10, 3), plugin.Name(), plugin.Length("größe"), plugin.Repeat("größe"), plugin.Sum([1, 2, 3]), plugin.Mirror(new Point(1, 2)), plugin.Run(5)]);
        byte[] bytes = [1, 2, 3];
        plugin.Zero(bytes.AsSpan(1));
        seen.AddRange([Convert.ToHexString(bytes), plugin.Used, plugin.Version]);
        plugin.Reset();
        int address = plugin.Malloc(4);
        plugin.Free(address);
        seen.Add(address);
        return string.Join(' ', seen);
    }
}
