using System.Runtime.InteropServices;

namespace WasmJit.Agreement;

/// <summary>Wasmtime's decoder and validator of components. The package has them in its library, but not in its classes.</summary>
internal static class WasmtimeComponents
{
    private static readonly nint Engine = MakeEngine();

    private static nint MakeEngine()
    {
        nint config = wasm_config_new();
        wasmtime_config_wasm_component_model_set(config, 1);
        wasmtime_config_wasm_component_model_async_set(config, 1);
        wasmtime_config_wasm_component_model_async_stackful_set(config, 1);
        wasmtime_config_wasm_component_model_more_async_builtins_set(config, 1);
        wasmtime_config_wasm_component_model_implements_set(config, 1);
        wasmtime_config_wasm_component_model_map_set(config, 1);
        wasmtime_config_wasm_function_references_set(config, 1);
        wasmtime_config_wasm_gc_set(config, 1);
        wasmtime_config_wasm_exceptions_set(config, 1);
        wasmtime_config_wasm_memory64_set(config, 1);
        return wasm_engine_new_with_config(config);
    }

    /// <summary>What Wasmtime finds wrong with a component, null if nothing.</summary>
    internal static string? Problem(byte[] bytes)
    {
        nint error = wasmtime_component_new(Engine, bytes, (nuint)bytes.Length, out nint component);
        if (error == 0)
        {
            wasmtime_component_delete(component);
            return null;
        }
        wasmtime_error_message(error, out ByteVector message);
        string text = Marshal.PtrToStringUTF8(message.Data, (int)message.Size);
        wasm_byte_vec_delete(ref message);
        wasmtime_error_delete(error);
        return string.Join(' ', text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ByteVector
    {
        internal nuint Size;
        internal nint Data;
    }

    private const string Library = "wasmtime";

    [DllImport(Library)]
    private static extern nint wasm_config_new();

    [DllImport(Library)]
    private static extern nint wasm_engine_new_with_config(nint config);

    [DllImport(Library)]
    private static extern nint wasmtime_component_new(nint engine, byte[] bytes, nuint length, out nint component);

    [DllImport(Library)]
    private static extern void wasmtime_component_delete(nint component);

    [DllImport(Library)]
    private static extern void wasmtime_error_message(nint error, out ByteVector message);

    [DllImport(Library)]
    private static extern void wasmtime_error_delete(nint error);

    [DllImport(Library)]
    private static extern void wasm_byte_vec_delete(ref ByteVector vector);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_component_model_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_component_model_async_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_component_model_async_stackful_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_component_model_more_async_builtins_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_component_model_implements_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_component_model_map_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_function_references_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_gc_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_exceptions_set(nint config, byte value);

    [DllImport(Library)]
    private static extern void wasmtime_config_wasm_memory64_set(nint config, byte value);
}
