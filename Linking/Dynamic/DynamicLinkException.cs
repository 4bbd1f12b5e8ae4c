namespace WasmJit.DynamicLinking;

/// <summary>A library could not be loaded, or a symbol not found. The message is what <c>dlerror</c> tells a guest.</summary>
public sealed class DynamicLinkException : WasmJitException
{
    internal DynamicLinkException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
