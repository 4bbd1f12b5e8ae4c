using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>Compiles a DynamicMethod now and tells where its machine code is.</summary>
internal static class CodeAddress
{
    /// <summary>What tests do before a method is compiled: what RyuJIT refuses is not known beforehand.</summary>
    internal static Action<DynamicMethod>? BeforeEach { get; set; }

    /// <summary>
    /// The address of the method's code. The caller keeps <paramref name="method"/> alive for as long as it uses the address. On a thread
    /// that has too little stack left for the JIT another thread compiles.
    /// </summary>
    /// <exception cref="InvalidProgramException">RyuJIT refuses it.</exception>
    internal static nint Of(DynamicMethod method)
    {
        BeforeEach?.Invoke(method);
        return JitThread.HasStack ? MethodCompiler.Compile(method) : JitThread.RunElsewhere(() => MethodCompiler.Compile(method));
    }
}
