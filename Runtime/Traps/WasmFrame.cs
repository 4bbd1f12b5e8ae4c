using WasmJit.Runtime;

namespace WasmJit;

/// <summary>A frame of the wasm stack.</summary>
/// <param name="Module">The module's name, null if it has none.</param>
/// <param name="Function">The function's name; without one that under which it is exported; otherwise its index as <c>func[7]</c>.</param>
public sealed record WasmFrame(string? Module, string Function)
{
    /// <summary>What the frame's place is found out from, when it is read.</summary>
    private FrameOrigin? origin;

    /// <summary>
    /// 0 for a function. A deep stack has only its first and last frames, and between them one frame that stands for so many.
    /// </summary>
    public int Omitted { get; internal init; }

    /// <summary>The function's index in its module; null if it is not known.</summary>
    public int? FunctionIndex => Place.Function;

    /// <summary>
    /// Where the instruction is in the module's bytes: the one that trapped, or the call that the function has made. Null if it is not known. Of compiled
    /// functions it is found out at the first question, which takes about as long as compiling the function.
    /// </summary>
    public int? Offset => Place.Offset;

    /// <summary>The same, from the beginning of the function's body on, as stack traces show it: <c>+0x1f</c>.</summary>
    public int? FunctionOffset => Place.Offset - Place.Body;

    /// <summary>
    /// The functions that the engine has compiled into this one and that were running there, innermost first. They have no frames of their own
    /// (<c>EngineOptions.Inlining</c>). The frame's own place is then the call of the last of them.
    /// </summary>
    public IReadOnlyList<WasmFrame> Inlined => Place.Inlined;

    /// <summary>
    /// The place in the sources, if the module has debugging information (DWARF, versions 4 and 5, in custom sections). Functions that the guest's compiler
    /// has inlined come first; the last is the function itself. Empty if nothing is known. Whatever the sections contain, reading them takes a bounded time.
    /// </summary>
    public IReadOnlyList<SourceLocation> Source => Place.Source;

    /// <summary>The module; null if it is not known.</summary>
    internal ModuleDefinition? Definition => Place.Definition;

    private FramePlace Place => origin?.Place ?? FramePlace.Unknown;

    internal static WasmFrame Left(int count) => new(null, $"... {count} frames ...") { Omitted = count };

    /// <summary>The frame with what its place is found out from.</summary>
    internal WasmFrame With(FrameOrigin origin)
    {
        this.origin = origin;
        return this;
    }

    /// <summary>Frames are equal if they show the same names.</summary>
    /// <param name="other">Another frame.</param>
    public bool Equals(WasmFrame? other) => other is not null && Module == other.Module && Function == other.Function && Omitted == other.Omitted;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Module, Function, Omitted);

    /// <summary>The function's name as people write it: names of Rust and C++ (Itanium) that linkers see are demangled.</summary>
    public string DisplayName => Demangler.Demangle(Function);

    /// <inheritdoc/>
    public override string ToString() => Module is null ? DisplayName : $"{Module}!{DisplayName}";

    /// <summary>
    /// The frame for people: the function with its offset and its place in the sources, as far as they are known, such as
    /// <c>app!parse+0x1f app.c:12:3</c>. Functions that are inlined have lines of their own, above it.
    /// </summary>
    public string Describe() => string.Join('\n', Lines());

    /// <summary>The lines of <see cref="Describe()"/>. Names may contain anything, also the end of a line.</summary>
    internal List<string> Lines()
    {
        var lines = new List<string>();
        foreach (WasmFrame inlined in Inlined) Add(inlined, lines);
        Add(this, lines);
        return lines;
    }

    private static void Add(WasmFrame frame, List<string> lines)
    {
        for (int i = 0; i < frame.Source.Count - 1; i++)
        {
            SourceLocation inlined = frame.Source[i];
            lines.Add($"{inlined.Function ?? "?"} (inlined){(inlined.File is null ? "" : " " + inlined)}");
        }
        string offset = frame.FunctionOffset is { } at ? $"+0x{at:x}" : "";
        lines.Add($"{frame}{offset}{(frame.Source.Count > 0 && frame.Source[^1].File is not null ? " " + frame.Source[^1] : "")}");
    }
}
