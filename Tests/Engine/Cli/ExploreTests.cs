using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasmjit explore</c>: a page that needs nothing besides itself.</summary>
public sealed partial class ExploreTests : IDisposable
{
    private const string Module = """
        (module $app
          (func $<b>&cold (param i32) (result i32) (i32.add (local.get 0) (i32.const 7)))
          (func $hot (export "hot") (param i32) (result i32)
            (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 0)))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-explore").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string name, string? text = null)
    {
        string path = Path.Combine(folder, name);
        if (text is not null) System.IO.File.WriteAllText(path, text);
        return path;
    }

    private static (int Code, string Out, string Error) Run(params string[] args) => ToolRun.Of(args);

    [Fact]
    public void ThePageHasAllThreeForms()
    {
        string module = File("app.wat", Module);
        Assert.Equal((0, "", ""), Run("explore", module));
        string page = System.IO.File.ReadAllText(File("app.html"));
        Assert.Equal(["app!&lt;b&gt;&amp;cold", "app!hot"], Name().Matches(page).Select(m => m.Groups[1].Value));
        Assert.Matches("<td> *local\\.get 0</td>", page);
        Assert.Contains("ldc.i4", page, StringComparison.Ordinal);
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64) Assert.Contains("ret</pre>", page, StringComparison.Ordinal);
        // What a guest is called is text, and nothing is loaded from elsewhere.
        Assert.DoesNotContain("<b>&cold", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=", page);
    }

    [Fact]
    public void AProfilePutsHotFunctionsFirst()
    {
        string module = File("app.wat", Module), profile = File("profile.json"), target = File("page.html");
        Assert.Equal(0, Run("profile", "-o", profile, "--sample-every", "1000", "--invoke", "hot", module, "100000").Code);
        Assert.Equal((0, "", ""), Run("explore", module, "--profile", profile, "-o", target, "--functions", "1"));
        string page = System.IO.File.ReadAllText(target);
        Assert.Equal(["app!hot"], Name().Matches(page).Select(m => m.Groups[1].Value));
        Assert.Contains("<b>100.0%</b>", page, StringComparison.Ordinal);
        Assert.Contains("1 of 2 functions, hot ones first", page, StringComparison.Ordinal);
        Assert.Equal((1, "", $"error: {module} is not a profile of wasmjit profile\n"), Run("explore", module, "--profile", module));
        Assert.Equal((1, "", "error: --functions none: the value must be a number\n"), Run("explore", module, "--functions", "none"));
    }

    /// <summary>Where there is a browser, the page shows what it says, and its filter works.</summary>
    [BrowserFact]
    public async Task ABrowserShowsIt()
    {
        string module = File("app.wat", Module), target = File("page.html");
        Assert.Equal(0, Run("explore", module, "-o", target).Code);
        string page = System.IO.File.ReadAllText(target).Replace("</script>", """
            const field = document.getElementById("filter"); field.value = "HOT"; field.dispatchEvent(new Event("input"));
            document.title = [...document.querySelectorAll("details")].filter(d => !d.hidden).map(d => d.dataset.name).join();
            </script>
            """, StringComparison.Ordinal);
        System.IO.File.WriteAllText(target, page);
        (int code, string output, _) = await ChildProcess.Run(new ProcessStartInfo(BrowserFactAttribute.Browser!, ["--headless", "--no-sandbox", "--disable-gpu", $"--user-data-dir={File("browser")}", "--dump-dom", new Uri(target).AbsoluteUri]));
        Assert.Equal(0, code);
        Assert.Contains("<title>app!hot</title>", output, StringComparison.Ordinal);
    }

    [GeneratedRegex("data-name=\"([^\"]*)\"")]
    private static partial Regex Name();
}

/// <summary>A test that needs Chromium and says so where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    internal static readonly string? Browser = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    public BrowserFactAttribute()
    {
        if (Browser is null) Skip = "not run: needs chromium";
    }
}
