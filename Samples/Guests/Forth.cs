using System.Text;

namespace WasmJit.Guests;

/// <summary>
/// WAForth (Remko Tronçon): a Forth written in WebAssembly text, whose compiler makes a module of each word and asks its host to load it. Here the
/// host has nothing to load: <see cref="Source"/> replaces the host's function by the instructions <c>compile</c> and <c>instantiate</c>.
/// </summary>
public sealed class Forth
{
    /// <summary>Words that there can be. Each module wants the table as large as it is then, and a static type needs one number.</summary>
    private const int MostWords = 200_000;

    private const string Loader = """(import "shell" "load" (func $shell_load (param i32 i32)))""";

    private const string Table = """(table (export "table") 0xc4 funcref)""";

    /// <summary>A word that counts primes: <c>100 sieve</c> prints how many there are below 100.</summary>
    public const string Sieve = """
        : crossed? HERE + C@ ;
        : cross! HERE + 1 SWAP C! ;
        : sieve
          HERE OVER ERASE
          2 BEGIN 2DUP DUP * > WHILE
            DUP crossed? 0= IF 2DUP DUP * DO I cross! DUP +LOOP THEN
            1+
          REPEAT DROP
          0 SWAP 2 DO I crossed? 0= IF 1+ THEN LOOP . ;
        """;

    private readonly StringBuilder output = new();
    private readonly Instance instance;
    private readonly Action<int> run;
    private readonly Func<int> error;
    private byte[] input = [];

    /// <summary>Starts it.</summary>
    /// <param name="source">WAForth's text.</param>
    /// <param name="usesCompile">Whether it loads words itself; otherwise the host does.</param>
    /// <param name="options">The engine's options.</param>
    public Forth(string source, bool usesCompile = true, EngineOptions? options = null)
    {
        var engine = new Engine(options);
        Module module = engine.CompileText(usesCompile ? Source(source) : source);
        instance = module.Instantiate(new Imports
        {
            { "shell", "emit", (Action<int>)(c => output.Append((char)c)) },
            { "shell", "read", (Caller caller, int address, int room) => Read(caller.Memory, address, room) },
            { "shell", "key", () => 0 },
            { "shell", "random", () => 4 },
            { "shell", "load", (Caller caller, int address, int length) => Load(engine, caller.Instance, address, length) },
            { "shell", "call", (Action)(() => throw new NotSupportedException("SCALL")) },
        });
        run = instance.GetExport<Action<int>>("run");
        error = instance.GetExport<Func<int>>("error");
    }

    /// <summary>How many modules the host has loaded.</summary>
    public int Loaded { get; private set; }

    /// <summary>WAForth's text with instructions in place of the import that loads words.</summary>
    public static string Source(string text)
    {
        if (!text.Contains(Loader, StringComparison.Ordinal) || !text.Contains(Table, StringComparison.Ordinal))
            throw new ArgumentException("This is not the WAForth that is expected.", nameof(text));
        int end = text.LastIndexOf(')');
        return text[..end]
            .Replace(Loader, "", StringComparison.Ordinal)
            .Replace(Table, $"(table $words (export \"table\") {MostWords} funcref)", StringComparison.Ordinal) + $"""

              (type $CompiledWord (module
                (import "env" "table" (table {MostWords} funcref))
                (import "env" "memory" (memory 1))))
              (func $shell_load (param $address i32) (param $length i32)
                (drop (instantiate $CompiledWord (ref.table $words) (ref.memory 0)
                  (compile $CompiledWord (local.get $address) (local.get $length))))))
            """;
    }

    /// <summary>Interprets lines.</summary>
    /// <returns>What they print.</returns>
    /// <exception cref="InvalidOperationException">Forth has stopped with an error.</exception>
    public string Run(string text)
    {
        output.Clear();
        input = Encoding.UTF8.GetBytes(text + "\n");
        const int failed = 1, aborted = 3;
        try
        {
            run(1);
        }
        catch (TrapException) when (error() != failed)
        {
            // QUIT, BYE and ABORT end with unreachable.
        }
        return error() == aborted ? throw new InvalidOperationException(output.ToString()) : output.ToString();
    }

    private int Read(Memory memory, int address, int room)
    {
        int line = Array.IndexOf(input, (byte)'\n') + 1, length = Math.Min(room, line > 0 ? line : input.Length);
        memory.WriteBytes((uint)address, input.AsSpan(0, length));
        input = input[length..];
        return length;
    }

    /// <summary>What WAForth's own host does: a module of the bytes, and an instance of that.</summary>
    private void Load(Engine engine, Instance caller, int address, int length)
    {
        engine.Compile(caller.GetExport<Memory>("memory").ReadBytes((uint)address, length)).Instantiate(new Imports
        {
            { "env", "table", caller.GetExport<Table>("table") },
            { "env", "memory", caller.GetExport<Memory>("memory") },
        });
        Loaded++;
    }
}
