using WasmJit.Components;
using WasmJit.Jit.Binary;

namespace WasmJit.Text;

/// <summary>The components of scripts on an engine.</summary>
internal sealed class ScriptComponents(Engine engine) : IScriptComponents
{
    public object Compile(byte[] bytes)
    {
        ComponentDefinition component = ComponentDecoder.Decode(bytes, new DecodeSettings { Features = engine.Options.Features });
        ComponentValidator.Validate(component);
        return component;
    }

    public object Instantiate(object component) => throw new UnsupportedModuleException("instances of components");

    public WastValue? Invoke(object instance, string export, IReadOnlyList<WastValue> arguments) =>
        throw new UnsupportedModuleException("instances of components");
}
