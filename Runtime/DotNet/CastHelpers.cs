using System.Reflection;

namespace WasmJit.Runtime;

/// <summary>The methods of .NET that RyuJIT calls for <c>isinst</c> and <c>castclass</c> of a class. They take a method table and an object.</summary>
internal static class CastHelpers
{
    internal static readonly MethodInfo IsInstanceOfClass = Find("IsInstanceOfClass");
    internal static readonly MethodInfo CastClass = Find("ChkCastClass");

    private static MethodInfo Find(string name) =>
        typeof(object).Assembly.GetType("System.Runtime.CompilerServices.CastHelpers")?.GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
        ?? throw new PlatformNotSupportedException($"This version of .NET has no CastHelpers.{name}.");
}
