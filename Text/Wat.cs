using WasmJit.Text;

namespace WasmJit;

/// <summary>The text format.</summary>
public static class Wat
{
    /// <summary>Encodes a module in the text format. It is not validated.</summary>
    /// <param name="text">One <c>(module ...)</c>, or its fields alone.</param>
    /// <exception cref="WatException">The text is not in the format.</exception>
    public static byte[] ToBinary(string text) => Read(Lexer.Read(text));

    /// <summary>The same from UTF-8.</summary>
    /// <exception cref="WatException">The text is not in the format.</exception>
    public static byte[] ToBinary(ReadOnlySpan<byte> utf8) => Read(Lexer.Read(utf8));

    private static byte[] Read(Source annotated)
    {
        Source source = TokenCursor.WithoutAnnotations(annotated);
        return WastReader.ReadModule(source);
    }

    /// <summary>Compiles a module in the text format.</summary>
    /// <exception cref="WatException">The text is not in the format.</exception>
    /// <exception cref="ModuleException">The module is invalid.</exception>
    public static Module CompileText(this Engine engine, string text) => engine.Compile(ToBinary(text));
}
