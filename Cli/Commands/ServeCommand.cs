using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.AspNetCore;
using WasmJit.Components;
using WasmJit.Runtime;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Cli;

/// <summary><c>wasmjit serve</c>: a component that answers requests, behind a server.</summary>
internal static class ServeCommand
{
    internal const string Name = "serve";

    /// <summary>How many frames the message has for a guest that is stopped while it starts.</summary>
    private const int StackLines = 10;

    /// <summary>For so many guests at once there are threads from the beginning.</summary>
    private const int MostThreads = 1000;

    /// <summary>How long a request may take if nothing else is said.</summary>
    private static readonly TimeSpan DefaultTime = TimeSpan.FromSeconds(30);

    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument("A component that exports wasi:http/incoming-handler or wasi:http/handler: .wasm or .wat, or one that was saved.");
        var address = new Option<string>("--addr")
        {
            Description = "Where to listen: IP:PORT, [IPv6]:PORT, or PORT or localhost:PORT, which are on this machine alone. Port 0 takes a free one.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => "127.0.0.1:8080",
        };
        Option<string> keep = RunLimits.Counted("--keep", "Keep up to this many instances for further requests, with what they have in their memories. By default each request has a fresh one.");
        Option<string> uses = RunLimits.Counted("--requests-per-instance", "How many requests a kept instance answers before another takes its place.", 1);
        Option<string> concurrency = RunLimits.Counted("--concurrency", "How many requests are answered at once; others wait.", 1);
        Option<string> waiting = RunLimits.Counted("--max-waiting", "How many requests may wait; what comes then gets the status 503.");
        Option<string> body = RunLimits.Sized("--max-body", "The most bytes of a request's body, such as 30M, the default.");
        var grace = new Option<string>("--grace") { Description = "How long requests may go on after Ctrl-C or SIGTERM: 10s by default.", HelpName = "TIME" };
        var command = new Command(Name, "Serves a component that answers HTTP requests.")
        {
            file, address, keep, uses, concurrency, waiting, body, grace, GuestOptions.Directories, GuestOptions.Environment, GuestOptions.InheritEnvironment, ModuleFile.AllowSaved, EngineFlags.Tier, EngineFlags.BackgroundThreads,
        };
        RunLimits.AddTo(command);
        foreach (Option option in NetworkRules.Options) command.Add(option);
        Help.Describe(command, """
            The component exports wasi:http/incoming-handler (the worlds wasi:http/proxy and others) or wasi:http/handler, and has
            WASI 0.2 and 0.3: what it prints goes to the tool's own streams, and files and network are given as for run:
              wasmjit serve --addr 0.0.0.0:8080 --dir ./site::/site::ro app.wasm
            --timeout, --fuel and --max-memory are limits of each request or instance; the time is 30s if nothing else is said.
            A guest that fails gives its client the status 500, 502 or 504, or a response that breaks off; why is printed here.
            Ctrl-C or SIGTERM stop the server: requests that are there may end first. A second Ctrl-C ends at once.
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!;
            RunLimits limits = RunLimits.Of(parsed);
            var standard = new WasiHttpHandlerOptions();
            var options = new WasiHttpHandlerOptions
            {
                KeptInstances = RunLimits.CountOf(parsed, keep) ?? 0,
                RequestsPerInstance = RunLimits.CountOf(parsed, uses) ?? int.MaxValue,
                MaximumConcurrency = RunLimits.CountOf(parsed, concurrency) ?? standard.MaximumConcurrency,
                MaximumWaiting = RunLimits.CountOf(parsed, waiting) ?? standard.MaximumWaiting,
                MaximumBodyBytes = RunLimits.SizeOf(parsed, body) ?? standard.MaximumBodyBytes,
                Timeout = limits.Time ?? DefaultTime,
                Fuel = limits.Fuel?.Remaining,
            };
            IPEndPoint where = Parse(parsed.GetValue(address)!);
            TimeSpan patience = parsed.GetValue(grace) is { } text ? RunLimits.ParseTime("--grace", text) : TimeSpan.FromSeconds(10);
            WasiDirectory[] given = GuestOptions.DirectoriesOf(parsed.GetValue(GuestOptions.Directories) ?? []);
            WasmComponent component = Load(path, limits.Apply(EngineFlags.Options(parsed)) with { Interruptible = true }, terminal, new SavedTrust(parsed.GetValue(ModuleFile.AllowSaved), given));
            if (HttpGuests.ExportOf(component) is null)
                throw new ToolException($"{path} answers no requests: it does not export wasi:http/incoming-handler or wasi:http/handler", component.Exports.Count == 0 ? null : $"it exports {string.Join(", ", component.Exports)}");
            SharedFrameworks.UseAspNet();
            var host = new WasiComponentHost(new WasiOptions
            {
                Arguments = [Path.GetFileName(path)],
                Environment = GuestOptions.EnvironmentOf(parsed),
                Directories = given,
                Input = Stream.Null,
                Network = NetworkRules.Of(parsed),
                Http = NetworkRules.HttpOf(parsed),
            });
            return Serve(component, host, options, where, patience, terminal);
        });
        return command;
    }

    private static IPEndPoint Parse(string text)
    {
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)) return new IPEndPoint(IPAddress.Loopback, port);
        const string here = "localhost:";
        string numbers = text.StartsWith(here, StringComparison.OrdinalIgnoreCase) ? $"{IPAddress.Loopback}:{text[here.Length..]}" : text;
        if (numbers.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(numbers, out IPEndPoint? point) && numbers.EndsWith($":{point.Port}", StringComparison.Ordinal)) return point;
        throw new ToolException($"--addr {text}: the value must be an address and a port such as 127.0.0.1:8080, [::1]:8080 or 8080");
    }

    private static WasmComponent Load(string path, EngineOptions options, Terminal terminal, SavedTrust trust)
    {
        byte[] bytes = ModuleFile.ReadBytes(path);
        if (SavedComponents.IsSaved(bytes)) return ModuleFile.LoadSavedComponent(path, bytes, options, trust);
        ModuleBytes source = ModuleFile.ReadAny(path, bytes);
        if (!source.IsComponent) throw new ToolException($"{path} is a module, not a component", "serve takes components that export wasi:http/incoming-handler or wasi:http/handler");
        return ModuleFile.CompileComponent(source, options, terminal);
    }

    /// <summary>Apart, since it is compiled where ASP.NET can be found.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Serve(WasmComponent component, WasiComponentHost host, WasiHttpHandlerOptions options, IPEndPoint address, TimeSpan grace, Terminal terminal)
    {
        // Once, so that what is missing is said now. Its start functions are the guest's, so they have the limits of a request.
        BrokenPipes.AreIgnored();
        // Guests of 0.2 hold threads of the pool, which the server needs beside them. .NET adds one each half second.
        ThreadPool.GetMinThreads(out int workers, out int ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Math.Min(options.MaximumConcurrency, MostThreads) + Environment.ProcessorCount), ports);
        using (var time = new CancellationTokenSource(options.Timeout))
        {
            try
            {
                ComponentInstanceOptions first = (options.Instance ?? new ComponentInstanceOptions()) with { Fuel = options.Fuel is { } units ? new Fuel(units) : null };
                Guest.Run(() => host.Instantiate(component, first).Dispose(), time.Token);
            }
            catch (OperationCanceledException e) when (time.IsCancellationRequested)
            {
                throw new ToolException("an instance was not ready when the time of a request was over", "--timeout says how long a request may take") { Items = [.. WasmStackTrace.Of(e).Take(StackLines).Select(f => $"at {f}")] };
            }
        }
        return ServeAsync(component, host, options, address, grace, terminal).GetAwaiter().GetResult();
    }

    private static async Task<int> ServeAsync(WasmComponent component, WasiComponentHost host, WasiHttpHandlerOptions options, IPEndPoint address, TimeSpan grace, Terminal terminal)
    {
        var server = new WasmServer(component, host, options, address, (request, reason) => terminal.GuestFailed(request, reason));
        await using ConfiguredAsyncDisposable closed = server.ConfigureAwait(false);
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int signals = 0;
        void Stop(PosixSignalContext context)
        {
            // A second one does what it does without us.
            context.Cancel = Interlocked.Increment(ref signals) == 1;
            stop.TrySetResult();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        Uri listening;
        try
        {
            listening = await server.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Kestrel wraps the one that says so.
            string reason = (e as SocketException ?? e.GetBaseException()).Message;
            throw new ToolException($"cannot listen on {address}: {char.ToLowerInvariant(reason[0])}{reason[1..]}", "--addr says where; port 0 takes a free one");
        }
        terminal.Line($"serving on {listening}");
        terminal.Out.Flush();
        await stop.Task.ConfigureAwait(false);
        await server.StopAsync(grace).ConfigureAwait(false);
        return Tool.Success;
    }
}
