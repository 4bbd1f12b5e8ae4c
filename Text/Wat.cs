using WasmJit.Components;
using WasmJit.Jit.Binary;
using WasmJit.Text;

namespace WasmJit;

/// <summary>The text format.</summary>
public static class Wat
{
    /// <summary>Encodes a module or component in the text format. It is not validated.</summary>
    /// <param name="text">One <c>(module ...)</c> or <c>(component ...)</c>, or a module's fields alone.</param>
    /// <exception cref="WatException">The text is not in the format.</exception>
    public static byte[] ToBinary(string text) => Read(Lexer.Read(text));

    /// <summary>The same from UTF-8.</summary>
    /// <exception cref="WatException">The text is not in the format.</exception>
    public static byte[] ToBinary(ReadOnlySpan<byte> utf8) => Read(Lexer.Read(utf8));

    /// <summary>The same; the source tells where in the text an error of the module is.</summary>
    internal static byte[] ToBinary(ReadOnlySpan<byte> utf8, out Source source) => Read(source = Lexer.Read(utf8));

    /// <summary>How many characters <see cref="FromBinary(ReadOnlySpan{byte}, int)"/> writes at most if it is told nothing else.</summary>
    public const int DefaultMaximumLength = 200_000_000;

    /// <summary>Prints a module or component in the text format. Reading the text again gives the same one.</summary>
    /// <param name="bytes">The module or component in the binary format.</param>
    /// <param name="maximumLength">
    /// How many characters the text may have. It is not in proportion to the bytes: a few of them can declare 50,000 locals.
    /// </param>
    /// <exception cref="MalformedModuleException">The bytes are not in the binary format.</exception>
    /// <exception cref="InvalidModuleException">A type or index that decoding itself finds out to be invalid.</exception>
    /// <exception cref="UnsupportedModuleException">The text is longer than that, or the module exceeds a limit.</exception>
    public static string FromBinary(ReadOnlySpan<byte> bytes, int maximumLength = DefaultMaximumLength) => ComponentHeader.IsComponent(bytes)
        ? ComponentPrinter.Print(ComponentDecoder.Decode(bytes.ToArray()), maximumLength)
        : WatPrinter.Print(ModuleDecoder.Decode(bytes.ToArray()), maximumLength);

    /// <summary>The same, piece by piece; what an exception leaves behind is the beginning of the text.</summary>
    /// <param name="bytes">The module or component in the binary format.</param>
    /// <param name="writer">Where the text goes.</param>
    /// <param name="maximumLength">How many characters it may have.</param>
    /// <exception cref="MalformedModuleException">The bytes are not in the binary format.</exception>
    /// <exception cref="InvalidModuleException">A type or index that decoding itself finds out to be invalid.</exception>
    /// <exception cref="UnsupportedModuleException">The text is longer than that, or the module exceeds a limit.</exception>
    public static void FromBinary(ReadOnlySpan<byte> bytes, TextWriter writer, long maximumLength = DefaultMaximumLength)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (ComponentHeader.IsComponent(bytes)) ComponentPrinter.Print(ComponentDecoder.Decode(bytes.ToArray()), writer, maximumLength);
        else WatPrinter.Print(ModuleDecoder.Decode(bytes.ToArray()), writer, maximumLength);
    }

    private static byte[] Read(Source source) => WastReader.ReadModule(source);

    /// <summary>Compiles a module in the text format.</summary>
    /// <exception cref="WatException">The text is not in the format.</exception>
    /// <exception cref="ModuleException">The module is invalid.</exception>
    public static Module CompileText(this Engine engine, string text) => engine.Compile(ToBinary(text));
}
