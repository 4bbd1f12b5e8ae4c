using System.Globalization;
using System.Text;

namespace WasmJit.Tests.Docs;

/// <summary>
/// Random programs in Twig that end: functions that call those before them, loops with a bound, closures, mistakes of type that are
/// caught here and there. What they do is in the text that they return.
/// </summary>
internal sealed class RandomScript(int seed)
{
    private const int Functions = 4;

    private readonly Random random = new(seed);
    private readonly StringBuilder text = new();
    private List<string> variables = [];
    private int arity, names;

    internal static string Make(int seed) => new RandomScript(seed).Program();

    private string Program()
    {
        text.AppendLine("let log = \"\"\nlet shared = 0");
        var arities = new int[Functions];
        for (int f = 0; f < Functions; f++)
        {
            arity = arities[f] = random.Next(3);
            variables = [.. Enumerable.Range(0, arity).Select(i => $"p{i}"), "shared"];
            text.AppendLine(CultureInfo.InvariantCulture, $"fn f{f}({string.Join(", ", variables.Take(arity))}) {{");
            Statements(f, 2, inLoop: false);
            text.AppendLine("}");
        }
        // Calls with numbers first, so that the functions are compiled for them, then with anything.
        for (int call = 0; call < 24; call++)
        {
            int f = random.Next(Functions);
            string arguments = string.Join(", ", Enumerable.Range(0, arities[f]).Select(_ => call < 16 ? Number() : Constant()));
            text.AppendLine(CultureInfo.InvariantCulture, $"try {{ log = log + text(f{f}({arguments})) + \";\" }} catch e {{ log = log + text(e) + \"!\" }}");
        }
        text.AppendLine("log + shared");
        return text.ToString();
    }

    private void Statements(int function, int depth, bool inLoop)
    {
        int scope = variables.Count;
        for (int i = random.Next(1, 5); i > 0; i--) Statement(function, depth, inLoop);
        text.AppendLine(Expression(function, depth));
        variables.RemoveRange(scope, variables.Count - scope);
    }

    private void Statement(int function, int depth, bool inLoop)
    {
        switch (depth == 0 ? random.Next(3) : random.Next(11))
        {
            case 0 or 1:
                string value = Expression(function, depth), name = $"v{names++}";
                text.AppendLine(CultureInfo.InvariantCulture, $"let {name} = {value}");
                variables.Add(name);
                break;
            case 2:
                text.AppendLine(CultureInfo.InvariantCulture, $"{Variable()} = {Expression(function, depth)}");
                break;
            case 3 or 4:
                text.AppendLine(CultureInfo.InvariantCulture, $"if {Condition(function, depth - 1)} {{");
                Statements(function, depth - 1, inLoop);
                if (random.Next(2) == 0)
                {
                    text.AppendLine("} else {");
                    Statements(function, depth - 1, inLoop);
                }
                text.AppendLine("}");
                break;
            case 5:
                string counter = $"i{names++}";
                text.AppendLine(CultureInfo.InvariantCulture, $"let {counter} = 0\nwhile {counter} < {random.Next(4)} {{\n{counter} = {counter} + 1");
                Statements(function, depth - 1, inLoop: true);
                text.AppendLine("}");
                break;
            case 6:
                text.AppendLine("try {");
                Statements(function, depth - 1, inLoop);
                string error = $"e{names++}";
                text.AppendLine(CultureInfo.InvariantCulture, $"}} catch {error} {{");
                variables.Add(error);
                Statements(function, depth - 1, inLoop);
                variables.Remove(error);
                text.AppendLine("}");
                break;
            case 7:
                text.AppendLine(CultureInfo.InvariantCulture, $"if {Condition(function, depth - 1)} {{ {(inLoop && random.Next(2) == 0 ? random.Next(2) == 0 ? "break" : "continue" : "return " + Expression(function, 1))} }}");
                break;
            case 8:
                // A function that changes a variable of this one.
                string closure = $"c{names++}", target = Variable();
                text.AppendLine(CultureInfo.InvariantCulture, $"let {closure} = fn(x) {{ {target} = {target} + x }}\ntry {{ {closure}({Expression(function, 1)}) }} catch e {{ {closure}(1) }}");
                variables.Add(closure);
                break;
            case 9:
                text.AppendLine(CultureInfo.InvariantCulture, $"if {Condition(function, 1)} {{ throw {Expression(function, 1)} }}");
                break;
            default:
                string list = $"l{names++}";
                text.AppendLine(CultureInfo.InvariantCulture, $"let {list} = [{Expression(function, 1)}, {Expression(function, 1)}]\n{list}[{random.Next(2)}] = {Expression(function, 1)}\npush({list}, 1)");
                variables.Add($"{list}[{random.Next(3)}]");
                break;
        }
    }

    private string Variable() => variables[random.Next(variables.Count)];

    private string Number() => (random.Next(-20, 20) / 4.0).ToString(CultureInfo.InvariantCulture) is var n && n[0] == '-' ? $"({n})" : n;

    private string Constant() => random.Next(16) switch
    {
        0 => "\"s\"",
        1 => "true",
        2 => "nil",
        3 => "[1, \"x\"]",
        _ => Number(),
    };

    private string Condition(int function, int depth) => random.Next(5) switch
    {
        0 => Expression(function, depth),
        1 => $"({Condition(function, depth - 1 < 0 ? 0 : depth - 1)}) and {Variable()} != {Number()}",
        2 => $"not ({Variable()} == {Constant()})",
        _ => $"{Expression(function, depth)} {(string[])["<", "<=", ">", ">=", "==", "!="] switch { var ops => ops[random.Next(ops.Length)] }} {Number()}",
    };

    private string Expression(int function, int depth)
    {
        if (depth <= 0) return random.Next(3) == 0 ? Constant() : random.Next(2) == 0 ? Number() : Variable();
        string Next() => Expression(function, depth - 1);
        switch (random.Next(12))
        {
            case < 4: return $"({Next()} {(random.Next(5)) switch { 0 => "+", 1 => "-", 2 => "*", 3 => "/", _ => "%" }} {Next()})";
            case 4: return $"(-{Number()} + {Next()})";
            case 5 when random.Next(2) == 0: return $"({Next()} {(random.Next(2) == 0 ? "and" : "or")} {Next()})";
            case 6: return $"(if {Condition(function, depth - 1)} {{ {Next()} }} else {{ {Next()} }})";
            case 7: return $"{((string[])["sqrt", "floor", "abs", "text", "len"])[random.Next(20) is var n && n < 18 ? n % 3 : n - 15]}({Next()})";
            case 8: return $"(fn(x) {{ x + {Next()} }})({Next()})";
            case 9 when function > 0: return $"f{random.Next(function)}({string.Join(", ", Enumerable.Range(0, random.Next(3)).Select(_ => Next()))})";
            case 10: return $"(try {{ {Next()} }} catch e {{ {Next()} }})";
            default: return Next();
        }
    }
}
