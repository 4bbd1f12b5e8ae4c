using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Code that is made at run time, and what is said where none can be made.</summary>
internal static class RuntimeCode
{
    /// <summary>Makes an empty method that sees everything.</summary>
    /// <param name="name">Its name in stack traces.</param>
    /// <param name="result">Its result; void for none.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="owner">The module whose members it sees.</param>
    /// <exception cref="PlatformNotSupportedException">This process can make no code.</exception>
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "It is asked first.")]
    internal static DynamicMethod Method(string name, Type? result, Type[] parameters, Module owner)
    {
        Require();
        return new DynamicMethod(name, result, parameters, owner, skipVisibility: true);
    }

    /// <summary>Checks that this process can make code.</summary>
    /// <exception cref="PlatformNotSupportedException">It cannot.</exception>
    internal static void Require()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported) throw Missing();
    }

    private static PlatformNotSupportedException Missing() => new(
        "WasmJit needs code that is made at run time, and this process can make none: it was published with PublishAot, the switch "
        + "System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported is off, or the platform forbids it. Publish without PublishAot "
        + "(trimmed, single-file and ReadyToRun programs can make code), or save the module where code can be made (Module.Save or "
        + "\"wasmjit compile\") and load it with Engine.LoadSaved.");
}
