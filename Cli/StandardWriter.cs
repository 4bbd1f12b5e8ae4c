using System.Text;
using WasmJit.Wasi;

namespace WasmJit.Cli;

/// <summary>
/// A standard stream of the process that is opened when something is written to it: .NET's console looks up encodings and terminals first, and a guest that the tool runs
/// writes to the stream itself.
/// </summary>
internal sealed class StandardWriter : TextWriter
{
    private readonly int descriptor;
    private TextWriter? console;

    private StandardWriter(int descriptor) => this.descriptor = descriptor;

    /// <summary>The standard output; what is written to it is lost if the process was started without one.</summary>
    internal static TextWriter Output => Of(1);

    /// <summary>The standard error output, likewise.</summary>
    internal static TextWriter Errors => Of(2);

    /// <summary>If the process was started without a standard stream, .NET uses its descriptor number for a pipe of its own.</summary>
    private static TextWriter Of(int descriptor) => StandardStreams.IsOpen(descriptor) ? new StandardWriter(descriptor) : Null;

    /// <summary>The writer of .NET's console.</summary>
    internal TextWriter Opened => console ??= descriptor == 1 ? System.Console.Out : System.Console.Error;

    /// <summary>Whether it leads to a terminal.</summary>
    internal bool IsTerminal => descriptor == 1 ? !System.Console.IsOutputRedirected : !System.Console.IsErrorRedirected;

    public override Encoding Encoding => Opened.Encoding;

    public override void Write(char value) => Opened.Write(value);

    public override void Write(char[] buffer, int index, int count) => Opened.Write(buffer, index, count);

    public override void Write(ReadOnlySpan<char> buffer) => Opened.Write(buffer);

    public override void Write(string? value) => Opened.Write(value);

    // A line in one piece, as .NET's own writers have it: lines of several threads are not mixed.
    public override void WriteLine() => Opened.WriteLine();

    public override void WriteLine(ReadOnlySpan<char> buffer) => Opened.WriteLine(buffer);

    public override void WriteLine(string? value) => Opened.WriteLine(value);

    public override void Flush() => console?.Flush();
}
