using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Code that is made at run time, and what is said where none can be made.</summary>
internal static class RuntimeCode
{
    /// <summary>
    /// The switch by which a process that makes no code behaves as a program that is compiled whole does, as <c>AppContext</c> knows it: for tests.
    /// </summary>
    private const string WholeSwitch = "WasmJit.IsCompiledWhole";

    /// <summary>Said of what a program that is published with PublishAot cannot call.</summary>
    internal const string NeedsAssemblies = "A program that was published with PublishAot neither saves modules nor loads saved ones. Compile them from their bytes; they are interpreted there.";

    internal const string NeedsCode = "It needs code that is made at run time. A program that was published with PublishAot can make none.";

    /// <summary>
    /// Whether this process can make code. Where it cannot, functions are interpreted, or loaded with their code. Mono can make methods at run time, but generated code relies on how
    /// CoreCLR's delegates are made, and Mono's are not.
    /// </summary>
    internal static bool IsAvailable => IsSupported && !(MayBeMono && !Delegates.AreKnown);

    /// <summary>Whether .NET can make code.</summary>
    /// <remarks>
    /// A trimmer puts the value of the switch in its place if a program sets it. The compiler of a program that is compiled whole takes it for false, and leaves out what is done only if it is true.
    /// </remarks>
    [FeatureSwitchDefinition("System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported")]
    private static bool IsSupported => RuntimeFeature.IsDynamicCodeSupported;

    /// <summary>Whether the platform may have Mono, as browsers and telephones do. A constant to the compiler.</summary>
    private static bool MayBeMono =>
        OperatingSystem.IsBrowser() || OperatingSystem.IsAndroid() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS() || OperatingSystem.IsMacCatalyst();

    /// <summary>A class of its own, so that reflection is asked only where the answer is needed.</summary>
    private static class Delegates
    {
        internal static readonly bool AreKnown = DelegateParts.AreKnown;
    }

    /// <summary>
    /// Whether this is a program that was compiled whole (NativeAOT). It loads no assembly, has the generic types alone that the compiler has seen, and nothing that is
    /// known of CoreCLR holds.
    /// </summary>
    internal static bool IsCompiledWhole { get; } = !IsAvailable
        && ((AppContext.TryGetSwitch(WholeSwitch, out bool isWhole) && isWhole) || !Delegates.AreKnown);

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
        if (!IsAvailable) throw Missing("WasmJit needs code that is made at run time");
    }

    /// <summary>Checks that this process can save modules and load saved ones.</summary>
    /// <exception cref="PlatformNotSupportedException">It cannot.</exception>
    internal static void RequireAssemblies()
    {
        if (IsCompiledWhole)
            throw new PlatformNotSupportedException("A program that was published with PublishAot neither saves modules nor loads saved ones: compile them from their bytes (Engine.Compile), and they are interpreted.");
    }

    /// <summary>The same for a function that has something which the interpreter has not.</summary>
    /// <param name="name">The function.</param>
    /// <param name="what">What it has.</param>
    internal static PlatformNotSupportedException Uncovered(string name, string what) =>
        new UncoveredFunctionException(what, Missing($"The function {name} has {what}, for which code is made at run time").Message);

    /// <summary>What is thrown where code is needed and none can be made.</summary>
    /// <param name="need">Who needs it, as the beginning of a sentence.</param>
    internal static PlatformNotSupportedException Missing(string need) => new(
        Situation(need) + ", or save the module where code can be made (Module.Save or "
        + "\"wasmjit compile\") and load it with Engine.LoadSaved, which PublishAot does not allow either.");

    /// <summary>What is thrown of components: saved ones need it, too, since what stands between their functions is made when they are linked.</summary>
    internal static PlatformNotSupportedException MissingForComponents() => new(Situation("Instances of components need code that is made at run time") + ".");

    private static string Situation(string need) =>
        $"{need}, and this process can make none: it was published with PublishAot, the switch "
        + "System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported is off, or the platform forbids it. Publish without PublishAot "
        + "(trimmed, single-file and ReadyToRun programs can make code)";
}

/// <summary>A function was called that the interpreter cannot run, in a process that can make no code.</summary>
/// <param name="what">What the function has that the interpreter has not.</param>
/// <param name="message">The message.</param>
internal sealed class UncoveredFunctionException(string what, string message) : PlatformNotSupportedException(message)
{
    /// <summary>What the function has.</summary>
    internal string What => what;
}
