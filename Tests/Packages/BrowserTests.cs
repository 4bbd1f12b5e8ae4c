using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>The sample Samples/Browser, published with the packages: guests do there what they do on CoreCLR without code, in node and in a page.</summary>
[Collection(PackageCollection.Name)]
public sealed class BrowserTests(PackageFeed packages)
{
    private static Task<string>? published;

    [BrowserFact("node")]
    public async Task GuestsRunInNode() =>
        Assert.Equal((0, await Expected(), ""), await Dotnet.Start("node", await Published(), "main.js"));

    [BrowserFact("chromium")]
    public async Task GuestsRunInAPage()
    {
        // The page of the sample, and a script that tells this test what is in it at the end.
        string folder = await Published(), page = await File.ReadAllTextAsync(Path.Combine(folder, "index.html"));
        await File.WriteAllTextAsync(Path.Combine(folder, "test.html"), page + """
            <script type="module">
            const timer = setInterval(async () => {
                if (!document.title.startsWith('ended')) return;
                clearInterval(timer);
                await fetch('/ended', { method: 'POST', body: document.title + '\n' + document.getElementById('output').textContent });
            }, 100);
            </script>
            """);
        using var server = new PageServer(folder);
        var start = new ProcessStartInfo("chromium", ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", $"--user-data-dir={Path.Combine(packages.Root, "chromium")}", "--remote-debugging-port=0", $"http://127.0.0.1:{server.Port}/test.html"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process browser = Process.Start(start)!;
        try
        {
            Assert.Equal("ended with 0\n" + await Expected(), await server.Ended.WaitAsync(TimeSpan.FromMinutes(10)));
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
        }
    }

    /// <summary>What the same program prints on CoreCLR, where it makes no code either. Mono says that it could, because it interprets IL.</summary>
    private static async Task<string> Expected()
    {
        string native = await Dotnet.Run(Dotnet.InRepository("."), "exec", Dotnet.InRepository($"Samples/NativeAot/bin/{Dotnet.Configuration}/net10.0/native-aot.dll"));
        return native.Replace("no code can be made\n", "code can be made\n", StringComparison.Ordinal);
    }

    private Task<string> Published() => published ??= Publish();

    private async Task<string> Publish()
    {
        string folder = await packages.ProjectFolder("browser", isOnline: true), pages = Directory.CreateDirectory(Path.Combine(folder, "wwwroot")).FullName;
        foreach (string file in Directory.GetFiles(Dotnet.InRepository("Samples/Browser/wwwroot"))) File.Copy(file, Path.Combine(pages, Path.GetFileName(file)));
        File.Copy(Dotnet.InRepository("Samples/NativeAot/Program.cs"), Path.Combine(folder, "Program.cs"));
        string project = await File.ReadAllTextAsync(Dotnet.InRepository("Samples/Browser/WasmJit.Samples.Browser.csproj"));
        int references = project.LastIndexOf("  <ItemGroup>", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "browser.csproj"), project[..references] + $"""
              <PropertyGroup>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <InvariantGlobalization>true</InvariantGlobalization>
                <NuGetAudit>false</NuGetAudit>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="WasmJit.Text" Version="{packages.Version}" />
              </ItemGroup>
            </Project>
            """);
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", Path.Combine(folder, "out"));
        return Path.Combine(folder, "out", "wwwroot");
    }

    /// <summary>Serves the files of a folder, and takes what a page sends to <c>/ended</c>.</summary>
    private sealed class PageServer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly string folder;

        internal PageServer(string folder)
        {
            this.folder = folder;
            listener.Start();
            _ = Listen();
        }

        internal int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        internal Task<string> Ended => ended.Task;

        public void Dispose() => listener.Dispose();

        private async Task Listen()
        {
            try
            {
                while (true) _ = Answer(await listener.AcceptTcpClientAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task Answer(TcpClient client)
        {
            try
            {
                using (client)
                await using (NetworkStream stream = client.GetStream())
                {
                    using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
                    string[] request = (await reader.ReadLineAsync())!.Split(' ');
                    int length = 0;
                    while (await reader.ReadLineAsync() is { Length: > 0 } line)
                        if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) length = int.Parse(line["Content-Length:".Length..], System.Globalization.CultureInfo.InvariantCulture);
                    string path = Path.Combine(folder, request[1].TrimStart('/'));
                    byte[]? content = null;
                    if (request[0] == "POST")
                    {
                        var body = new StringBuilder();
                        while (Encoding.UTF8.GetByteCount(body.ToString()) < length && reader.Read() is var letter && letter >= 0) body.Append((char)letter);
                        ended.TrySetResult(body.ToString());
                        content = [];
                    }
                    else if (File.Exists(path))
                    {
                        content = await File.ReadAllBytesAsync(path);
                    }
                    string kind = Path.GetExtension(path) switch { ".html" => "text/html", ".js" => "text/javascript", ".wasm" => "application/wasm", ".json" => "application/json", _ => "application/octet-stream" };
                    await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(content is null ? "404 Not Found" : "200 OK")}\r\nContent-Type: {kind}\r\nContent-Length: {content?.Length ?? 0}\r\nConnection: close\r\n\r\n"));
                    await stream.WriteAsync(content ?? []);
                }
            }
            catch (IOException)
            {
                // The browser wants no more of it.
            }
        }
    }
}

/// <summary>A test that publishes a program for browsers: only where it is asked for, and what runs it is there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    private const string Variable = "WASMJIT_BROWSER";

    public BrowserFactAttribute(string program)
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1") Skip = $"not run: set {Variable}=1; it publishes a program for browsers";
        else if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)))) Skip = $"not run: there is no {program}";
    }
}
