using WasmJit.Builtins;

namespace WasmJit.Linking;

/// <summary>Ends a function of <c>wasm:linking</c> with an error. It never leaves the library.</summary>
internal sealed class LinkingFailure(LinkingError error, string message) : Exception(message)
{
    internal LinkingError Error { get; } = error;

    /// <summary>The error and its message for an exception; null for an exception that is not the guest's mistake and ends its call.</summary>
    internal static (LinkingError Error, string Message)? Of(Exception exception) => exception switch
    {
        LinkingFailure failure => (failure.Error, failure.Message),
        QuotaExceededException e => (LinkingError.QuotaExceeded, e.Message),
        MalformedModuleException e => (LinkingError.Malformed, $"malformed module: {e.Message}"),
        ModuleException e => (LinkingError.Invalid, $"invalid module: {e.Message}"),
        LinkException { Limit: not null } e => (LinkingError.QuotaExceeded, e.Message),
        LinkException e => (LinkingError.Unlinkable, $"unlinkable module: {e.Message}"),
        OutOfMemoryException => (LinkingError.QuotaExceeded, "out of memory"),
        FileNotFoundException or DirectoryNotFoundException => (LinkingError.NotFound, exception.Message),
        CompilationNotAllowedException e => (LinkingError.NotAllowed, e.Message),
        UnauthorizedAccessException e => (LinkingError.NotAllowed, e.Message),
        IOException e => (LinkingError.Io, e.Message),
        _ => null,
    };
}
