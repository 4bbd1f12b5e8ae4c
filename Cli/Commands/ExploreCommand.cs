using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Cli;

/// <summary><c>wasmjit explore</c>: a page with the text, IL and machine code of functions.</summary>
internal static class ExploreCommand
{
    private const int DefaultCount = 300;

    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var output = new Option<string>("--output", "-o") { Description = "The page; \"-\" is the standard output. The default is the FILE with the extension .html, for the standard input the standard output.", HelpName = "FILE" };
        var profile = new Option<string>("--profile") { Description = "A profile of the module, as \"profile\" writes it: its functions come first, those with the most time before others.", HelpName = "FILE" };
        var count = new Option<string>("--functions") { Description = $"How many functions the page shows; {DefaultCount} if this is not given.", HelpName = "COUNT" };
        var command = new Command("explore", "Writes a page with the text, the IL and the machine code of functions.") { file, output, profile, count };
        Help.Describe(command, """
            The page needs nothing besides itself. Each WebAssembly instruction is on the line where its IL begins; the machine code
            stands beside them. A field at the top filters by name.
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!, target = parsed.GetValue(output) ?? ModuleFile.DefaultTarget(path, ".html");
            int most = DefaultCount;
            if (parsed.GetValue(count) is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out most) || most == 0))
                throw new ToolException($"--functions {text}: the value must be a number");
            terminal.CheckTarget(target);
            return Run(terminal, path, target, parsed.GetValue(profile), most, EngineFlags.Options(parsed));
        });
        return command;
    }

    private static int Run(Terminal terminal, string path, string target, string? profile, int most, EngineOptions options)
    {
        Dictionary<string, double> heat = profile is null ? [] : HeatOf(profile);
        using var sizes = new MethodSizes();
        Module module = ModuleFile.Compile(ModuleFile.Read(path), options with { Inlining = false }, terminal);
        (FunctionCode Code, int Func, string Name)[] all =
        [
            .. module.Info.WithNested().Select(info => FunctionCode.Of(info, module.Engine.CodeOptions)).SelectMany(code => Enumerable.Range(code.Info.ImportedFuncs, code.Info.Funcs.Count - code.Info.ImportedFuncs)
                .Select(func => (code, func, code.NameOf(func)[WasmStackTrace.Prefix.Length..]))),
        ];
        if (all.Length == 0) throw new ToolException($"{path} defines no functions");
        var page = new StringBuilder();
        foreach ((FunctionCode code, int func, string name) in all.OrderByDescending(f => heat.GetValueOrDefault(f.Name)).Take(most))
            Add(page, DisasmCommand.List(code, func, null, sizes), name, heat.GetValueOrDefault(name));
        string shown = all.Length > most ? $"{most} of {all.Length} functions" : $"{all.Length} functions";
        string title = Path.GetFileName(path);
        string html = Page.Replace("@TITLE@", WebUtility.HtmlEncode(title), StringComparison.Ordinal)
            .Replace("@COUNT@", shown + (profile is null ? "" : ", hot ones first"), StringComparison.Ordinal).Replace("@FUNCTIONS@", page.ToString(), StringComparison.Ordinal);
        GC.KeepAlive(module);
        terminal.WriteFile(target, Encoding.UTF8.GetBytes(html));
        return Tool.Success;
    }

    private static void Add(StringBuilder page, DisasmCommand.Listing listing, string name, double heat)
    {
        string text = WebUtility.HtmlEncode(Printable.Text(name));
        page.Append(CultureInfo.InvariantCulture, $"<details data-name=\"{text}\"{(heat >= 0.01 ? " open" : "")}><summary>{text}{(heat > 0 ? $" <b>{heat:0.0%}</b>" : "")}</summary>\n");
        page.Append("<code>").Append(WebUtility.HtmlEncode(Printable.Text(listing.Head))).Append("</code>\n<div class=\"code\"><table>\n");
        for (int i = 0; i < Math.Max(listing.Wat.Count, listing.Il.Count); i++)
        {
            string tag = i == 0 ? "th" : "td";
            page.Append($"<tr><{tag}>{Cell(listing.Wat, i)}</{tag}><{tag}>{Cell(listing.Il, i)}</{tag}></tr>\n");
        }
        page.Append("</table><pre>").Append(WebUtility.HtmlEncode(string.Join('\n', listing.Asm))).Append("</pre></div></details>\n");

        static string Cell(List<string> lines, int index) => index < lines.Count ? WebUtility.HtmlEncode(Printable.Text(lines[index])) : "";
    }

    /// <summary>The part of the time that each function took itself.</summary>
    /// <exception cref="ToolException">The file is not a profile.</exception>
    private static Dictionary<string, double> HeatOf(string file)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(ModuleFile.ReadBytes(file));
            string[] frames = [.. json.RootElement.GetProperty("shared").GetProperty("frames").EnumerateArray().Select(f => f.GetProperty("name").GetString() ?? "")];
            JsonElement profile = json.RootElement.GetProperty("profiles")[0];
            double all = Math.Max(1, profile.GetProperty("endValue").GetDouble());
            var heat = new Dictionary<string, double>();
            foreach ((JsonElement stack, JsonElement weight) in profile.GetProperty("samples").EnumerateArray().Zip(profile.GetProperty("weights").EnumerateArray()))
            {
                if (stack.GetArrayLength() == 0) continue;
                string name = frames[stack[stack.GetArrayLength() - 1].GetInt32()];
                heat[name] = heat.GetValueOrDefault(name) + (weight.GetDouble() / all);
            }
            return heat;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new ToolException($"{file} is not a profile of wasmjit profile");
        }
    }

    private const string Page = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>@TITLE@</title>
        <style>
        body { font: 14px system-ui, sans-serif; margin: 1em; }
        input { font: inherit; width: 20em; }
        summary { cursor: pointer; font-family: monospace; padding: .2em 0; }
        summary b { color: #b30; }
        .code { display: flex; gap: 2em; align-items: flex-start; overflow-x: auto; margin: .5em 0 1em 1em; }
        table { border-collapse: collapse; font: 12px monospace; white-space: pre; }
        td, th { text-align: left; padding: 0 2em 0 0; vertical-align: top; }
        tr:hover { background: #eef; }
        pre { margin: 0; font: 12px monospace; }
        </style>
        </head>
        <body>
        <h1>@TITLE@</h1>
        <p><input id="filter" placeholder="filter by name" autofocus> @COUNT@</p>
        @FUNCTIONS@
        <script>
        document.getElementById("filter").addEventListener("input", e => {
          const wanted = e.target.value.toLowerCase();
          for (const each of document.querySelectorAll("details")) each.hidden = !each.dataset.name.toLowerCase().includes(wanted);
        });
        </script>
        </body>
        </html>

        """;
}
