using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Files and streams, and what of a module is read only when it is asked for.</summary>
public class StartupTests
{
    private const string Named = """
        (module $app
          (func $outer (export "outer") (result i32) call $inner)
          (func $inner (result i32) unreachable)
          (func (export "plain") (result i32) call $inner))
        """;

    [Fact]
    public void CompilesFiles()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, Wat.ToBinary(Named));
            Module module = new Engine(new EngineOptions { Inlining = false }).CompileFile(file);
            File.WriteAllText(file, "changed");
            TrapException trap = Assert.Throws<TrapException>(() => module.Instantiate().GetExport<Func<int>>("plain")());
            Assert.Equal(["app!inner", "app!plain"], trap.WasmStack.Select(f => f.ToString()));
            Assert.Throws<MalformedModuleException>(() => new Engine().CompileFile(file));
        }
        finally
        {
            File.Delete(file);
        }
        Assert.Throws<FileNotFoundException>(() => new Engine().CompileFile(file));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CompilesStreams(bool canSeek)
    {
        byte[] bytes = Wat.ToBinary(Named);
        using Stream stream = canSeek ? new MemoryStream([1, 2, 3, .. bytes]) { Position = 3 } : new Pipe(bytes);
        Module module = await new Engine().CompileAsync(stream);
        Assert.Equal("app", module.Name);
        Assert.Equal(2, module.Exports.Count);
    }

    /// <summary>A stream without a length that gives little at a time.</summary>
    private sealed class Pipe(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(7, buffer.Length)], cancellationToken);
    }
}
