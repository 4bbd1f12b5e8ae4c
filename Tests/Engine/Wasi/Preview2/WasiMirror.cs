using System.Text;
using WasmJit.Components;

namespace WasmJit.Tests;

/// <summary>
/// A guest that imports all of WASI 0.2, and exports a function for each that it imports, which calls it: so tests call the functions of the host through the canonical
/// ABI, as guests do. Arguments that are borrowed are dropped when the function has returned; what it gives goes to the test.
/// </summary>
internal sealed class WasiMirror : IDisposable
{
    private static readonly Lazy<MirrorSource> Second = new(() => new MirrorSource("Preview2")), Third = new(() => new MirrorSource("Preview3"));

    private readonly ComponentInstance instance;

    private readonly MirrorSource source;

    internal WasiMirror(WasiOptions options, bool portable = false, bool isLater = false)
    {
        source = isLater ? Later : Second.Value;
        Host = new WasiComponentHost(options, portable);
        instance = Host.Instantiate(source.Component.Value);
    }

    /// <summary>The guest of WASI 0.3.</summary>
    internal static MirrorSource Later => Third.Value;

    internal WasiComponentHost Host { get; }

    internal ComponentInstance Instance => instance;

    /// <summary>All functions, by the name of the interface without its version, a hash, and their own.</summary>
    internal static IEnumerable<string> Functions => Second.Value.Names.Keys;

    /// <summary>Its text.</summary>
    internal static string Text => Second.Value.Text;

    /// <summary>A guest of its own: a core module that imports some functions, under names for the text, and the memory <c>libc.mem</c>; "drop" before a resource is what drops it.</summary>
    internal static string Guest(string code, string lifts, params (string Id, string Function)[] functions) => new Writer("Preview2").WriteGuest(code, lifts, "", functions);

    /// <summary>The same of WASI 0.3, with definitions of its own, whose core functions are "own" and their type.</summary>
    internal static string LaterGuest(string code, string lifts, string definitions, params (string Id, string Function)[] functions) =>
        new Writer("Preview3").WriteGuest(code, lifts, definitions, functions);

    /// <summary>
    /// A guest of WASI 0.3 that answers requests: its core function <c>handle</c> gets the request. <c>$return</c> gives the response, <c>$new</c> and <c>$write</c> are of the
    /// future of trailers, <c>$drop-sent</c> is of the one that says how sending ended.
    /// </summary>
    internal static string Server(string code, params (string Id, string Function)[] functions) => new Writer("Preview3").WriteServer(code, functions);

    internal ComponentValue Call(string function, params ComponentValue[] arguments) => instance.GetFunction(source.Names[function]).Call(arguments);

    /// <summary>A function as a delegate.</summary>
    internal T Function<T>(string function)
        where T : Delegate => instance.GetFunction<T>(source.Names[function]);

    public void Dispose()
    {
        instance.Dispose();
        Host.Dispose();
    }

    /// <summary>Writes the component from the lists of interfaces.</summary>
    internal sealed class Writer(string version)
    {
        private const string Options = "(memory (core memory $libc \"mem\")) (realloc (core func $libc \"realloc\"))";

        private readonly List<WitInterface> all = WitFile.ReadAll(version);
        private readonly StringBuilder types = new(), lowers = new(), core = new(), exports = new(), lifts = new();
        private readonly Dictionary<string, string> names = [];

        internal (string, Dictionary<string, string>) Write()
        {
            var drops = new StringBuilder();
            foreach (WitInterface each in all)
            {
                Import(each);
                foreach (string resource in each.Resources)
                {
                    drops.AppendLine($"(core func $drop_{Id(each, resource)} (canon resource.drop ${Id(each, resource)}))");
                    core.AppendLine($"(import \"drop\" \"{Id(each, resource)}\" (func $drop_{Id(each, resource)} (param i32)))");
                }
            }
            var bodies = new StringBuilder();
            foreach (WitInterface each in all)
                foreach (WitFunction function in each.Functions) Mirror(each, function, bodies);
            string given = string.Concat(all.SelectMany(i => i.Resources.Select(r => $"(export \"{Id(i, r)}\" (func $drop_{Id(i, r)}))")));
            string text = $"""
                (component $C
                  {types}
                  (core module $Libc {Allocator})
                  (core instance $libc (instantiate $Libc))
                  {drops}
                  {lowers}
                  (core module $Main
                    (import "libc" "mem" (memory 1))
                    {core}
                    {bodies})
                  (core instance $main (instantiate $Main
                    (with "libc" (instance $libc)) (with "drop" (instance {given})) (with "f" (instance {exports}))))
                  {lifts})
                """;
            return (text, names);
        }

        /// <summary>What a call has taken is free again when its result has been read.</summary>
        private const string Allocator = """
            (memory (export "mem") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param $old i32) (param $osize i32) (param $align i32) (param $nsize i32) (result i32)
              (local $r i32)
              (local.set $r (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
              (global.set $next (i32.add (local.get $r) (local.get $nsize)))
              (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                (then (drop (memory.grow (i32.add (i32.shr_u (local.get $nsize) (i32.const 16)) (i32.const 1))))))
              (if (local.get $old) (then (memory.copy (local.get $r) (local.get $old) (local.get $osize))))
              (local.get $r))
            (func (export "reset") (global.set $next (i32.const 1024)))
            (func (export "reset-i32") (param i32) (global.set $next (i32.const 1024)))
            (func (export "reset-i64") (param i64) (global.set $next (i32.const 1024)))
            """;

        internal string WriteGuest(string code, string lifted, string own, (string Id, string Function)[] functions)
        {
            foreach (WitInterface each in all) Import(each);
            foreach ((string id, string function) in functions)
            {
                string[] parts = function.Split('#', ' ');
                if (parts[0] == "own")
                {
                    core.AppendLine($"(import \"f\" \"{id}\" (func ${id} {function["own".Length..]}))");
                }
                else if (parts[0] == "drop")
                {
                    lowers.AppendLine($"(core func ${id} (canon resource.drop ${Id(Short(parts[1]), parts[2])}))");
                    core.AppendLine($"(import \"f\" \"{id}\" (func ${id} (param i32)))");
                }
                else
                {
                    WitInterface from = Short(parts[0]);
                    WitFunction found = from.Functions.Single(f => f.Name == parts[1]);
                    List<string> results = found.Result is null ? [] : Flat(from, found.Result);
                    lowers.AppendLine($"(core func ${id} (canon lower (func ${from.Name} \"{found.Name}\") {Options}))");
                    core.AppendLine($"(import \"f\" \"{id}\" (func ${id} (param {string.Join(' ', found.Parameters.SelectMany(p => Flat(from, p.Type)))}{(results.Count > 1 ? " i32" : "")}){(results.Count == 1 ? $" (result {results[0]})" : "")}))");
                }
                exports.Append($"(export \"{id}\" (func ${id}))");
            }
            return $"""
                (component $C
                  {types}
                  (core module $Libc {Allocator})
                  (core instance $libc (instantiate $Libc))
                  {own}
                  {lowers}
                  (core module $Main (import "libc" "mem" (memory 1)) {core} {code})
                  (core instance $main (instantiate $Main (with "libc" (instance $libc)) (with "f" (instance {exports}))))
                  {lifted})
                """;
        }

        internal string WriteServer(string code, (string Id, string Function)[] functions)
        {
            const string memory = "(memory (core memory $libc \"mem\"))";
            WitInterface http = Short("http/types");
            var given = new WitType("result", [new WitType("response", []), new WitType("error-code", [])]);
            string error = $"(error ${Id(http, "error-code")})";
            string definitions = $"""
                (type $result {Text(given, n => $"${Id(http, n)}")})
                (type $trailers (future (result (option (own ${Id(http, "fields")})) {error}))) (type $sent (future (result {error})))
                (core func $return (canon task.return (result $result) {memory}))
                (core func $new (canon future.new $trailers)) (core func $write (canon future.write $trailers async {memory}))
                (core func $drop-sent (canon future.drop-readable $sent))
                """;
            string lifted = $"""
                (func $handle async (param "request" (own ${Id(http, "request")})) (result $result) (canon lift (core func $main "handle") async {memory}))
                (instance $handler (export "handle" (func $handle)))
                (export "wasi:http/handler@0.3.0" (instance $handler))
                """;
            return WriteGuest(code, lifted, definitions,
            [
                ("return", $"own (param {string.Join(' ', Flat(http, given))})"), ("new", "own (result i64)"), ("write", "own (param i32 i32) (result i32)"),
                ("drop-sent", "own (param i32)"), .. functions,
            ]);
        }

        private WitInterface Short(string name) => all.Single(i => i.Name.StartsWith($"wasi:{name}@", StringComparison.Ordinal));

        private WitInterface Find(string name) => all.Single(i => i.Name == name);

        private static string Id(WitInterface from, string type) => $"{from.Name.Replace('@', '/')}/{type}";

        private static (string Name, WitType? Type, (string Interface, string Name)? Used) TypeOf(WitInterface from, string name) => from.Types.Single(t => t.Name == name);

        // ---- the imported instances ----

        private void Import(WitInterface from)
        {
            types.AppendLine($"(import \"{from.Name}\" (instance ${from.Name}");
            var done = new HashSet<string>();
            foreach (var type in from.Types) Declare(from, type.Name, done);
            foreach (WitFunction function in from.Functions)
                types.AppendLine($"  (export \"{function.Name}\" (func {(function.IsAsync ? "async " : "")}{Signature(function, t => Text(t, n => $"$l/{n}"))}))");
            types.AppendLine("))");
            foreach (var type in from.Types) types.AppendLine($"(alias export ${from.Name} \"{type.Name}\" (type ${Id(from, type.Name)}))");
        }

        private void Declare(WitInterface from, string name, HashSet<string> done)
        {
            if (!done.Add(name)) return;
            (_, WitType? type, (string Interface, string Name)? used) = TypeOf(from, name);
            if (used is { } other)
            {
                types.AppendLine($"  (alias outer $C ${Id(Find(other.Interface), other.Name)} (type $o/{name})) (export \"{name}\" (type $l/{name} (eq $o/{name})))");
                return;
            }
            if (type is null)
            {
                types.AppendLine($"  (export \"{name}\" (type $l/{name} (sub resource)))");
                return;
            }
            foreach (string inner in Names(type).Where(n => from.Types.Exists(t => t.Name == n))) Declare(from, inner, done);
            if (type is { Arguments: [], Parts: [] } && from.Types.Exists(t => t.Name == type.Name))
            {
                types.AppendLine($"  (export \"{name}\" (type $l/{name} (eq $l/{type.Name})))");
                return;
            }
            types.AppendLine($"  (type $o/{name} {Text(type, n => $"$l/{n}")}) (export \"{name}\" (type $l/{name} (eq $o/{name})))");
        }

        private static IEnumerable<string> Names(WitType type) =>
            [type.Name, .. type.Arguments.SelectMany(Names), .. type.Parts.SelectMany(p => p.Type is null ? [] : Names(p.Type))];

        private static string Signature(WitFunction function, Func<WitType, string> text) =>
            string.Concat(function.Parameters.Select(p => $"(param \"{p.Name}\" {text(p.Type)}) ")) + (function.Result is null ? "" : $"(result {text(function.Result)})");

        private static bool IsPrimitive(string name) => name is "bool" or "u8" or "s8" or "u16" or "s16" or "u32" or "s32" or "u64" or "s64" or "f32" or "f64" or "char" or "string";

        /// <summary>A type as text; a resource alone is one that is owned.</summary>
        private string Text(WitType type, Func<string, string> id)
        {
            string Part(WitType t) => Text(t, id);
            return type.Name switch
            {
                _ when IsPrimitive(type.Name) => type.Name,
                "list" or "option" or "stream" or "future" => $"({type.Name} {Part(type.Arguments[0])})",
                "tuple" => $"(tuple {string.Join(' ', type.Arguments.Select(Part))})",
                "result" => $"(result{Alternative(type, 0, " ")}{(type.Arguments.Length > 1 ? $" (error{Alternative(type, 1, " ")})" : "")})",
                "borrow" or "own" => $"({type.Name} {id(type.Arguments[0].Name)})",
                "record" => $"(record {string.Join(' ', type.Parts.Select(p => $"(field \"{p.Label}\" {Part(p.Type!)})"))})",
                "variant" => $"(variant {string.Join(' ', type.Parts.Select(p => $"(case \"{p.Label}\"{(p.Type is null ? "" : " " + Part(p.Type))})"))})",
                "enum" or "flags" => $"({type.Name} {string.Join(' ', type.Parts.Select(p => $"\"{p.Label}\""))})",
                _ => IsResource(type.Name) ? $"(own {id(type.Name)})" : id(type.Name),
            };

            string Alternative(WitType result, int index, string before) =>
                result.Arguments.Length <= index || result.Arguments[index].Name == "_" ? "" : before + Part(result.Arguments[index]);
        }

        /// <summary>No two interfaces use a name for a resource here and for something else there.</summary>
        private bool IsResource(string name) =>
            all.Exists(i => i.Resources.Contains(name)) || all.Exists(i => i.Types.Exists(t => t.Name == name && t.Used is { } u && Find(u.Interface).Resources.Contains(u.Name)))
            || all.Exists(i => i.Types.Exists(t => t.Name == name && t.Type is { Arguments: [], Parts: [] } a && i.Resources.Contains(a.Name)));

        // ---- the functions ----

        private void Mirror(WitInterface from, WitFunction function, StringBuilder bodies)
        {
            string name = $"f{names.Count}";
            names.Add($"{from.Name[..from.Name.IndexOf('@', StringComparison.Ordinal)]}#{function.Name}", name);
            List<string>[] flat = [.. function.Parameters.Select(p => Flat(from, p.Type))];
            List<string> results = function.Result is null ? [] : Flat(from, function.Result);
            string parameters = string.Join(' ', flat.SelectMany(f => f));
            int count = flat.Sum(f => f.Count);
            if (count > 16) throw new InvalidOperationException($"{function.Name} has more parameters than are passed as they are");
            bool inMemory = results.Count > 1;
            string result = results.Count == 0 ? "" : $"(result {(inMemory ? "i32" : results[0])})";
            lowers.AppendLine($"(core func ${name} (canon lower (func ${from.Name} \"{function.Name}\") {Options}))");
            exports.Append($"(export \"{name}\" (func ${name}))");
            core.AppendLine($"(import \"f\" \"{name}\" (func ${name} (param {parameters}{(inMemory ? " i32" : "")}) {(inMemory ? "" : result)}))");
            bodies.AppendLine($"(func (export \"{name}\") (param {parameters}) {result} (local $at i32)");
            bodies.Append($"  (call ${name} {string.Concat(Enumerable.Range(0, count).Select(i => $"(local.get {i})"))}{(inMemory ? "(i32.const 16)" : "")})");
            for (int i = 0, slot = 0; i < flat.Length; slot += flat[i++].Count) bodies.Append(Drop(from, function.Parameters[i].Type, slot));
            bodies.AppendLine($"{(inMemory ? " (i32.const 16)" : "")})");
            string post = results.Count == 0 ? "reset" : inMemory ? "reset-i32" : $"reset-{results[0]}";
            lifts.AppendLine($"(func (export \"{name}\") {(function.IsAsync ? "async " : "")}{Signature(function, t => Text(t, n => $"${Id(from, n)}"))} (canon lift (core func $main \"{name}\") {Options} (post-return (core func $libc \"{post}\"))))");
        }

        /// <summary>Drops the borrowed handles of an argument.</summary>
        private string Drop(WitInterface from, WitType type, int slot)
        {
            string Call(string resource, string handle)
            {
                (WitInterface home, string name) = Home(from, resource);
                return $"(call $drop_{Id(home, name)} {handle})";
            }

            if (type.Name == "borrow") return Call(type.Arguments[0].Name, $"(local.get {slot})");
            if (type is { Name: "option", Arguments: [{ Name: "borrow" } lent] }) return $"(if (local.get {slot}) (then {Call(lent.Arguments[0].Name, $"(local.get {slot + 1})")}))";
            if (type is not { Name: "list", Arguments: [{ Name: "borrow" } element] }) return "";
            return $"""
                (block $end (loop $next
                  (br_if $end (i32.ge_u (local.get $at) (local.get {slot + 1})))
                  {Call(element.Arguments[0].Name, $"(i32.load (i32.add (local.get {slot}) (i32.shl (local.get $at) (i32.const 2))))")}
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (br $next)))
                """;
        }

        /// <summary>The interface that defines a resource, and its name there.</summary>
        private (WitInterface Home, string Name) Home(WitInterface from, string name)
        {
            var type = TypeOf(from, name);
            return type.Used is { } used ? Home(Find(used.Interface), used.Name) : type.Type is { } alias ? Home(from, alias.Name) : (from, name);
        }

        /// <summary>The core types that stand for a type.</summary>
        private List<string> Flat(WitInterface from, WitType type)
        {
            switch (type.Name)
            {
                case "u64" or "s64": return ["i64"];
                case "f32" or "f64": return [type.Name];
                case "string" or "list": return ["i32", "i32"];
                case "borrow" or "own" or "enum" or "flags" or "stream" or "future": return ["i32"];
                case "tuple": return [.. type.Arguments.SelectMany(a => Flat(from, a))];
                case "record": return [.. type.Parts.SelectMany(p => Flat(from, p.Type!))];
                case "option": return Joined([[], Flat(from, type.Arguments[0])]);
                case "result": return Joined([.. type.Arguments.Select(a => a.Name == "_" ? [] : Flat(from, a))]);
                case "variant": return Joined([.. type.Parts.Select(p => p.Type is null ? [] : Flat(from, p.Type))]);
                case var name when IsPrimitive(name): return ["i32"];
            }
            (_, WitType? own, (string Interface, string Name)? used) = TypeOf(from, type.Name);
            return used is { } other ? Flat(Find(other.Interface), new WitType(other.Name, [])) : own is null ? ["i32"] : Flat(from, own);
        }

        private static List<string> Joined(List<string>[] cases)
        {
            var joined = new List<string> { "i32" };
            for (int i = 0; i < cases.Select(c => c.Count).DefaultIfEmpty().Max(); i++)
            {
                string[] at = [.. cases.Where(c => c.Count > i).Select(c => c[i]).Distinct()];
                joined.Add(at.Length == 1 ? at[0] : at.All(t => t is "i32" or "f32") ? "i32" : "i64");
            }
            return joined;
        }
    }
}

/// <summary>The component that imports all functions of a version, and its exports' names for them.</summary>
internal sealed class MirrorSource
{
    internal MirrorSource(string version)
    {
        (Text, Names) = new WasiMirror.Writer(version).Write();
        Component = new(() => new Engine(new EngineOptions { Interruptible = true }).CompileComponent(Wat.ToBinary(Text)));
    }

    internal string Text { get; }

    internal Dictionary<string, string> Names { get; }

    internal Lazy<WasmComponent> Component { get; }
}
