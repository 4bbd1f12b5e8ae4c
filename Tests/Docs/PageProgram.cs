using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace WasmJit.Tests.Docs;

/// <summary>The C# blocks of a page as one program: what one declares, the next can use.</summary>
internal static class PageProgram
{
    /// <summary>Ends a block's output.</summary>
    private const char Mark = '\u0001';

    // What a new project has without asking.
    private const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly Lazy<MetadataReference[]> References = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path))]);

    /// <summary>Runs them in a folder of their own. Returns what each has written.</summary>
    internal static string[] Run(Page page, IReadOnlyList<Block> blocks)
    {
        byte[] image = Compile(page, Join(page, blocks));
        var context = new AssemblyLoadContext(page.Name, isCollectible: true);
        MethodInfo entry = context.LoadFromStream(new MemoryStream(image)).EntryPoint!;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("docs");
        TextWriter console = Console.Out;
        string before = Environment.CurrentDirectory;
        var output = new StringWriter { NewLine = "\n" };
        try
        {
            Environment.CurrentDirectory = folder.FullName;
            Console.SetOut(output);
            entry.Invoke(null, BindingFlags.DoNotWrapExceptions, null, entry.GetParameters().Length == 0 ? [] : [Array.Empty<string>()], null);
        }
        finally
        {
            Console.SetOut(console);
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
            context.Unload();
        }
        return output.ToString().ReplaceLineEndings("\n").Split(Mark)[..blocks.Count];
    }

    /// <summary>Statements in order, usings in front of them and types behind them, each with the page's line numbers.</summary>
    private static string Join(Page page, IReadOnlyList<Block> blocks)
    {
        StringBuilder usings = new(), statements = new(), types = new();
        foreach (Block block in blocks)
        {
            CompilationUnitSyntax unit = SyntaxFactory.ParseCompilationUnit(block.Text, options: Options);
            foreach (UsingDirectiveSyntax directive in unit.Usings) usings.AppendLine(directive.ToString());
            foreach (MemberDeclarationSyntax member in unit.Members)
            {
                int line = block.Line + block.Text[..member.FullSpan.Start].Count(c => c == '\n');
                (member is GlobalStatementSyntax ? statements : types).Append($"#line {line} \"{page.Name}\"\n{member.ToFullString()}\n");
            }
            statements.AppendLine($"Console.Write('\\u{(int)Mark:x4}');");
        }
        IEnumerable<string> distinct = usings.ToString().Split('\n').Select(u => u.Trim()).Distinct();
        return $"{string.Join('\n', distinct)}\n{statements}{types}";
    }

    private static CSharpParseOptions Options => CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);

    private static byte[] Compile(Page page, string source)
    {
        var compilation = CSharpCompilation.Create(
            "Docs." + Path.GetFileNameWithoutExtension(page.Name),
            [CSharpSyntaxTree.ParseText(Usings, Options), CSharpSyntaxTree.ParseText(source, Options)],
            References.Value,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, optimizationLevel: OptimizationLevel.Release,
                nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));
        var image = new MemoryStream();
        IEnumerable<string> errors = compilation.Emit(image).Diagnostics
            .Where(d => d.Severity == DiagnosticSeverity.Error || (d.Severity == DiagnosticSeverity.Warning && d.Id.StartsWith("CS8", StringComparison.Ordinal)))
            .Select(d => $"{page.Name}({d.Location.GetMappedLineSpan().StartLinePosition.Line + 1}): {d.GetMessage()}");
        string all = string.Join('\n', errors);
        return all.Length == 0 ? image.ToArray() : throw new InvalidDataException(all);
    }
}
