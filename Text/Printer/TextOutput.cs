using System.Text;

namespace WasmJit.Text;

/// <summary>Where the text goes. It is not bounded by the size of the module: a declaration of 50,000 locals is a few bytes.</summary>
/// <param name="writer">Takes the text piece by piece; null to keep it in <see cref="Text"/>.</param>
/// <param name="most">How many characters it may have.</param>
internal sealed class TextOutput(TextWriter? writer, long most)
{
    private const int Piece = 1 << 20;
    private long written;

    internal StringBuilder Text { get; } = new();

    /// <summary>What a printer prints.</summary>
    /// <exception cref="UnsupportedModuleException">The text is too long.</exception>
    internal static string Of(long most, Action<TextOutput> print)
    {
        var output = new TextOutput(null, most);
        print(output);
        return output.Text.ToString();
    }

    /// <summary>Writes what a printer prints, piece by piece.</summary>
    /// <exception cref="UnsupportedModuleException">The text is too long.</exception>
    internal static void Write(TextWriter writer, long most, Action<TextOutput> print)
    {
        var output = new TextOutput(writer, most);
        print(output);
        output.Flush(0);
    }

    /// <exception cref="UnsupportedModuleException">The text is too long.</exception>
    /// <param name="more">How many characters are about to come.</param>
    internal void Check(long more = 0)
    {
        if (written + Text.Length + more > most) throw new UnsupportedModuleException($"the module's text has more than {most:N0} characters");
    }

    /// <summary>Writes the complete lines to the writer, if they have enough characters.</summary>
    internal void Flush(int piece = Piece)
    {
        Check();
        if (writer is null || Text.Length < piece) return;
        foreach (ReadOnlyMemory<char> chunk in Text.GetChunks()) writer.Write(chunk.Span);
        written += Text.Length;
        Text.Clear();
    }
}
