using System.CommandLine;
using System.Reflection;
using System.Runtime.ExceptionServices;
using WasmJit.Builtins;
using WasmJit.Components;
using WasmJit.DynamicLinking;
using WasmJit.Jit.Binary;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit run</c>: runs a program, or calls an export of a module.</summary>
internal static class RunCommand
{
    internal const string Name = "run";

    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var arguments = new Argument<string[]>("ARGS")
        {
            Description = "The program's arguments, or with --invoke those of the export. Everything behind the FILE is for the guest.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var invoke = new Option<string>("--invoke")
        {
            Description = "Call this export in place of the program's start and print its results, one a line. Arguments are "
                + "numbers as in the text format (7, -1, 0xff, 1.5, nan, inf), vectors as \"i32x4 1 2 3 4\", null, names of "
                + "exported functions for references to functions, and any text for an externref.",
            HelpName = "NAME",
        };
        var cache = new Option<bool>("--cache")
        {
            Description = "Keep the code of what runs for long in this user's cache, and take it from there the next time. Not with --tier.",
        };
        var libraries = new Option<string[]>("--library-dir")
        {
            Description = "Let the program load shared libraries (with a dylink.0 section) from this directory, at the start "
                + "and with dlopen; may be repeated.",
            HelpName = "DIR",
        };
        var saved = new Option<string[]>("--saved-dir")
        {
            Description = "Let the program load libraries and modules that \"wasmjit compile\" saved in this directory: x.so.dll is "
                + "x.so. They are code of the host, so only trusted users may write there. May be repeated.",
            HelpName = "DIR",
        };
        var allowCompile = new Option<bool>("--allow-compile")
        {
            Description = "Let the program compile bytes through the module wasm:linking. --library-dir provides that module, too, "
                + "to load modules from the directory.",
        };
        var unknown = new Option<string>("--unknown-imports")
        {
            Description = "What unknown imports do. By default the program is not run; with \"trap\" it "
                + "traps when it calls one; with \"default\" they do nothing and return zeros.",
            HelpName = "trap|default",
        };
        unknown.AcceptOnlyFromAmong("trap", "default");
        var coreDump = new Option<string>("--coredump")
        {
            Description = "If the program traps, write its stack, memories and globals to this file (- is the standard output), as a WebAssembly core dump for debuggers.",
            HelpName = "FILE",
        };
        var command = new Command(Name, "Runs a program, or calls an export of a module.")
        {
            file, invoke, GuestOptions.Directories, GuestOptions.Environment, GuestOptions.InheritEnvironment, libraries, saved, allowCompile, unknown, cache, coreDump, ModuleFile.AllowSaved, EngineFlags.Tier, EngineFlags.BackgroundThreads, arguments,
        };
        RunLimits.AddTo(command);
        foreach (Option option in NetworkRules.Options.Concat(GuestFlags.Options).Concat(Profile.Options)) command.Add(option);
        Help.Describe(command, """
            A program is a module that exports _start. It gets its arguments, the standard streams, clocks, random numbers and
            the directories of --dir through WASI preview 1. Its exit code becomes the tool's:
              wasmjit run --dir ./data::/data --env LANG=en program.wasm /data/input.txt
            --invoke calls an export of any other module:
              wasmjit run --invoke add math.wasm 2 3
            If the module exports _initialize, that is called first. Options of the tool stand before the FILE, and everything behind
            it is for the guest. Behind a module without _start, which takes no arguments, they may stand as well:
              wasmjit run --timeout 10s program.wasm --verbose
              wasmjit run math.wasm --invoke add 2 3
            The exit code is 134 after a trap or an uncaught exception, or when the fuel is used up, 124 when the time is over,
            130 after Ctrl-C.
            Components that export wasi:cli/run are programs, too, and have WASI 0.2 and 0.3. Values of other exports are written as in
              wasmjit run --invoke 'area({width: 2, height: 3.5})' shapes.wasm
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!;
            byte[]? content = null;
            // A library has no arguments of its own: options of the tool behind it can only be meant for the tool.
            string[] behind = parsed.GetValue(arguments) ?? [];
            if (CommandLine.BeginWithOption(parsed, behind) && !ModuleFile.IsProgram(path, content = ModuleFile.ReadBytes(path)))
            {
                parsed = CommandLine.WithOptionsBehind(parsed, behind);
                if (parsed.Errors.Count > 0) throw CommandLineErrors.Describe(parsed);
            }
            WasiDirectory[] given = GuestOptions.DirectoriesOf(parsed.GetValue(GuestOptions.Directories) ?? []);
            RunLimits limits = RunLimits.Of(parsed);
            foreach (string? written in new[] { parsed.GetValue(coreDump), parsed.GetValue(Profile.File) })
            {
                GuestReach.Refuse(given, written, "it is written when the guest has ended");
                if (written is not null) terminal.CheckTarget(written);
            }
            foreach (string directory in parsed.GetValue(saved) ?? []) GuestReach.Refuse(given, directory, "it has code of the host");
            return new Job(terminal, path, EngineFlags.Options(parsed), limits)
            {
                Profile = Profile.Of(parsed, limits),
                Content = content,
                Trust = new SavedTrust(parsed.GetValue(ModuleFile.AllowSaved), given),
                Args = parsed.GetValue(arguments) ?? [],
                Environment = GuestOptions.EnvironmentOf(parsed),
                Cache = OpenCache(parsed.GetValue(cache) && parsed.GetValue(EngineFlags.Tier) is null && parsed.GetValue(Profile.File) is null, given),
                Directories = given,
                Libraries = [.. (parsed.GetValue(saved) ?? []).Select(Saved), .. (parsed.GetValue(libraries) ?? []).Select(Library)],
                AllowCompile = parsed.GetValue(allowCompile),
                Given = GuestFlags.Of(parsed),
                Network = NetworkRules.Of(parsed),
                Http = NetworkRules.HttpOf(parsed),
                CoreDump = parsed.GetValue(coreDump),
                Unknown = parsed.GetValue(unknown) switch
                {
                    "trap" => UnknownImports.Trap,
                    "default" => UnknownImports.Default,
                    _ => null,
                },
            }.Run(parsed.GetValue(invoke));
        });
        return command;
    }

    /// <summary>Runs what needs no parser: as <see cref="Make"/> does without options.</summary>
    internal static int Run(Terminal terminal, PlainRun plain)
    {
        WasiDirectory[] given = GuestOptions.DirectoriesOf(plain.Directories);
        return new Job(terminal, plain.File, new EngineOptions(), RunLimits.None)
        {
            Profile = null,
            Content = null,
            Trust = new SavedTrust(false, given),
            Args = plain.Arguments,
            Environment = [],
            Cache = OpenCache(false, given),
            Directories = given,
            Libraries = [],
            AllowCompile = false,
            Given = GuestFlags.None,
            Network = null,
            Http = null,
            CoreDump = null,
            Unknown = null,
        }.Run(null);
    }

    /// <summary>The cache, if it is wanted. One that the guest could write to is emptied instead, whether it is wanted or not.</summary>
    private static CodeCache? OpenCache(bool wanted, WasiDirectory[] directories)
    {
        if (!Array.Exists(directories, d => !d.ReadOnly && CodeCache.IsWithin(d.HostPath))) return wanted ? CodeCache.Open() : null;
        CodeCache.Clear();
        return null;
    }

    private static SavedNamespace Saved(string directory)
    {
        if (!Directory.Exists(directory)) throw new ToolException($"--saved-dir {directory}: the directory does not exist");
        return new SavedNamespace(directory);
    }

    private static DirectoryNamespace Library(string directory)
    {
        if (!Directory.Exists(directory)) throw new ToolException($"--library-dir {directory}: the directory does not exist");
        return new DirectoryNamespace(directory);
    }

    /// <summary>A run: the module, its arguments and imports.</summary>
    private sealed class Job(Terminal terminal, string path, EngineOptions options, RunLimits limits)
    {
        /// <summary>Loaded within the limits.</summary>
        private Module module = null!;

        /// <summary>Keeps the code for the next run, if this one was long; null if it is kept already or not to be.</summary>
        private Action? saveLater;

        /// <summary>The instance whose export is called.</summary>
        private Instance? made;

        /// <summary>Takes samples; null if none are wanted.</summary>
        internal required Profile? Profile { get; init; }

        private Fuel? Fuel => Profile?.Fuel ?? limits.Fuel;

        /// <summary>The file's content if it has been read already.</summary>
        internal required byte[]? Content { get; init; }

        /// <summary>Which saved code may run.</summary>
        internal required SavedTrust Trust { get; init; }

        internal required string[] Args { get; init; }

        internal required Dictionary<string, string> Environment { get; init; }

        internal required WasiDirectory[] Directories { get; init; }

        internal required ModuleNamespace[] Libraries { get; init; }

        internal required bool AllowCompile { get; init; }

        /// <summary>Clocks, random numbers, threads, limits on files.</summary>
        internal required GuestFlags Given { get; init; }

        /// <summary>What a component may do with the network.</summary>
        internal required WasiNetwork? Network { get; init; }

        internal required WasiHttp? Http { get; init; }

        /// <summary>Where code is kept for the next run; null if it is not.</summary>
        internal required CodeCache? Cache { get; init; }

        internal required UnknownImports? Unknown { get; init; }

        /// <summary>Where a core dump is written if the program traps; null for none.</summary>
        internal required string? CoreDump { get; init; }

        private readonly InstanceList instances = new();

        /// <summary>A hint for missing imports.</summary>
        private string Missing => module.Imports.Any(i => i.Module == "wasm:linking") && !AllowCompile
            ? "with --allow-compile the program may compile and link, with --library-dir load modules from a directory"
            : module.GetCustomSections("dylink.0").Any()
                ? "with --library-dir the program finds the shared libraries that it needs"
                : module.Imports.Any(i => i is { Module: "env", Name: "dlopen" or "dlsym" or "dlclose" or "dlerror" })
                ? "with --library-dir DIR the program may load the shared libraries in DIR"
                : "the tool gives WASI preview 1; with --unknown-imports trap the program runs until it calls something else";

        internal int Run(string? export)
        {
            bool hasEnded = false;
            try
            {
                int code = limits.Run(terminal, () =>
                {
                    EngineOptions applied = limits.Apply(options);
                    if (Profile is not null) applied = Profile.Apply(applied);
                    // One thread that ends must be able to end the others.
                    if (Given.ThreadCount > 0) applied = applied with { Interruptible = true };
                    if (Profile is null && path != "-" && ModuleFile.BeginsAsSaved(path))
                    {
                        module = ModuleFile.LoadSaved(path, applied, Trust);
                    }
                    else if ((Content ?? ModuleFile.ReadBytes(path)) is var file && ModuleFile.IsSaved(file))
                    {
                        if (Profile is not null) throw new ToolException($"{path} is a saved module: --profile compiles a module itself");
                        module = ModuleFile.LoadSaved(path, file, applied, Trust);
                    }
                    else
                    {
                        ModuleBytes source = ModuleFile.ReadAny(path, file);
                        if (source.IsComponent) return Component(source, file, applied).Run(export, Args);
                        module = Load(source, applied);
                    }
                    if (CoreDump is not null) module.Engine.Observer = instances.Add;
                    try
                    {
                        return export is null ? Start() : Invoke(export);
                    }
                    catch (WasmJitException e) when (CoreDump is not null && e is (TrapException or WasmException))
                    {
                        instances.Dump(CoreDump!, e, terminal);
                        throw;
                    }
                    catch (WasiExitException exit)
                    {
                        return exit.ExitCode;
                    }
                });
                hasEnded = true;
                saveLater?.Invoke();
                return code;
            }
            catch (DynamicLinkException e)
            {
                throw new ToolException($"{path}: {e.Message}");
            }
            catch (LinkException e)
            {
                throw new ToolException($"{path}: {e.Message}", e.Limit is null ? module is null ? ComponentRun.Missing : Missing : "--max-memory and its like say what a program may have");
            }
            finally
            {
                // A run that has not begun has no profile.
                if (module is not null && Profile is not null && (hasEnded || Profile.HasBegun)) Profile.Write(terminal, Path.GetFileName(path));
            }
        }

        private ComponentRun Component(ModuleBytes source, byte[] file, EngineOptions applied)
        {
            (bool given, string option)[] others =
            [
                (Libraries.Length > 0, "--library-dir and --saved-dir"), (AllowCompile, "--allow-compile"), (Unknown is not null, "--unknown-imports"), (Cache is not null, "--cache"),
            ];
            if (Array.Find(others, o => o.given).option is { } wrong) throw new ToolException($"{path} is a component: {wrong} works with modules alone");
            WasmComponent component = SavedComponents.IsSaved(file) ? ModuleFile.LoadSavedComponent(path, file, applied, Trust) : ModuleFile.CompileComponent(source, applied, terminal);
            if (Network is not null || Http is not null) BrokenPipes.AreIgnored();
            WasiOptions options = Given.Apply(new WasiOptions
            {
                Arguments = [Path.GetFileName(path), .. Args],
                Environment = Environment,
                Directories = Directories,
                Network = Network,
                Http = Http,
            });
            return new ComponentRun(terminal, path, component, options, new ComponentInstanceOptions { Fuel = Fuel });
        }

        private Module Load(ModuleBytes source, EngineOptions applied)
        {
            if (Cache is null) return ModuleFile.Compile(source, applied, terminal);
            CachedModule? cached = Cache.Of(source.Bytes, applied);
            if (cached?.Load() is { } kept) return kept;
            Module compiled = ModuleFile.Compile(source, applied, terminal);
            TimeSpan before = CodeCache.ProcessorTime;
            saveLater = () =>
            {
                if (CodeCache.ProcessorTime - before > CodeCache.LongRun) cached?.Save(compiled, limits.Time is { } limit && limit < CodeCache.MostToSave ? limit : CodeCache.MostToSave);
            };
            return compiled;
        }

        private int Start()
        {
            if (Exports("_start") || Exports("_initialize"))
                return Linker() is { } linker ? Host().Run(module, linker, Fuel) : Host().Run(module, Fuel);
            if (module.Info.Start is null)
                throw new ToolException($"{path} is not a program: it does not export _start", Callable(module));
            Instantiate();
            return Tool.Success;
        }

        private WasiHost Host()
        {
            var host = new WasiHost(Given.Apply(new WasiOptions
            {
                Arguments = [Path.GetFileName(path), .. Args],
                Environment = Environment,
                Directories = Directories,
                Linking = Libraries.Length == 0 && !AllowCompile ? null : new LinkingOptions
                {
                    Namespace = Libraries.Length == 0 ? null : ModuleNamespace.Combine(Libraries),
                    AllowCompile = AllowCompile,
                    Components = AllowCompile ? new ComponentLinkingHost(module.Engine, new ComponentLinkingOptions { AllowCompile = true }) : null,
                },
            }));
            if (Unknown is { } functions) host.Imports.AddUnknown(module, functions);
            else if (Libraries.Length == 0) RequireImports(host);
            return host;
        }

        /// <summary>Reports all missing imports at once.</summary>
        private void RequireImports(WasiHost host)
        {
            const int most = 10;
            // The module's type, which has all its imports and exports, is made for messages alone.
            bool isComplete = true;
            foreach (ImportInfo import in module.Info.Imports) isComplete &= import.Name is null || host.Imports.Find(import.Module, import.Name) is not null;
            if (isComplete) return;
            ImportType[] missing = [.. module.Imports.Where(i => i.Name is not null && host.Imports.Find(i.Module, i.Name) is null && (Given.ThreadCount == 0 || !WasiThreads.Gives(i)))];
            if (missing.Length == 0) return;
            IEnumerable<string> lines = missing.Take(most).Select(i => $"{TextStrings.Quote(i.Module)} {TextStrings.Quote(i.Name!)} {i.Type}");
            if (missing.Length > most) lines = lines.Append($"and {missing.Length - most} more");
            throw new ToolException($"{path} has unknown imports:", Missing) { Items = [.. lines] };
        }

        private bool Exports(string function) => module.Info.FindExport(function) is { Kind: ExternKind.Func };

        /// <summary>The loader of shared libraries; null without a directory for them.</summary>
        private DynamicLinker? Linker() => Libraries.Length == 0 ? null : new DynamicLinker(ModuleNamespace.Combine(Libraries));

        /// <summary>Instantiates a module that is not a program. It may use WASI.</summary>
        private Instance Instantiate() =>
            Linker() is { } linker ? Host().Instantiate(module, linker, Fuel) : Host().Instantiate(module, Fuel);

        private int Invoke(string name)
        {
            ExportType export = module.Exports.FirstOrDefault(e => e.Name == name && e.Type.Kind == ExternKind.Func)
                ?? throw new ToolException($"unknown exported function {TextStrings.Quote(name)}", Callable(module));
            FuncType type = export.Type.Func;
            if (Args.Length != type.Params.Length)
                throw new ToolException($"{name} takes {type.Params.Length} arguments, not {Args.Length}: {type}");
            Func<object?>[] values = [.. Args.Select((text, i) => Arguments.Parse(text, type.Params[i], Function))];
            Instance instance = Instantiate();
            made = instance;
            Delegate function = instance.GetExport<Delegate>(name);
            object? result;
            try
            {
                result = function.DynamicInvoke([.. values.Select(v => v())]);
            }
            catch (TargetInvocationException e) when (e.InnerException is not null)
            {
                ExceptionDispatchInfo.Throw(e.InnerException);
                throw;
            }
            foreach (object? value in Arguments.Results(result, type.Results.Length)) terminal.Line(Arguments.Format(value, NameOf));
            return Tool.Success;
        }

        /// <summary>An exported function as an argument; null if there is none of that name.</summary>
        private Func<object?>? Function(string name) => Exports(name) ? () => made!.GetExport<Delegate>(name) : null;

        /// <summary>The name under which the instance exports a function.</summary>
        private string? NameOf(Delegate function) => module.Exports.Where(e => e.Type.Kind == ExternKind.Func)
            .FirstOrDefault(e => Equals(made!.GetExport<Delegate>(e.Name), function))?.Name;
    }

    private static string Callable(Module module)
    {
        string[] names = [.. module.Exports.Where(e => e.Type.Kind == ExternKind.Func).Select(e => e.Name)];
        if (names.Length == 0) return "it exports no functions";
        const int most = 12;
        return $"--invoke can call {string.Join(", ", names.Take(most))}{(names.Length > most ? ", ..." : "")}";
    }
}
