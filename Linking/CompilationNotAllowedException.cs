namespace WasmJit;

/// <summary>
/// An engine that makes no code (<see cref="Compilation.Never"/>) was asked to compile. If a guest asked, it gets the trap <see
/// cref="TrapKind.RuntimeCompileNotAllowed"/>, or <see cref="Builtins.LinkingError.NotAllowed"/>.
/// </summary>
public sealed class CompilationNotAllowedException : InvalidOperationException
{
    internal CompilationNotAllowedException()
        : base("runtime compile not allowed: the engine's options say Compilation.Never, and it takes saved modules alone (Engine.LoadSaved)")
    {
    }
}
