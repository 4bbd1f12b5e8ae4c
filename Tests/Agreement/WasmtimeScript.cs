using WasmJit.Jit.Binary;
using WasmJit.Text;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>
/// Runs a script of the suite on Wasmtime, with the bytes that this project's text reader makes, and reports what does not
/// come out as the script says. This project's engine does what every script says (the suite's own tests), so that the two
/// engines differ exactly where something is reported.
/// </summary>
internal sealed class WasmtimeScript : IDisposable
{
    private const string Rejected = "commands about a module that Wasmtime does not accept";
    private const string Threads = "commands of a script's threads (the package has no memory that two stores share)";
    private const string Malformed = "texts that are malformed: there are no bytes";

    private readonly string file;
    private readonly TextWriter output;
    private readonly W.Engine engine;
    private readonly W.Store store;
    private readonly W.Linker linker, adapters;
    private readonly Dictionary<string, Guest> instances = [];
    private readonly Dictionary<string, (W.Module Module, ModuleInfo Info)> definitions = [];
    private readonly SortedDictionary<string, int> counts = new(StringComparer.Ordinal);
    private (W.Module Module, ModuleInfo Info)? lastDefinition;
    private Guest? current;

    internal WasmtimeScript(string file, SuiteBaseline baseline, TextWriter output)
    {
        this.file = file;
        this.output = output;
        engine = WasmtimeEngine.With(baseline.Features);
        store = new W.Store(engine);
        linker = new W.Linker(engine) { AllowShadowing = true };
        adapters = new W.Linker(engine) { AllowShadowing = true };
        foreach (string text in new[] { SpecTestText.Most, SpecTestText.Shared, SpecTestText.Table64 })
        {
            W.Module host = PackageModule.Make(engine, "spectest", Wat.ToBinary(text));
            linker.DefineInstance(store, "spectest", linker.Instantiate(store, host));
        }
    }

    /// <summary>An instance on Wasmtime with what this project knows of its module.</summary>
    private sealed class Guest(W.Instance instance, ModuleInfo info)
    {
        internal W.Instance Instance { get; } = instance;
        internal ModuleInfo Info { get; } = info;
        internal AdapterModule Adapter { get; } = new(info);

        /// <summary>The functions of adapters by what they adapt.</summary>
        internal Dictionary<string, W.Function> Adapted { get; } = [];
    }

    /// <summary>The command cannot be compared, for a reason that is counted.</summary>
    private sealed class SkippedException(string reason) : Exception(reason);

    internal void Run(WastScript script, HashSet<int> leftOut)
    {
        for (int i = 0; i < script.Commands.Count; i++)
        {
            WastCommand command = script.Commands[i];
            if (leftOut.Contains(i))
            {
                if (command is ModuleCommand or InstanceCommand) current = null;
                continue;
            }
            output.WriteLine($"at {file} {i} {command.Line}");
            try
            {
                if (Run(command) is { } difference) output.WriteLine($"differs {file}:{command.Line}: {difference}");
            }
            catch (SkippedException e)
            {
                output.WriteLine($"skipped {e.Message}");
            }
            catch (W.WasmtimeException e)
            {
                output.WriteLine($"differs {file}:{command.Line}: fails: {Failures.Reason(e)}");
            }
        }
        foreach ((string what, int count) in counts) output.WriteLine($"count {count} {what}");
    }

    private void Count(string what) => counts[what] = counts.GetValueOrDefault(what) + 1;

    /// <summary>Runs a command; what differs, or null.</summary>
    private string? Run(WastCommand command)
    {
        switch (command)
        {
            case ModuleCommand module: return Load(module);
            case InstanceCommand instance:
                {
                    if ((instance.Definition is { } name ? definitions.GetValueOrDefault(name) : lastDefinition) is not { Module: { } } definition)
                        throw new SkippedException(Rejected);
                    return Start(definition.Module, definition.Info, instance.Name);
                }
            case RegisterCommand register:
                linker.DefineInstance(store, register.As, Find(register.Name).Instance);
                return null;
            case ActionCommand action:
                Perform(action.Action, null);
                Count("calls");
                return null;
            case AssertReturn assertion: return Returns(assertion);
            case AssertFailure { Action: { } action } failure: return Fails(failure.Kind, failure.Message, () => Perform(action, null));
            case AssertFailure failure: return FailsToLoad(failure);
            default: throw new SkippedException(Threads);
        }
    }

    private Guest Find(string? name) =>
        (name is null ? current : instances.GetValueOrDefault(name)) ?? throw new SkippedException(Rejected);

    private string? Load(ModuleCommand command)
    {
        if (!command.IsDefinition)
        {
            current = null;
            if (command.Module.Name is { } gone) instances.Remove(gone);
        }
        byte[] bytes = command.Module.Encode();
        ModuleInfo info = ModuleDecoder.Decode(bytes);
        W.Module module;
        try
        {
            module = PackageModule.Make(engine, "guest", bytes);
        }
        catch (W.WasmtimeException e)
        {
            return $"rejected: {Failures.Reason(e)}";
        }
        Count(command.Module.Kind == WastModuleKind.Binary ? "modules written as bytes" : "modules written as text");
        if (!command.IsDefinition) return Start(module, info, command.Module.Name);
        lastDefinition = (module, info);
        if (command.Module.Name is { } name) definitions[name] = (module, info);
        return null;
    }

    private string? Start(W.Module module, ModuleInfo info, string? name)
    {
        current = new Guest(linker.Instantiate(store, module), info);
        if (name is not null) instances[name] = current;
        return CompareExports(module, current);
    }

    /// <summary>The exports by their names and kinds, where the package can list them; and with their types, by importing them.</summary>
    private string? CompareExports(W.Module module, Guest guest)
    {
        ModuleInfo info = guest.Info;
        if (PackageModule.IsListable(info))
        {
            IEnumerable<string> mine = info.Exports.Select(e => $"{e.Kind} {e.Name}");
            IEnumerable<string> theirs = module.Exports.Select(e => $"{Failures.KindOf(e)} {e.Name}");
            if (!mine.SequenceEqual(theirs)) return $"exports {string.Join(", ", theirs)} instead of {string.Join(", ", mine)}";
            Count("lists of exports");
        }
        try
        {
            adapters.DefineInstance(store, AdapterModule.From, guest.Instance);
            foreach (byte[] probe in guest.Adapter.Probes())
                adapters.Instantiate(store, PackageModule.Make(engine, "probe", probe));
        }
        catch (W.WasmtimeException e)
        {
            return $"types of exports: {Failures.Reason(e)}";
        }
        Count("types of all exports of a module");
        return null;
    }

    private string? Returns(AssertReturn assertion)
    {
        (object?[] actual, IReadOnlyList<ResultForm> forms) = Perform(assertion.Action, assertion.Results);
        if (actual.Length != assertion.Results.Count) return $"{actual.Length} results, {assertion.Results.Count} expected";
        for (int i = 0; i < actual.Length; i++)
            if (!Values.Matches(actual[i], forms[i], assertion.Results[i]))
                return $"{assertion.Action.Export}: result {i} is {actual[i] ?? "null"}, {assertion.Results[i]} expected";
        Count("results of calls and globals");
        return null;
    }

    private string? Fails(string kind, string message, Action action)
    {
        try
        {
            action();
        }
        catch (W.WasmtimeException e)
        {
            if (Failures.Agree(kind, message, e)) return Agree($"failures: {kind}");
            return $"{kind} \"{message}\": {Failures.Reason(e)}";
        }
        return $"{kind} \"{message}\": nothing fails";
    }

    private string? Agree(string what)
    {
        Count(what);
        return null;
    }

    private string? FailsToLoad(AssertFailure failure)
    {
        WastModule written = failure.Module!;
        if (written.Kind == WastModuleKind.Binary) throw new SkippedException("wrong modules written as bytes: no text of theirs");
        byte[] bytes;
        try
        {
            bytes = written.Encode();
        }
        catch (WatException)
        {
            throw new SkippedException(Malformed);
        }
        if (failure.Kind is "assert_trap" or "assert_unlinkable" or "assert_exception")
        {
            W.Module module = PackageModule.Make(engine, "guest", bytes);
            return Fails(failure.Kind, failure.Message, () => linker.Instantiate(store, module));
        }
        if (W.Module.Validate(engine, bytes) is null) return $"{failure.Kind} \"{failure.Message}\": accepted";
        return Agree($"failures: {failure.Kind}");
    }

    /// <summary>Gets a global or calls a function, through an adapter if the package could not.</summary>
    private (object?[] Results, IReadOnlyList<ResultForm> Forms) Perform(WastAction action, IReadOnlyList<WastValue>? expected)
    {
        Guest guest = Find(action.Module);
        ExportInfo export = guest.Info.Exports.First(e => e.Name == action.Export);
        if (action.Kind == WastActionKind.Get)
        {
            ResultForm form = Values.FormOfResult(guest.Info.Globals[(int)export.Index].Type.Type, expected?.FirstOrDefault());
            W.Function getter = Adapted(guest, $"get {export.Name} {form}", "get", () => guest.Adapter.Getter(export, form));
            return (Values.Flatten(getter.Invoke([]), 1), [form]);
        }
        FuncType type = guest.Info.Funcs[(int)export.Index].Func;
        ArgumentForm[] arguments = [.. type.Params.Select((p, i) => Values.FormOfArgument(p, action.Args[i]))];
        ResultForm[] forms = [.. type.Results.Select((r, i) => Values.FormOfResult(r, expected?.ElementAtOrDefault(i)))];
        bool isPlain = type.Params.Concat(type.Results).All(AdapterModule.IsPlain) && forms.All(f => f == ResultForm.Same);
        W.Function function = isPlain
            ? guest.Instance.GetFunction(export.Name) ?? throw new W.WasmtimeException($"there is no function {export.Name}")
            : Adapted(
                guest, $"call {export.Name} {string.Join(' ', arguments)} {string.Join(' ', forms)}", "call",
                () => guest.Adapter.Caller(export, arguments, forms));
        W.ValueBox[] values = [.. action.Args.Where((_, i) => arguments[i] != ArgumentForm.Null).Select(Values.ToBox)];
        return (Values.Flatten(function.Invoke(values), forms.Length), forms);
    }

    private W.Function Adapted(Guest guest, string key, string name, Func<byte[]> write)
    {
        if (guest.Adapted.TryGetValue(key, out W.Function? function)) return function;
        W.Module module = PackageModule.Make(engine, "adapter", write());
        adapters.DefineInstance(store, AdapterModule.From, guest.Instance);
        return guest.Adapted[key] = adapters.Instantiate(store, module).GetFunction(name)!;
    }

    public void Dispose()
    {
        linker.Dispose();
        adapters.Dispose();
        store.Dispose();
    }
}
