using WasmJit.Components;
using Xunit;

namespace WasmJit.Programs;

/// <summary>A component of JavaScript: an interpreter with a script, of 12 MB. It is not committed; <c>build-components.sh javascript</c> makes it.</summary>
public sealed class JavaScriptComponentTests
{
    [BuiltFact]
    public void JavaScriptIsCalled()
    {
        WasmComponent component = new Engine().CompileComponent(File.ReadAllBytes(ProgramCase.ComponentOf("plugin")));
        using var wasi = new WasiComponentHost(new WasiOptions { Input = Stream.Null });
        using ComponentInstance plugin = wasi.Instantiate(component);
        Assert.Equal("hello, wörld", plugin.GetFunction<Func<string, string>>("greet")("wörld"));
        Assert.Equal(42u, plugin.GetFunction<Func<uint[], uint>>("sum")([1, 2, 39]));
    }

    /// <summary>A test of what is built elsewhere.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class BuiltFactAttribute : FactAttribute
    {
        public BuiltFactAttribute()
        {
            if (!File.Exists(ProgramCase.ComponentOf("plugin"))) Skip = "not run: Components/plugin.wasm is not built";
        }
    }
}
