namespace WasmJit.Cli;

/// <summary>The instances that a run has made, for its core dump: the first ones, if there are very many.</summary>
internal sealed class InstanceList
{
    private const int Most = 1000;

    private readonly List<Instance> instances = [];

    internal void Add(Instance instance)
    {
        lock (instances)
        {
            if (instances.Count < Most) instances.Add(instance);
        }
    }

    /// <summary>Writes a core dump of what an exception has stopped, and says so.</summary>
    internal void Dump(string path, Exception exception, Terminal terminal)
    {
        Instance[] made;
        lock (instances) made = [.. instances];
        terminal.WriteFile(path, stream => CoreDump.Write(stream, exception, made));
        terminal.Note($"core dump: {path}");
    }
}
