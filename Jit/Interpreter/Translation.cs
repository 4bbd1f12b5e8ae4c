using WasmJit.Jit.Binary;

namespace WasmJit.Jit.Interpreter;

/// <summary>Register code of functions, or why they have none.</summary>
internal static class Translation
{
    /// <summary>The register code of a function; null if it has something that only machine code does.</summary>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static RegisterCode? TryTranslate(ModuleInfo module, int index, IRegisterTarget target) => TryTranslate(module, index, target, null);

    /// <summary>The offsets in the module's bytes of the operators that the instructions were made of; null if the function has no register code.</summary>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static int[]? SourcesOf(ModuleInfo module, int index, IRegisterTarget target)
    {
        var sources = new List<int>();
        if (TryTranslate(module, index, target, sources) is not { } code) return null;
        code.Room.GiveBack();
        return [.. sources];
    }

    /// <summary>What a function has that has no register code.</summary>
    internal static string Uncovered(ModuleInfo module, int index, IRegisterTarget target)
    {
        try
        {
            new RegisterTranslator(module, index, target, TranslationRoom.Take(), RegisterStack.UsualSlots).Run()?.Room.GiveBack();
            return "too many operands";
        }
        catch (UncoveredException e)
        {
            return e.Message;
        }
    }

    private static RegisterCode? TryTranslate(ModuleInfo module, int index, IRegisterTarget target, List<int>? sources)
    {
        try
        {
            return Translate(target.SlotsOfSpilling) ?? Translate(RegisterStack.UsualSlots);
        }
        catch (UncoveredException)
        {
            return null;
        }

        RegisterCode? Translate(int? spillsBeyond)
        {
            sources?.Clear();
            var translator = new RegisterTranslator(module, index, target, TranslationRoom.Take(), spillsBeyond, sources);
            return translator.Run();
        }
    }
}
