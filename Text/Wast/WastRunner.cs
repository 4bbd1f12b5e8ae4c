using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Text;

/// <summary>A failed command.</summary>
internal sealed record WastFailure(int Line, string Reason);

/// <summary>The result of a script.</summary>
/// <param name="Path">The script.</param>
/// <param name="Passed">How many commands did what they should.</param>
/// <param name="Skipped">How many were left out.</param>
/// <param name="Failures">Those that failed.</param>
/// <param name="Uncovered">
/// What functions have that this process cannot run, since it makes no code and the interpreter has no such thing, and how many commands met it first.
/// </param>
internal sealed record WastResult(string Path, int Passed, int Skipped, IReadOnlyList<WastFailure> Failures, IReadOnlyDictionary<string, int> Uncovered);

/// <summary>Runs scripts of the official test suite on an engine.</summary>
internal sealed class WastRunner
{
    private readonly Engine engine;
    private readonly Dictionary<string, Instance> instances = [];
    private readonly Dictionary<string, Module> definitions = [];
    private readonly Dictionary<string, Thread> threads = [];
    private readonly Imports registered;
    private readonly List<WastFailure> failures = [];
    private Instance? current;
    private Module? lastDefinition;
    private bool unsupported;
    private int passed, skipped;

    /// <summary>What could not be run, see <see cref="WastResult.Uncovered"/>. From then on instances are not in the state that the script expects.</summary>
    private readonly Dictionary<string, int> uncovered = [];

    private readonly SuiteBaseline baseline;
    private readonly bool saved;
    private readonly Func<Module, Module>? exchange;
    private readonly ComponentScript components;

    private WastRunner(Engine engine, SuiteBaseline baseline, Imports registered, bool saved, Func<Module, Module>? exchange)
    {
        this.saved = saved;
        this.exchange = exchange;
        this.engine = engine;
        this.baseline = baseline;
        this.registered = registered;
        components = new ComponentScript(new ScriptComponents(engine, saved));
    }

    /// <summary>Reads and runs a script. An error of the text is a failure at its line.</summary>
    /// <param name="path">The script.</param>
    /// <param name="options">The engine's options.</param>
    /// <param name="saved">Whether each module is saved as an assembly, and run as it is loaded from there.</param>
    /// <param name="exchange">Gives for each module what is run in its place; null if it is itself.</param>
    internal static WastResult Run(string path, EngineOptions? options = null, bool saved = false, Func<Module, Module>? exchange = null)
    {
        // There is one thread.
        if (OperatingSystem.IsBrowser()) return RunHere(path, options ?? new EngineOptions(), saved, exchange);
        WastResult? result = null;
        ExceptionDispatchInfo? error = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = RunHere(path, options ?? new EngineOptions(), saved, exchange);
                }
                catch (Exception e)
                {
                    error = ExceptionDispatchInfo.Capture(e);
                }
            }, 8 << 20);
        thread.Start();
        thread.Join();
        error?.Throw();
        return result!;
    }

    private static WastResult RunHere(string path, EngineOptions options, bool saved, Func<Module, Module>? exchange)
    {
        var baseline = SuiteBaseline.Of(path);
        var engine = new Engine(options with { Features = options.Features & baseline.Features });
        WastScript script;
        try
        {
            script = WastReader.Read(File.ReadAllBytes(path), path);
        }
        catch (WatException e)
        {
            return new WastResult(path, 0, 0, [new WastFailure(e.Line, e.Message)], new Dictionary<string, int>());
        }
        var runner = new WastRunner(engine, baseline, SpecTest.Make(), saved, exchange);
        runner.RunAll(script.Commands);
        return new WastResult(path, runner.passed, runner.skipped, runner.failures, runner.uncovered);
    }

    private void RunAll(IReadOnlyList<WastCommand> commands)
    {
        foreach (WastCommand command in commands)
        {
            try
            {
                string? problem = Run(command);
                if (problem is null) passed++;
                else if (uncovered.Count > 0) LeaveOut(Consequence);
                else failures.Add(new WastFailure(command.Line, problem));
            }
            catch (UnsupportedModuleException e) when (!IsFault(e))
            {
                unsupported = true;
                current = null;
                skipped++;
            }
            catch (SkippedException)
            {
                skipped++;
            }
            catch (PlatformNotSupportedException e) when (!RuntimeCode.IsAvailable)
            {
                LeaveOut(e is UncoveredFunctionException function ? function.What : e.Message);
                if (command is ModuleCommand or InstanceCommand)
                {
                    unsupported = true;
                    current = null;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (uncovered.Count > 0) LeaveOut(Consequence);
                else failures.Add(new WastFailure(command.Line, $"{e.GetType().Name}: {e.Message}"));
            }
        }
        foreach (Thread thread in threads.Values) thread.Join();
    }

    /// <summary>What is said of a command whose result is another because an earlier one could not be run.</summary>
    internal const string Consequence = "a command before this one";

    private void LeaveOut(string what)
    {
        uncovered[what] = uncovered.GetValueOrDefault(what) + 1;
        skipped++;
    }

    /// <summary>The command is about a module that this version does not compile.</summary>
    private sealed class SkippedException : Exception;

    private string? Run(WastCommand command)
    {
        switch (command)
        {
            case ModuleCommand { Module.IsComponent: true } component:
                if (!component.IsDefinition) current = null;
                components.Define(component);
                return null;
            case InstanceCommand { IsComponent: true } component:
                current = null;
                components.Instantiate(component);
                return null;
            case ModuleCommand module:
                {
                    if (!module.IsDefinition) current = null;
                    Module compiled = Compile(module.Module.Encode());
                    unsupported = false;
                    if (module.IsDefinition)
                    {
                        lastDefinition = compiled;
                        if (module.Module.Name is { } definition) definitions[definition] = compiled;
                    }
                    else
                    {
                        SetCurrent(compiled.Instantiate(registered), module.Module.Name);
                    }
                    return null;
                }
            case InstanceCommand instance:
                {
                    Module definition = instance.Definition is { } name ? definitions[name]
                        : lastDefinition ?? throw new SkippedException();
                    SetCurrent(definition.Instantiate(registered), instance.Name);
                    return null;
                }
            case RegisterCommand register:
                // A definition without an instance is registered as a module, which others may import.
                if (register.Name is { } defined && !instances.ContainsKey(defined) && definitions.TryGetValue(defined, out Module? library))
                    registered.Add(register.As, library);
                else registered.Add(register.As, Find(register.Name));
                return null;
            case ActionCommand action:
                if (components.Owns(action.Action.Module)) components.Invoke(action.Action);
                else Perform(action.Action, out _);
                return null;
            case AssertReturn assertion: return AssertReturns(assertion);
            case AssertFailure failure: return AssertFails(failure);
            case ThreadCommand thread: return StartThread(thread);
            case WaitCommand wait:
                threads[wait.Name].Join();
                threads.Remove(wait.Name);
                return null;
            default: return $"unknown command {command}";
        }
    }

    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Scripts are run with saved modules by tests, which are no native programs.")]
    private Module Compile(byte[] bytes)
    {
        Module module = engine.Compile(bytes);
        if (exchange is not null) return exchange(module);
        if (!saved) return module;
        var file = new MemoryStream();
        module.Save(file);
        file.Position = 0;
        Module loaded = new Engine(engine.Options with { Compilation = Compilation.Never }).LoadSaved(file);
        if (!loaded.SavedCode!.UsesCompile) return loaded;
        // What it compiles is not saved.
        file.Position = 0;
        return engine.LoadSaved(file);
    }

    private void SetCurrent(Instance instance, string? name)
    {
        components.Leave();
        current = instance;
        if (name is not null) instances[name] = instance;
    }

    private Instance Find(string? name)
    {
        if (name is not null && instances.TryGetValue(name, out Instance? found)) return found;
        if (name is null && current is not null) return current;
        throw unsupported ? new SkippedException() : new InvalidOperationException($"there is no module {name}");
    }

    private object? Perform(WastAction action, out int results)
    {
        Instance instance = Find(action.Module);
        object export = instance.FindExport(action.Export) ?? throw new KeyNotFoundException($"no export \"{action.Export}\"");
        if (action.Kind == WastActionKind.Get)
        {
            results = 1;
            return ((Global)export).Value;
        }
        var function = (Delegate)export;
        results = ResultsOf(instance, action.Export);
        return BoxedCalls.Invoke(function, [.. action.Args.Select(WastValues.ToHost)]);
    }

    private static int ResultsOf(Instance instance, string export) =>
        instance.Exports.First(e => e.Name == export).Type.Func.Results.Length;

    private string? AssertReturns(AssertReturn assertion)
    {
        if (components.Owns(assertion.Action.Module)) return components.AssertReturns(assertion);
        object? result = Perform(assertion.Action, out int count);
        object?[] actual = WastValues.Flatten(result, count);
        if (actual.Length != assertion.Results.Count) return $"{actual.Length} results, {assertion.Results.Count} expected";
        for (int i = 0; i < actual.Length; i++)
            if (!WastValues.Matches(actual[i], assertion.Results[i]))
                return $"{assertion.Action.Export}: result {i} is {actual[i] ?? "null"}, expected {assertion.Results[i]}";
        return null;
    }

    private string? AssertFails(AssertFailure assertion)
    {
        bool isComponent = assertion.Module?.IsComponent ?? components.Owns(assertion.Action!.Module);
        try
        {
            if (isComponent)
            {
                if (assertion.Module is not null) components.Fail(assertion);
                else components.Invoke(assertion.Action!);
            }
            else if (assertion.Module is { } module)
            {
                Module compiled = Compile(module.Encode());
                if (assertion.Kind.EndsWith("_custom", StringComparison.Ordinal) && compiled.Info.CustomProblems is [var problem, ..])
                    throw new InvalidModuleException(problem.Reason, problem.Offset);
                if (assertion.Kind is "assert_trap" or "assert_unlinkable" or "assert_exception") compiled.Instantiate(registered);
            }
            else
            {
                Perform(assertion.Action!, out _);
            }
        }
        catch (UnsupportedModuleException e) when (assertion.Kind is "assert_trap" or "assert_unlinkable" && !IsFault(e))
        {
            throw new SkippedException();
        }
        catch (Exception e) when (Reason(assertion.Kind, e) is { } reason)
        {
            bool matches = isComponent ? SuiteBaseline.MatchesComponent(assertion.Message, reason) : baseline.Matches(assertion.Message, reason);
            return matches ? null : $"\"{assertion.Message}\" expected, got \"{reason}\"";
        }
        return $"{assertion.Kind} \"{assertion.Message}\": nothing failed";
    }

    /// <summary>Whether the JIT refuses a function. In scripts all functions are such as it compiles.</summary>
    private static bool IsFault(UnsupportedModuleException e) => e.InnerException is InvalidProgramException;

    /// <summary>The reason of an exception, if the command expects its kind.</summary>
    private static string? Reason(string kind, Exception e) => (kind, e) switch
    {
        ("assert_trap" or "assert_exhaustion", TrapException) => e.Message,
        ("assert_malformed" or "assert_malformed_custom", MalformedModuleException m) => m.Reason,
        ("assert_malformed" or "assert_malformed_custom" or "assert_invalid" or "assert_invalid_custom", WatException w) => w.Reason,
        ("assert_invalid" or "assert_invalid_custom" or "assert_malformed_custom", InvalidModuleException i) => i.Reason,
        ("assert_exception", WasmException) => e.Message,
        ("assert_unlinkable", LinkException) => e.Message,
        _ => null,
    };

    private string? StartThread(ThreadCommand command)
    {
        Imports shared = SpecTest.Make();
        if (command.Shared is { } name) shared.Add(name, Find(name));
        var runner = new WastRunner(engine, baseline, shared, saved, exchange);
        if (command.Shared is { } sharedName) runner.instances[sharedName] = Find(sharedName);
        var thread = new Thread(() =>
        {
            runner.RunAll(command.Commands);
            lock (failures)
            {
                passed += runner.passed;
                skipped += runner.skipped;
                failures.AddRange(runner.failures);
            }
        });
        threads[command.Name] = thread;
        thread.Start();
        return null;
    }
}
