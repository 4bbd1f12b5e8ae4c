using System.Globalization;

namespace Sprig;

/// <summary>
/// Makes bytecode of a program's text. A program is functions; values are integers of 64 bits, <c>mem[i]</c> is the word i of the program's memory.
/// </summary>
/// <example>
/// <code>
/// fn fib(n) { if n &lt; 2 { return n } return fib(n - 1) + fib(n - 2) }
/// </code>
/// </example>
internal sealed class SprigCompiler
{
    private const int MostParameters = 4;

    /// <summary>Operators from the weakest on.</summary>
    private static readonly (string Text, Opcode Code)[][] Levels =
    [
        [("|", Opcode.Or), ("^", Opcode.Xor), ("&", Opcode.And)],
        [("==", Opcode.Eq), ("!=", Opcode.Ne), ("<=", Opcode.Le), (">=", Opcode.Ge), ("<", Opcode.Lt), (">", Opcode.Gt)],
        [("<<", Opcode.Shl), (">>", Opcode.Shr)],
        [("+", Opcode.Add), ("-", Opcode.Sub)],
        [("*", Opcode.Mul), ("/", Opcode.Div), ("%", Opcode.Rem)],
    ];

    private readonly List<string> tokens;
    private readonly List<int> words = [];
    private readonly Dictionary<string, (int Number, int Parameters)> functions = [];
    private Dictionary<string, int> locals = [];
    private int at;

    private SprigCompiler(string text) => tokens = Tokens(text);

    /// <exception cref="SprigException">The text is not a program.</exception>
    internal static SprigProgram Compile(string text)
    {
        var compiler = new SprigCompiler(text);
        compiler.FindFunctions();
        var made = new List<SprigFunction>();
        while (compiler.at < compiler.tokens.Count) made.Add(compiler.Function());
        return new SprigProgram(made, compiler.words);
    }

    // ---- tokens ----

    private static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        for (int i = 0; i < text.Length;)
        {
            int start = i;
            if (char.IsWhiteSpace(text[i])) i++;
            else if (text[i] == '#') while (i < text.Length && text[i] != '\n') i++;
            else if (char.IsAsciiLetterOrDigit(text[i])) while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_')) i++;
            else if (i + 1 < text.Length && text[i..(i + 2)] is "==" or "!=" or "<=" or ">=" or "<<" or ">>") i += 2;
            else i++;
            if (!char.IsWhiteSpace(text[start]) && text[start] != '#') tokens.Add(text[start..i]);
        }
        return tokens;
    }

    private string Current => at < tokens.Count ? tokens[at] : "the end";

    private bool Take(string token)
    {
        if (Current != token) return false;
        at++;
        return true;
    }

    private void Expect(string token)
    {
        if (!Take(token)) throw new SprigException($"'{token}' is expected, not '{Current}'");
    }

    private string Name()
    {
        string name = Current;
        if (!char.IsAsciiLetter(name[0]) || at >= tokens.Count) throw new SprigException($"a name is expected, not '{name}'");
        at++;
        return name;
    }

    // ---- functions ----

    /// <summary>Functions may be called before they are defined.</summary>
    private void FindFunctions()
    {
        for (int i = 0; i + 2 < tokens.Count; i++)
        {
            if (tokens[i] != "fn") continue;
            int end = tokens.IndexOf(")", i);
            int parameters = end < 0 ? 0 : tokens.GetRange(i + 3, Math.Max(0, end - i - 3)).Count(t => t != ",");
            if (parameters > MostParameters) throw new SprigException($"{tokens[i + 1]} has more than {MostParameters} parameters");
            if (!functions.TryAdd(tokens[i + 1], (functions.Count, parameters))) throw new SprigException($"{tokens[i + 1]} is defined twice");
        }
    }

    private SprigFunction Function()
    {
        Expect("fn");
        string name = Name();
        locals = [];
        Expect("(");
        while (!Take(")"))
        {
            if (locals.Count > 0) Expect(",");
            if (!locals.TryAdd(Name(), locals.Count)) throw new SprigException($"two parameters of {name} have one name");
        }
        int begin = words.Count;
        Block();
        // A function that comes to its end returns 0.
        Number(0);
        Emit(Opcode.Return);
        return new SprigFunction(name, functions[name].Parameters, locals.Count, begin, words.Count);
    }

    private void Block()
    {
        Expect("{");
        while (!Take("}")) Statement();
    }

    private void Statement()
    {
        if (Take("let"))
        {
            string name = Name();
            Expect("=");
            Expression(0);
            // The name is known from here on, in the whole rest of the function.
            locals.TryAdd(name, locals.Count);
            Emit(Opcode.Set, locals[name]);
        }
        else if (Take("if"))
        {
            If();
        }
        else if (Take("while"))
        {
            int loop = Emit(Opcode.Loop);
            words.AddRange([0, 0]);
            Expression(0);
            int exit = Emit(Opcode.While);
            Block();
            Emit(Opcode.Again, SprigProgram.AddressOf(loop));
            Aim(loop);
            Aim(exit);
        }
        else if (Take("return"))
        {
            Expression(0);
            Emit(Opcode.Return);
        }
        else if (Take("print"))
        {
            Expression(0);
            Emit(Opcode.Print);
        }
        else if (Current == "mem")
        {
            Index();
            if (Take("="))
            {
                Expression(0);
                Emit(Opcode.Store);
                return;
            }
            throw new SprigException("'=' is expected behind mem[...]");
        }
        else if (at + 1 < tokens.Count && tokens[at + 1] == "=")
        {
            int local = Local(Name());
            Expect("=");
            Expression(0);
            Emit(Opcode.Set, local);
        }
        else
        {
            Expression(0);
            Emit(Opcode.Drop);
        }
    }

    private void If()
    {
        Expression(0);
        int condition = Emit(Opcode.If);
        Block();
        if (!Take("else"))
        {
            Aim(condition);
            Emit(Opcode.End);
            return;
        }
        int otherwise = Emit(Opcode.Else);
        Aim(condition);
        if (Take("if")) If();
        else Block();
        Aim(otherwise);
        Emit(Opcode.End);
    }

    // ---- expressions ----

    private void Expression(int level)
    {
        if (level == Levels.Length)
        {
            Primary();
            return;
        }
        Expression(level + 1);
        while (Array.FindIndex(Levels[level], o => o.Text == Current) is var found and >= 0)
        {
            at++;
            Expression(level + 1);
            Emit(Levels[level][found].Code);
        }
    }

    private void Primary()
    {
        if (Take("("))
        {
            Expression(0);
            Expect(")");
        }
        else if (Take("-"))
        {
            Emit(Opcode.Const);
            Primary();
            Emit(Opcode.Sub);
        }
        else if (char.IsAsciiDigit(Current[0]))
        {
            if (!long.TryParse(Current, NumberStyles.None, CultureInfo.InvariantCulture, out long number)) throw new SprigException($"'{Current}' is not a number");
            at++;
            Number(number);
        }
        else if (Current == "mem")
        {
            Index();
            Emit(Opcode.Load);
        }
        else
        {
            string name = Name();
            if (Take("(")) Call(name);
            else Emit(Opcode.Get, Local(name));
        }
    }

    private void Index()
    {
        Expect("mem");
        Expect("[");
        Expression(0);
        Expect("]");
    }

    private void Call(string name)
    {
        if (!functions.TryGetValue(name, out (int Number, int Parameters) function)) throw new SprigException($"{name} is not defined");
        int given = 0;
        while (!Take(")"))
        {
            if (given++ > 0) Expect(",");
            Expression(0);
        }
        if (given != function.Parameters) throw new SprigException($"{name} takes {function.Parameters} argument(s), not {given}");
        Emit(Opcode.Call, function.Number);
    }

    private int Local(string name) => locals.TryGetValue(name, out int local) ? local : throw new SprigException($"{name} is not defined");

    // ---- bytecode ----

    /// <summary>Operands have 32 bits: larger numbers are put together.</summary>
    private void Number(long number)
    {
        if (number == (int)number)
        {
            Emit(Opcode.Const, (int)number);
            return;
        }
        Number(number >> 24);
        Emit(Opcode.Const, 24);
        Emit(Opcode.Shl);
        Emit(Opcode.Const, (int)(number & 0xffffff));
        Emit(Opcode.Or);
    }

    private int Emit(Opcode code, int operand = 0)
    {
        words.AddRange([(int)code, operand]);
        return words.Count - 2;
    }

    /// <summary>What comes next is where an instruction goes to.</summary>
    private void Aim(int instruction) => words[instruction + 1] = SprigProgram.AddressOf(words.Count);
}
