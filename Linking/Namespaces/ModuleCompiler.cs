
namespace WasmJit;

/// <summary>
/// Compiles bytes for a <see cref="ModuleNamespace"/>, with the engine of the guest or host that loads, within its quota.
/// </summary>
public sealed class ModuleCompiler
{
    private readonly LinkingQuota? quota;
    private readonly Fuel? fuel;
    private readonly bool isForThreads;

    /// <summary>For the host.</summary>
    internal ModuleCompiler(Engine engine) => Engine = engine;

    /// <summary>For a guest, or for the host on behalf of one.</summary>
    /// <param name="guest">The guest's module.</param>
    /// <param name="quota">What counts what is compiled; null if nothing does.</param>
    /// <param name="fuel">What pays for it; null if nothing does.</param>
    internal ModuleCompiler(Module guest, LinkingQuota? quota, Fuel? fuel)
    {
        Engine = guest.Engine;
        isForThreads = guest.Info.IsForThreads;
        this.quota = quota;
        this.fuel = fuel;
    }

    /// <summary>The engine.</summary>
    public Engine Engine { get; }

    /// <summary>Compiles a module. The bytes are copied.</summary>
    /// <param name="bytes">The module in the binary format.</param>
    /// <exception cref="ModuleException">The bytes are not a valid module.</exception>
    /// <exception cref="QuotaExceededException">A guest loads the module, and its quota is used up.</exception>
    /// <exception cref="CompilationNotAllowedException">The engine makes no code (<see cref="Compilation.Never"/>).</exception>
    public Module Compile(ReadOnlySpan<byte> bytes)
    {
        quota?.CheckSize(bytes.Length);
        return CompileOwned(bytes.ToArray());
    }

    /// <summary>Reads a stream to its end and compiles the bytes. It reads no more than the quota lets compile.</summary>
    /// <param name="stream">The module in the binary format; it stays open.</param>
    /// <exception cref="ModuleException">The bytes are not a valid module.</exception>
    /// <exception cref="QuotaExceededException">A guest loads the module, and its quota is used up.</exception>
    /// <exception cref="CompilationNotAllowedException">The engine makes no code (<see cref="Compilation.Never"/>).</exception>
    /// <exception cref="IOException">The stream cannot be read, or has more than 2 GiB.</exception>
    public Module Compile(Stream stream)
    {
        if (stream.CanSeek) CheckSize(stream.Length - stream.Position);
        var bytes = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            CheckSize(bytes.Length + count);
            bytes.Write(buffer, 0, count);
        }
        return CompileOwned(bytes.ToArray());
    }

    /// <summary>Charges a guest's fuel for an instance.</summary>
    internal void Pay(ulong units) => Fuel.Pay(fuel, units);

    private void CheckSize(long size)
    {
        quota?.CheckSize(size);
        if (size > Array.MaxLength) throw new IOException("A module of more than 2 GiB cannot be loaded.");
    }

    /// <exception cref="CompilationNotAllowedException">The engine makes no code.</exception>
    private Module CompileOwned(byte[] bytes)
    {
        if (Engine.Options.Compilation == Compilation.Never)
            throw new CompilationNotAllowedException();
        Pay(Fuel.OfCode((ulong)bytes.Length));
        return Engine.CompileOwned(bytes, isForThreads, quota);
    }
}
