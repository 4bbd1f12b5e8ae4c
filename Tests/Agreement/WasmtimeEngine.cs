using System.Reflection;
using System.Runtime.InteropServices;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>Makes Wasmtime engines that have what a directory of the suite was written for.</summary>
internal static partial class WasmtimeEngine
{
    private static readonly Dictionary<Features, W.Engine> Made = [];

    /// <summary>The engine with these features; the optimiser is off, for what is compared are results.</summary>
    internal static W.Engine With(Features features)
    {
        if (Made.TryGetValue(features, out W.Engine? engine)) return engine;
        bool Has(Features feature) => (features & feature) != 0;
        // What is built upon reference types goes with them.
        bool hasReferences = Has(Features.ReferenceTypes);
        W.Config config = new W.Config()
            .WithCompilerStrategy(W.CompilerStrategy.Cranelift)
            .WithOptimizationLevel(W.OptimizationLevel.Speed)
            .WithReferenceTypes(hasReferences)
            .WithSIMD(true)
            .WithRelaxedSIMD(true, false)
            .WithTailCalls(true)
            .WithFunctionReferences(hasReferences)
            .WithGc(hasReferences)
            .WithExceptions(hasReferences)
            .WithMultiMemory(Has(Features.MultiMemory))
            .WithMemory64(true)
            .WithWasmThreads(true)
            .WithWideArithmetic(true)
            .WithBranchHinting(true);
        // Two switches of the native library that the package's Config has no method for.
        SetCustomPageSizes(Handle(config), true);
        SetSharedMemory(Handle(config), true);
        return Made[features] = new W.Engine(config);
    }

    /// <summary>The native object behind one of the package's.</summary>
    internal static nint Handle(object managed)
    {
        PropertyInfo property = managed.GetType().GetProperty("NativeHandle", BindingFlags.Instance | BindingFlags.NonPublic)!;
        return ((SafeHandle)property.GetValue(managed)!).DangerousGetHandle();
    }

    [LibraryImport("wasmtime", EntryPoint = "wasmtime_config_wasm_custom_page_sizes_set")]
    private static partial void SetCustomPageSizes(nint config, [MarshalAs(UnmanagedType.U1)] bool value);

    [LibraryImport("wasmtime", EntryPoint = "wasmtime_config_shared_memory_set")]
    private static partial void SetSharedMemory(nint config, [MarshalAs(UnmanagedType.U1)] bool value);
}
