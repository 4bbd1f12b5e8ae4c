using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using WasmJit.AspNetCore;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The programs of WebAssembly/wasi-testsuite for WASI 0.3, where the variable WASI_TESTSUITE_P3 names a checkout of its branch prod/testsuite-base, which has them compiled. Beside
/// each is a description: what it is given, what is said to it, and how it must end.
/// </summary>
public sealed class WasiLaterSuiteTests
{
    private static readonly string? Suite = Environment.GetEnvironmentVariable("WASI_TESTSUITE_P3");

    private static string Folder => Path.Combine(Suite!, "tests", "rust", "testsuite", "wasm32-wasip3");

    public static TheoryData<string> Programs => string.IsNullOrEmpty(Suite) || !Directory.Exists(Suite) ? ["none"]
        : [.. Directory.GetFiles(Folder, "*.wasm").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [LaterSuiteTheory]
    [MemberData(nameof(Programs))]
    public async Task ProgramsPass(string program)
    {
        string description = Path.Combine(Folder, program + ".json");
        JsonElement settings = File.Exists(description) ? JsonDocument.Parse(await File.ReadAllTextAsync(description)).RootElement : JsonDocument.Parse("{}").RootElement;
        string scratch = Directory.CreateTempSubdirectory("wasi-suite-").FullName;
        try
        {
            await using var run = new Run(program, settings, scratch);
            await run.Do();
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>One program, and what is done to it.</summary>
    private sealed class Run(string program, JsonElement settings, string scratch) : IAsyncDisposable
    {
        private readonly Pipe input = new(), output = new(), error = new();
        private readonly Dictionary<string, Socket> sockets = [];
        private readonly List<WebApplication> servers = [];
        private readonly CancellationTokenSource patience = new(Eventually.Patience);
        private Task<int>? running;
        private WasmServer? server;
        private HttpClient? client;
        private WasiComponentHost? host;

        internal async Task Do()
        {
            if (!settings.TryGetProperty("operations", out JsonElement operations))
            {
                await Begin(settings);
                int expected = settings.TryGetProperty("exit_code", out JsonElement code) ? code.GetInt32() : 0;
                await End(expected);
                return;
            }
            foreach (JsonElement each in operations.EnumerateArray())
            {
                string id = each.TryGetProperty("id", out JsonElement name) ? name.GetString()! : "", payload = each.TryGetProperty("payload", out JsonElement text) ? text.GetString()! : "";
                switch (each.GetProperty("type").GetString())
                {
                    case "run": await Begin(each); break;
                    case "wait":
                        if (server is null) await End(each.TryGetProperty("exit_code", out JsonElement code) ? code.GetInt32() : 0);
                        break;
                    case "write": await input.Writer.WriteAsync(Encoding.UTF8.GetBytes(payload), patience.Token); break;
                    case "read": Assert.Equal(payload, await Read(id == "stderr" ? error : output, payload.Length)); break;
                    case "connect": await Connect(id); break;
                    case "send": await sockets[id].SendAsync(Encoding.UTF8.GetBytes(payload), patience.Token); break;
                    case "recv":
                        byte[] buffer = new byte[payload.Length];
                        int have = 0;
                        while (have < buffer.Length && await sockets[id].ReceiveAsync(buffer.AsMemory(have), patience.Token) is > 0 and var count) have += count;
                        Assert.Equal(payload, Encoding.UTF8.GetString(buffer));
                        break;
                    case "request": await Request(each); break;
                    case "kill": break;
                    case var other: Assert.Fail($"{other} is not known"); break;
                }
            }
        }

        private async Task Begin(JsonElement options)
        {
            var environment = new Dictionary<string, string>();
            if (options.TryGetProperty("env", out JsonElement given))
                foreach (JsonProperty each in given.EnumerateObject()) environment[each.Name] = each.Value.GetString()!;
            if (settings.TryGetProperty("servers", out JsonElement wanted))
                foreach (JsonElement each in wanted.EnumerateArray()) await StartServer(each, environment);
            var directories = new List<WasiDirectory>();
            if (options.TryGetProperty("root", out JsonElement root))
            {
                foreach (string file in Directory.GetFiles(Path.Combine(Folder, root.GetString()!))) File.Copy(file, Path.Combine(scratch, Path.GetFileName(file)));
                directories.Add(new WasiDirectory(scratch, root.GetString()!));
            }
            string[] arguments = options.TryGetProperty("args", out JsonElement args) ? [.. args.EnumerateArray().Select(a => a.GetString()!)] : [];
            host = new WasiComponentHost(new WasiOptions
            {
                Arguments = [program + ".wasm", .. arguments],
                Environment = environment,
                Directories = directories,
                Network = WasiNetwork.Everything,
                Http = new WasiHttp { Allow = static _ => true },
                Input = input.Reader.AsStream(),
                Output = output.Writer.AsStream(),
                Error = error.Writer.AsStream(),
                Cancellation = patience.Token,
            });
            WasmComponent component = new Engine(new EngineOptions { Interruptible = true }).CompileComponent(await File.ReadAllBytesAsync(Path.Combine(Folder, program + ".wasm")));
            if (settings.TryGetProperty("world", out JsonElement world) && world.GetString() == "wasi:http/service")
            {
                server = new WasmServer(component, host, new WasiHttpHandlerOptions(), new IPEndPoint(IPAddress.Loopback, 0), (request, reason) => Failure = reason);
                client = new HttpClient { BaseAddress = await server.StartAsync() };
                return;
            }
            running = Task.Run(() => host.Run(component));
        }

        private Exception? Failure { get; set; }

        private async Task End(int expected)
        {
            // Nothing more is sent.
            await input.Writer.CompleteAsync();
            string ending;
            try
            {
                int code = await running!.WaitAsync(patience.Token);
                if (code == expected) return;
                ending = $"exit code {code}";
            }
            catch (TrapException trap)
            {
                ending = trap.Message;
            }
            await error.Writer.CompleteAsync();
            Assert.Fail($"{ending}: {await new StreamReader(error.Reader.AsStream()).ReadToEndAsync()}");
        }

        private async Task<string> Read(Pipe from, int length)
        {
            byte[] buffer = new byte[length];
            int have = 0;
            Stream stream = from.Reader.AsStream(leaveOpen: true);
            while (have < length && await stream.ReadAsync(buffer.AsMemory(have), patience.Token) is > 0 and var count) have += count;
            return Encoding.UTF8.GetString(buffer, 0, have);
        }

        private async Task Connect(string id)
        {
            string line = "";
            while (!line.EndsWith('\n')) line += await Read(output, 1);
            IPEndPoint point = IPEndPoint.Parse(line.Trim());
            sockets[id] = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await sockets[id].ConnectAsync(point, patience.Token);
        }

        private async Task Request(JsonElement request)
        {
            using var message = new HttpRequestMessage(new HttpMethod(request.GetProperty("method").GetString()!), new Uri(request.GetProperty("path").GetString()!, UriKind.Relative));
            if (request.TryGetProperty("headers", out JsonElement headers))
                foreach (JsonProperty each in headers.EnumerateObject()) message.Headers.TryAddWithoutValidation(each.Name, each.Value.GetString());
            if (request.TryGetProperty("body", out JsonElement body)) message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.GetString()!));
            using HttpResponseMessage response = await client!.SendAsync(message, patience.Token);
            JsonElement expected = request.GetProperty("response");
            Assert.True(expected.GetProperty("status").GetInt32() == (int)response.StatusCode, $"{(int)response.StatusCode} {Failure}");
            if (expected.TryGetProperty("headers", out JsonElement wanted))
            {
                foreach (JsonProperty each in wanted.EnumerateObject())
                    Assert.Equal(each.Value.GetString(), response.Headers.Concat(response.Content.Headers).First(h => h.Key.Equals(each.Name, StringComparison.OrdinalIgnoreCase)).Value.First());
            }
            if (expected.TryGetProperty("body", out JsonElement text)) Assert.Equal(text.GetString(), await response.Content.ReadAsStringAsync(patience.Token));
        }

        // ---- servers that the program talks to ----

        private async Task StartServer(JsonElement described, Dictionary<string, string> environment)
        {
            string variable = $"HTTP_SERVER_{described.GetProperty("name").GetString()!.ToUpperInvariant()}";
            if (described.TryGetProperty("kind", out JsonElement kind) && kind.GetString() == "closed")
            {
                using var free = new TcpListener(IPAddress.Loopback, 0);
                free.Start();
                environment[variable] = free.LocalEndpoint.ToString()!;
                return;
            }
            WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(s => s.Listen(IPAddress.Loopback, 0));
            WebApplication made = builder.Build();
            JsonElement[] endpoints = described.TryGetProperty("endpoints", out JsonElement all) ? [.. all.EnumerateArray()] : [];
            made.Run(context => Answer(context, endpoints));
            await made.StartAsync(CancellationToken.None);
            servers.Add(made);
            environment[variable] = new Uri(made.Urls.First()).Authority;
        }

        private static async Task Answer(HttpContext context, JsonElement[] endpoints)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            string path = context.Request.Path + context.Request.QueryString.ToString();
            JsonElement endpoint = endpoints.FirstOrDefault(e => e.GetProperty("method").GetString() == context.Request.Method && e.GetProperty("path").GetString() == path);
            if (endpoint.ValueKind == JsonValueKind.Undefined)
            {
                context.Response.StatusCode = 404;
                return;
            }
            switch (endpoint.TryGetProperty("mode", out JsonElement mode) ? mode.GetString() : "static")
            {
                case "echo-body":
                    await context.Response.Body.WriteAsync(body.ToArray());
                    break;
                case "echo-headers":
                    context.Response.Headers["x-request-method"] = context.Request.Method;
                    context.Response.Headers["x-request-path"] = path;
                    foreach (var header in context.Request.Headers) context.Response.Headers["x-echo-" + header.Key.ToLowerInvariant()] = header.Value;
                    if (!context.Request.CheckTrailersAvailable()) break;
                    foreach (var trailer in TrailersOf(context)) context.Response.Headers["x-trailer-" + trailer.Key.ToLowerInvariant()] = trailer.Value;
                    break;
                default:
                    await Static(context, endpoint.GetProperty("response"));
                    break;
            }
        }

        private static IHeaderDictionary TrailersOf(HttpContext context) => context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestTrailersFeature>()!.Trailers;

        private static async Task Static(HttpContext context, JsonElement response)
        {
            if (response.ValueKind == JsonValueKind.String)
            {
                await context.Response.WriteAsync(response.GetString()!);
                return;
            }
            if (response.TryGetProperty("status", out JsonElement status)) context.Response.StatusCode = status.GetInt32();
            if (response.TryGetProperty("headers", out JsonElement headers))
                foreach (JsonProperty each in headers.EnumerateObject()) context.Response.Headers.Append(each.Name, each.Value.GetString());
            if (response.TryGetProperty("body", out JsonElement body)) await context.Response.WriteAsync(body.GetString()!);
            if (!response.TryGetProperty("chunks", out JsonElement chunks)) return;
            // The server writes no trailers by HTTP/1.1, and leaves the chunks to a handler that says that there are some.
            context.Response.Headers.TransferEncoding = "chunked";
            foreach (JsonElement chunk in chunks.EnumerateArray())
            {
                await context.Response.WriteAsync($"{chunk.GetString()!.Length:x}\r\n{chunk.GetString()}\r\n");
                await context.Response.Body.FlushAsync();
            }
            string trailers = response.TryGetProperty("trailers", out JsonElement behind) ? string.Concat(behind.EnumerateObject().Select(t => $"{t.Name}: {t.Value.GetString()}\r\n")) : "";
            await context.Response.WriteAsync($"0\r\n{trailers}\r\n");
        }

        public async ValueTask DisposeAsync()
        {
            client?.Dispose();
            if (server is not null) await server.DisposeAsync();
            foreach (WebApplication each in servers) await each.DisposeAsync();
            foreach (Socket socket in sockets.Values) socket.Dispose();
            await patience.CancelAsync();
            if (running is not null) await Task.WhenAny(running);
            host?.Dispose();
            patience.Dispose();
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class LaterSuiteTheoryAttribute : TheoryAttribute
    {
        public LaterSuiteTheoryAttribute()
        {
            if (string.IsNullOrEmpty(Suite) || !Directory.Exists(Suite))
                Skip = "not run: set WASI_TESTSUITE_P3 to a checkout of github.com/WebAssembly/wasi-testsuite, branch prod/testsuite-base";
        }
    }
}
