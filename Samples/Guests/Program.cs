using System.Globalization;
using WasmJit;
using WasmJit.Guests;

// Runs guests that people have, which make code or load libraries, and shows what they print and how long it takes; beside V8 where node is there.
var guests = new (string Name, string File, Action Run)[]
{
    ("forth", Packages.Forth, RunForth),
    ("processor", Packages.Processor, RunProcessor),
    ("javascript", Packages.JavaScript, RunJavaScript),
    ("python", Packages.MicroPython, RunPython),
    ("syntax", Packages.CGrammar, RunSyntax),
    ("toolchain", Packages.Llvm, RunToolchain),
};
if (args.Contains(Clock.Option))
{
    Clock.IsProcessors = true;
    args = [.. args.Where(a => a != Clock.Option)];
}
if (args.Any(a => guests.All(g => g.Name != a)))
{
    Console.Error.WriteLine($"guests [{Clock.Option}] [{string.Join('|', guests.Select(g => g.Name))}]...    runs guests that Samples/Guests/install has installed");
    return 2;
}
foreach ((string name, string file, Action run) in guests)
{
    if (args.Length > 0 && !args.Contains(name)) continue;
    Console.WriteLine($"--- {name}");
    if (File.Exists(file)) run();
    else Console.WriteLine($"not installed: {file}");
}
return 0;

static string Since(TimeSpan start) => $"{(Clock.Now - start).TotalMilliseconds:f0} ms";

static void RunForth()
{
    const int words = 5000, limit = 20_000_000;
    string source = File.ReadAllText(Packages.Forth);
    string definitions = string.Join('\n', Enumerable.Range(0, words).Select(i => $": w{i} {i} + ;"));
    var forth = new Forth(source);
    TimeSpan start = Clock.Now;
    forth.Run(definitions);
    string made = Since(start);
    forth.Run(Forth.Sieve);
    start = Clock.Now;
    string primes = forth.Run($"{limit} sieve").Trim();
    string sieved = Since(start);
    string module = Path.Combine(Path.GetTempPath(), $"wasmjit-forth-{Environment.ProcessId}.wasm");
    File.WriteAllBytes(module, Wat.ToBinary(source));
    try
    {
        string[]? v8 = Node.Run("forth.mjs", module, $"{words}", $"{limit}", Forth.Sieve);
        Console.WriteLine($"1 w10 w{words - 1} is {forth.Run($"1 w10 w{words - 1} .").Trim()}");
        Console.WriteLine($"{words} words, each a module that the guest compiles: {made}; {Node.Milliseconds(v8, 0)}");
        Console.WriteLine($"{primes} primes below {limit}: {sieved}; {Node.Milliseconds(v8, 1)}");
    }
    finally
    {
        File.Delete(module);
    }
}

static void RunProcessor()
{
    const int rounds = 300;
    byte[] sector = BootSector.Make(rounds);
    TimeSpan start = Clock.Now;
    var processor = new Processor(File.ReadAllBytes(Packages.Processor));
    string loaded = Since(start);
    start = Clock.Now;
    string printed = processor.Boot(sector);
    string ran = Since(start);
    string[]? v8 = Node.Run("processor.mjs", Packages.Processor, Convert.ToHexString(sector));
    Console.WriteLine($"the boot sector prints {printed}, which is {(printed == BootSector.Expected(rounds) ? "right" : "wrong")}");
    Console.WriteLine($"loaded in {loaded}; {processor.Modules} modules, {processor.Executed:n0} instructions: {ran}; {Node.Milliseconds(v8, 0)}");
}

static void RunJavaScript()
{
    const string script = """
        function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
        const url = new URL('https://user@example.org:81/a/../b?x=1#y');
        const bytes = new TextEncoder().encode('h\u00e4'), headers = [...new Headers({ b: '2', A: '1' })];
        const copy = structuredClone({ a: [1, new Map([[1, 2]])] });
        [url.href, bytes.length, headers.join(';'), copy.a[1].get(1), crypto.randomUUID().length, fib(25)].join(' ')
        """;
    MemoryNamespace libraries = JavaScript.Libraries(Packages.JavaScriptExtensions);
    TimeSpan start = Clock.Now;
    using var javaScript = new JavaScript(File.ReadAllBytes(Packages.JavaScript), libraries);
    string loaded = Since(start);
    start = Clock.Now;
    string result = javaScript.Evaluate(script);
    string ran = Since(start);
    string[]? v8 = Node.Run("javascript.mjs", Packages.Package("quickjs-wasi"), script);
    Console.WriteLine(result);
    Console.WriteLine($"program and five libraries loaded: {loaded}; {Node.Milliseconds(v8, 0)}. The script: {ran}; {Node.Milliseconds(v8, 1)}");
}

static void RunPython()
{
    const string script = """
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        def part(n):
            try:
                return 100 // n
            except ZeroDivisionError:
                return -1
        print(fib(22), sum(part(i % 3) for i in range(100000)), sorted({'b': 1, 'a': 2}))
        """;
    TimeSpan start = Clock.Now;
    using var python = new MicroPython(File.ReadAllBytes(Packages.MicroPython));
    string loaded = Since(start);
    start = Clock.Now;
    string printed = python.Run(script);
    string ran = Since(start);
    string[]? v8 = Node.Run("micropython.mjs", Path.GetDirectoryName(Packages.MicroPython)!, script);
    Console.Write(printed);
    Console.WriteLine($"MicroPython loaded in {loaded}; {Node.Milliseconds(v8, 0)}. The script: {ran}; {Node.Milliseconds(v8, 1)}");
}

static void RunSyntax()
{
    MemoryNamespace grammars = SyntaxParser.Grammars(Packages.Grammars, out string[] names);
    TimeSpan start = Clock.Now;
    using var parser = new SyntaxParser(File.ReadAllBytes(Packages.TreeSitter), grammars);
    string loaded = Since(start);
    Console.WriteLine(parser.Parse("tree-sitter-c", "int main(void) { return 1 + 2; }"));
    var refused = new List<string>();
    start = Clock.Now;
    foreach (string name in names)
        if (parser.Parse(name, "x") is null) refused.Add(name);
    Console.WriteLine($"tree-sitter loaded in {loaded}; {names.Length - refused.Count} of {names.Length} grammars in {Since(start)}; of other versions: {string.Join(' ', refused)}");
    // A grammar of today's tools, which the package's own host reads, too.
    start = Clock.Now;
    using var today = new SyntaxParser(File.ReadAllBytes(Packages.TreeSitter), new MemoryNamespace { { "tree-sitter-c.wasm", File.ReadAllBytes(Packages.CGrammar) } });
    today.Parse("tree-sitter-c", "");
    loaded = Since(start);
    string text = string.Concat(Enumerable.Range(0, 2000).Select(i => string.Create(CultureInfo.InvariantCulture, $"static int f{i}(int a, int b) {{ return a * {i} + b; }}\n")));
    string file = Path.Combine(Path.GetTempPath(), $"wasmjit-syntax-{Environment.ProcessId}.c");
    File.WriteAllText(file, text);
    try
    {
        start = Clock.Now;
        string tree = today.Parse("tree-sitter-c", text)!;
        string parsed = Since(start);
        string[]? v8 = Node.Run("syntax.mjs", Packages.Package(), Packages.CGrammar, file);
        Console.WriteLine($"with the grammar of C loaded in {loaded}; {Node.Milliseconds(v8, 0)}. 2,000 functions, a tree of {tree.Length} characters: {parsed}; "
            + $"{(v8?[2] == $"{tree.Length}" ? "the same, " : "")}{Node.Milliseconds(v8, 1)}");
    }
    finally
    {
        File.Delete(file);
    }
}

static void RunToolchain()
{
    TimeSpan start = Clock.Now;
    var toolchain = new Toolchain(Packages.Llvm, Packages.LlvmResources);
    string loaded = Since(start);
    foreach (string name in new[] { "program.c", "plugin.c" }) toolchain.AddSample(name);
    start = Clock.Now;
    string[] objects = [toolchain.Compile("program.c"), toolchain.Compile("plugin.c")];
    string compiled = Since(start);
    start = Clock.Now;
    toolchain.LinkLibrary("plugin.so", objects[1]);
    toolchain.LinkProgram("program.wasm", objects[0]);
    string linked = Since(start);
    start = Clock.Now;
    Console.Write(toolchain.RunProgram("program.wasm", "plugin.so", "0", "1", "2.5"));
    string ran = Since(start);
    DirectoryInfo sources = Directory.CreateTempSubdirectory("wasmjit-toolchain");
    try
    {
        foreach (string name in new[] { "program.c", "plugin.c" }) File.WriteAllBytes(Path.Combine(sources.FullName, name), toolchain.Files.ReadFile(name));
        string[]? v8 = Node.Run("toolchain.mjs", Packages.Package("@yowasp", "clang"), sources.FullName);
        Console.WriteLine($"clang loaded in {loaded}; {Node.Milliseconds(v8, 0)}. Two files compiled in {compiled}; {Node.Milliseconds(v8, 1)}. Library and program linked in {linked}; "
            + $"{Node.Milliseconds(v8, 2)}{(v8?[3] == $"{toolchain.Files.ReadFile("program.wasm").Length}" ? ", as many bytes" : "")}. Run in {ran}");
    }
    finally
    {
        sources.Delete(recursive: true);
    }
}
