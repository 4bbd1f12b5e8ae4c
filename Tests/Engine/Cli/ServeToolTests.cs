using System.Diagnostics;
using System.Globalization;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasmjit serve</c>, as a process; and what it says to command lines that are wrong.</summary>
public sealed class ServeToolTests
{
    private static string Server => Golden.InRepository("Tests/Programs/Components/server.wasm");

    [LinuxFact]
    public async Task AServerServesUntilItIsTold()
    {
        using Process process = Start("--addr", "0", "--keep", "2", "--concurrency", "2", Server);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string? first = await process.StandardOutput.ReadLineAsync();
        Assert.StartsWith("serving on http://127.0.0.1:", first, StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = new Uri(first!["serving on ".Length..]), Timeout = Eventually.Patience };
        Assert.Equal("hello\n", await client.GetStringAsync(new Uri("/hello", UriKind.Relative), CancellationToken.None));
        // A client that goes away while it is written to must not end the process by SIGPIPE, which ends the other commands when their output is not read.
        const int sigpipe = 13;
        string ignored = (await File.ReadAllLinesAsync($"/proc/{process.Id}/status", CancellationToken.None)).Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..].Trim();
        Assert.NotEqual(0L, Convert.ToInt64(ignored, 16) & (1L << (sigpipe - 1)));
        using (HttpResponseMessage trapped = await client.GetAsync(new Uri("/trap", UriKind.Relative), CancellationToken.None)) Assert.Equal(500, (int)trapped.StatusCode);
        using (Process kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        // Who runs the server learns what its client does not.
        Assert.StartsWith("GET /trap: unreachable\n    at ", await errors, StringComparison.Ordinal);
    }

    /// <summary>The component of the page answers as the page says.</summary>
    [LinuxFact]
    public async Task TheComponentOfThePageAnswers()
    {
        string page = (await File.ReadAllTextAsync(Golden.InRepository("Docs/tool.md"), CancellationToken.None)).ReplaceLineEndings("\n");
        const string shown = "$ curl localhost:8080/you\n";
        int start = page.IndexOf(shown, StringComparison.Ordinal) + shown.Length;
        Assert.True(start > shown.Length);
        using Process process = Start("--addr", "localhost:0", Golden.InRepository("Docs/tool/hello.wat"));
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string first = (await process.StandardOutput.ReadLineAsync())!;
        using var client = new HttpClient { Timeout = Eventually.Patience };
        Assert.Equal(page[start..page.IndexOf("```", start, StringComparison.Ordinal)], await client.GetStringAsync(new Uri(new Uri(first["serving on ".Length..]), "you"), CancellationToken.None));
        using (Process kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, await errors));
    }

    /// <summary>A place where the tool cannot listen is no fault of the tool: one that is taken, and one that is not this machine's (RFC 5737 has addresses of nobody).</summary>
    [Fact]
    public void APlaceThatCannotBeListenedOnIsAnError()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        foreach (string place in new[] { taken.LocalEndpoint.ToString()!, "192.0.2.1:80" })
        {
            (int code, string output, string error) = ToolRun.Of("serve", "--addr", place, Server);
            Assert.Equal((Tool.Failure, ""), (code, output));
            Assert.StartsWith($"error: cannot listen on {place}: ", error, StringComparison.Ordinal);
            Assert.EndsWith("\nhelp: --addr says where; port 0 takes a free one\n", error, StringComparison.Ordinal);
        }
    }

    private static Process Start(params string[] args) => Process.Start(new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "serve", .. args])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["WASMJIT_CONFIG"] = "" },
    })!;

    [Theory]
    [InlineData("error: --addr nowhere: the value must be an address and a port such as 127.0.0.1:8080, [::1]:8080 or 8080", "--addr", "nowhere")]
    [InlineData("error: --addr localhost: the value must be an address and a port such as 127.0.0.1:8080, [::1]:8080 or 8080", "--addr", "localhost")]
    [InlineData("error: --addr localhost:99999: the value must be an address and a port such as 127.0.0.1:8080, [::1]:8080 or 8080", "--addr", "localhost:99999")]
    [InlineData("error: --addr 1.2.3.4: the value must be an address and a port such as 127.0.0.1:8080, [::1]:8080 or 8080", "--addr", "1.2.3.4")]
    [InlineData("--concurrency 0: the value must be a number of at least 1", "--concurrency", "0")]
    [InlineData("error: --grace soon: the value must be a time such as 10s, 500ms, 1.5m", "--grace", "soon")]
    public void WrongOptionsAreErrors(string message, params string[] options)
    {
        var screen = new StringWriter();
        Assert.Equal(1, Tool.Run(["serve", .. options, Server], screen, screen));
        Assert.Contains(message, screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AComponentThatAnswersNothingIsAnError()
    {
        var screen = new StringWriter();
        Assert.Equal(1, Tool.Run(["serve", Golden.InRepository("Tests/Programs/Components/json.wasm")], screen, screen));
        Assert.Contains("answers no requests: it does not export wasi:http/incoming-handler", screen.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, Tool.Run(["serve", Golden.InRepository("Tests/Programs/Wasm/json.wasm")], screen, screen));
        Assert.Contains("is a module, not a component", screen.ToString(), StringComparison.Ordinal);
    }

    /// <summary>An instance is made before the server listens, and its start function is the guest's: a request's limits hold for it.</summary>
    [Theory]
    [InlineData(1, "error: an instance was not ready when the time of a request was over", "--timeout", "200ms")]
    [InlineData(Tool.Trapped, "trap: out of fuel", "--fuel", "1000")]
    public void TheFirstInstanceHasLimits(int code, string message, params string[] limit)
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("wasmjit-serve").FullName, "loops.wat");
        try
        {
            File.WriteAllText(file, """
                (component
                  (core module $m (func $start (loop $ever (br $ever))) (start $start))
                  (core instance (instantiate $m))
                  (instance $e)
                  (export "wasi:http/incoming-handler@0.2.0" (instance $e)))
                """);
            var screen = new StringWriter();
            Assert.Equal(code, Tool.Run(["serve", "--addr", "0", .. limit, file], screen, screen));
            Assert.StartsWith(message, screen.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    /// <summary>ASP.NET is found beside .NET; another version of either is no reason not to.</summary>
    [Fact]
    public void TheFrameworkIsTheOneThatFits()
    {
        string root = Directory.CreateTempSubdirectory("wasmjit-frameworks").FullName;
        try
        {
            string Make(string path) => Directory.CreateDirectory(Path.Combine(root, path)).FullName;
            string runtime = Make("Microsoft.NETCore.App/10.0.3");
            Assert.Null(SharedFrameworks.Find(runtime));
            Make("Microsoft.AspNetCore.App/9.0.9");
            Make("Microsoft.AspNetCore.App/11.0.0");
            Make("Microsoft.AspNetCore.App/10.0.0-rc.1");
            Assert.Null(SharedFrameworks.Find(runtime));
            string older = Make("Microsoft.AspNetCore.App/10.0.1");
            Assert.Equal(older, SharedFrameworks.Find(runtime));
            string newer = Make("Microsoft.AspNetCore.App/10.0.12");
            Assert.Equal(newer, SharedFrameworks.Find(runtime));
            string same = Make("Microsoft.AspNetCore.App/10.0.3");
            Assert.Equal(same, SharedFrameworks.Find(runtime));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
