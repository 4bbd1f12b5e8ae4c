namespace WasmJit.Runtime;

/// <summary>The classes of .NET whose methods RyuJIT calls in generated code, and which throw in its place.</summary>
internal static class DotNetHelpers
{
    internal static bool Has(Type? type) =>
        type?.Assembly == typeof(object).Assembly && type.Name is ("CastHelpers" or "ThrowHelpers" or "RuntimeHelpers");
}
