namespace WasmJit;

/// <summary>A module could not be linked: an import is missing, or what stands for it has another type.</summary>
public sealed class LinkException : Exception
{
    internal LinkException(string message)
        : base(message)
    {
    }
}
