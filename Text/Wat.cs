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

    /// <summary>Prints a module in the text format. Reading the text again gives the same module.</summary>
    /// <exception cref="MalformedModuleException">The bytes are not in the binary format.</exception>
    /// <exception cref="InvalidModuleException">A type or index that decoding itself finds out to be invalid.</exception>
    public static string FromBinary(ReadOnlySpan<byte> bytes) => WatPrinter.Print(Jit.ModuleDecoder.Decode(bytes.ToArray()));

    private static byte[] Read(Source source) => WastReader.ReadModule(source);

    /// <summary>Compiles a module in the text format.</summary>
    /// <exception cref="WatException">The text is not in the format.</exception>
    /// <exception cref="ModuleException">The module is invalid.</exception>
    public static Module CompileText(this Engine engine, string text) => engine.Compile(ToBinary(text));
}
