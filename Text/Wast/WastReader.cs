using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Parses scripts with all commands of the official suite.</summary>
internal sealed partial class WastReader : TokenCursor
{
    private WastReader(Source source)
        : base(source, 0, source.Tokens.Length - 1)
    {
    }

    internal static WastScript Read(ReadOnlySpan<byte> bytes, string path)
    {
        var reader = new WastReader(Lexer.Read(bytes));
        return new WastScript(path, reader.Run());
    }

    /// <summary>Encodes a source that is one module.</summary>
    internal static byte[] ReadModule(Source source)
    {
        var reader = new WastReader(source);
        if (!reader.IsOpen("module") && !reader.IsOpen("component")) return Module(source, 0, source.Tokens.Length - 1, null);
        WastModule module = reader.ReadModule();
        if (reader.Current.Kind != TokenKind.End) throw reader.Unexpected();
        return module.Encode();
    }

    /// <summary>Encodes a module, and notes where in the text its bytes come from.</summary>
    private static byte[] Module(Source source, int begin, int end, string? id) => Guard(source, () =>
    {
        ByteWriter module = ModuleEncoder.Encode(source, begin, end, id);
        source.Places = module.Places;
        return module.ToArray();
    });

    private static byte[] Guard(Source source, Func<byte[]> encode)
    {
        try
        {
            return encode();
        }
        catch (InsufficientExecutionStackException)
        {
            throw source.Error(0, "nesting too deep");
        }
    }

    private List<WastCommand> Run()
    {
        var commands = new List<WastCommand>();
        if (Current.Kind == TokenKind.Open && !IsCommand(Peek(1).Text))
        {
            // Fields without a module around them.
            Source source = Source;
            int end = source.Tokens.Length - 1;
            var inline = new WastModule(
                null, WastModuleKind.Text, () => Module(source, 0, end, null));
            return [new ModuleCommand(1, inline, false)];
        }
        while (Current.Kind != TokenKind.End) commands.Add(Command());
        return commands;
    }

    private static bool IsCommand(string keyword) =>
        keyword is "module" or "component" or "register" or "invoke" or "get" or "thread" or "wait"
        || keyword.StartsWith("assert_", StringComparison.Ordinal);

    private string Text() => Encoding.UTF8.GetString(String());

    private WastCommand Command()
    {
        int line = Source.Line(Current.Position);
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        string keyword = Peek(1).Text;
        switch (keyword)
        {
            case "module" or "component":
                if (Peek(2).Text == "instance" && Peek(2).Kind == TokenKind.Atom)
                {
                    Position += 3;
                    string? name = TakeId(), definition = TakeId();
                    Close();
                    return new InstanceCommand(line, name, definition, keyword == "component");
                }
                bool isDefinition = Peek(2).Text == "definition" && Peek(2).Kind == TokenKind.Atom;
                return new ModuleCommand(line, ReadModule(), isDefinition);
            case "invoke" or "get": return new ActionCommand(line, Action());
        }
        Position += 2;
        WastCommand command;
        switch (keyword)
        {
            case "register": command = new RegisterCommand(line, Text(), TakeId()); break;
            case "assert_return":
                {
                    WastAction action = Action();
                    var results = new List<WastValue>();
                    while (Current.Kind == TokenKind.Open) results.Add(Value());
                    command = new AssertReturn(line, action, results);
                    break;
                }
            case "assert_trap" or "assert_exhaustion" or "assert_exception" or "assert_malformed" or "assert_invalid" or "assert_unlinkable"
                or "assert_malformed_custom" or "assert_invalid_custom":
                {
                    WastAction? action = null;
                    WastModule? module = null;
                    if (IsOpen("module") || IsOpen("component")) module = ReadModule();
                    else action = Action();
                    string message = Current.Kind == TokenKind.String ? Text() : "";
                    command = new AssertFailure(line, keyword, action, module, message);
                    break;
                }
            case "thread":
                {
                    string name = TakeId() ?? throw Unexpected();
                    string? shared = null;
                    if (TakeOpen("shared"))
                    {
                        Open("module");
                        shared = TakeId();
                        Close();
                        Close();
                    }
                    var commands = new List<WastCommand>();
                    while (Current.Kind == TokenKind.Open) commands.Add(Command());
                    command = new ThreadCommand(line, name, shared, commands);
                    break;
                }
            case "wait": command = new WaitCommand(line, TakeId() ?? throw Unexpected()); break;
            default: Position--; throw Unexpected();
        }
        Close();
        return command;
    }

    private WastModule ReadModule()
    {
        bool isComponent = TakeOpen("component");
        if (!isComponent) Open("module");
        TakeAtom("definition");
        string? name = TakeId();
        Source source = Source;
        if (TakeAtom("binary"))
        {
            byte[] bytes = Strings();
            return new WastModule(name, WastModuleKind.Binary, () => bytes, isComponent);
        }
        if (TakeAtom("quote"))
        {
            byte[] quoted = Strings();
            return new WastModule(name, WastModuleKind.Quote, () => isComponent ? Component(Lexer.Read(quoted)) : Wat.ToBinary(quoted), isComponent);
        }
        int begin = Position;
        while (Current.Kind != TokenKind.Close) Skip();
        int end = Position++;
        return new WastModule(
            name, WastModuleKind.Text,
            () => isComponent ? Guard(source, () => ComponentReader.Encode(source, begin, end, name)) : Module(source, begin, end, name), isComponent);
    }

    /// <summary>The definitions of a component without the parentheses around them.</summary>
    private static byte[] Component(Source source) => Guard(source, () => ComponentReader.Encode(source, 0, source.Tokens.Length - 1, null));

    private byte[] Strings()
    {
        var bytes = new List<byte>();
        while (Current.Kind == TokenKind.String) bytes.AddRange(String());
        Close();
        return [.. bytes];
    }

    private WastAction Action()
    {
        if (!IsOpen("invoke") && !IsOpen("get")) throw Unexpected();
        Position++;
        WastActionKind kind = Atom() == "invoke" ? WastActionKind.Invoke : WastActionKind.Get;
        string? module = TakeId();
        string export = Text();
        var args = new List<WastValue>();
        while (Current.Kind == TokenKind.Open) args.Add(Value());
        Close();
        return new WastAction(kind, module, export, args);
    }

    private WastValue Value()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        WastValue value = BareValue();
        Close();
        return value;
    }

    /// <summary>A value without the parentheses around it.</summary>
    private WastValue BareValue()
    {
        string keyword = Atom();
        WastValue value;
        switch (keyword)
        {
            case "i32.const": value = Number(ValKind.I32, 32); break;
            case "i64.const": value = Number(ValKind.I64, 64); break;
            case "f32.const": value = Number(ValKind.F32, 32); break;
            case "f64.const": value = Number(ValKind.F64, 64); break;
            case "v128.const":
                {
                    string shape = Atom();
                    (ValKind kind, int bits, int lanes) = shape switch
                    {
                        "i8x16" => (ValKind.I32, 8, 16),
                        "i16x8" => (ValKind.I32, 16, 8),
                        "i32x4" => (ValKind.I32, 32, 4),
                        "i64x2" => (ValKind.I64, 64, 2),
                        "f32x4" => (ValKind.F32, 32, 4),
                        "f64x2" => (ValKind.F64, 64, 2),
                        _ => throw Unexpected(),
                    };
                    var items = new WastNumber[lanes];
                    for (int i = 0; i < lanes; i++) items[i] = Number(kind, bits);
                    value = new WastVector(kind, bits, items);
                    break;
                }
            case "either":
                {
                    var choices = new List<WastValue>();
                    while (Current.Kind == TokenKind.Open) choices.Add(Value());
                    value = new WastEither(choices);
                    break;
                }
            default:
                if (ComponentValue(keyword) is { } component)
                {
                    value = component;
                    break;
                }
                if (!keyword.StartsWith("ref.", StringComparison.Ordinal))
                {
                    Position--;
                    throw Unexpected();
                }
                int? number = null;
                if (keyword == "ref.null")
                {
                    if (Current.Kind != TokenKind.Close) Position++;
                }
                else if (Current.Kind == TokenKind.Atom)
                {
                    number = (int)Unsigned(32);
                }
                value = new WastReference(keyword[4..], number);
                break;
        }
        return value;
    }

    private WastNumber Number(ValKind kind, int bits)
    {
        string text = Atom();
        if (text == "nan:canonical") return new WastNumber(kind, 0, NanKind.Canonical);
        if (text == "nan:arithmetic") return new WastNumber(kind, 0, NanKind.Arithmetic);
        ulong value;
        Numbers.Outcome outcome = kind is ValKind.F32 or ValKind.F64
            ? Numbers.Float(text, kind == ValKind.F64, out value)
            : Numbers.Integer(text, bits, out value);
        if (outcome != Numbers.Outcome.Ok)
        {
            Position--;
            throw Unexpected();
        }
        return new WastNumber(kind, value);
    }
}
