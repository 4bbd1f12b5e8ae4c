using System.CommandLine;
using System.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit completion</c>: scripts with which shells complete command lines. They know all commands and options, and start nothing.</summary>
internal static class CompletionCommand
{
    private const string Modules = "wasm wat dll";

    internal static Command Make(Terminal terminal, Command root)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or powershell." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "powershell");
        var command = new Command("completion", "Prints a script that completes command lines in a shell.") { shell };
        Help.Describe(command, """
            bash:        wasmjit completion bash > ~/.local/share/bash-completion/completions/wasmjit
            zsh:         wasmjit completion zsh > DIR/_wasmjit, where DIR is one of $fpath
            fish:        wasmjit completion fish > ~/.config/fish/completions/wasmjit.fish
            PowerShell:  wasmjit completion powershell | Out-String | Invoke-Expression, in $PROFILE
            """);
        command.SetAction(parsed =>
        {
            // Shells want lines that end as theirs do.
            terminal.Out.Write((parsed.GetValue(shell) switch
            {
                "bash" => Bash(root),
                "zsh" => Zsh(root),
                "fish" => Fish(root),
                _ => PowerShell(root),
            }).ReplaceLineEndings("\n"));
            return Tool.Success;
        });
        return command;
    }

    private static IEnumerable<Command> Commands(Command root) => root.Subcommands.Where(c => !c.Hidden);

    private static IEnumerable<Option> Options(Command root, Command command) =>
        (command == root ? root.Options : command.Options.Concat(root.Options.Where(o => o.Name != "--version"))).Where(o => !o.Hidden);

    private static IEnumerable<string> Names(Option option) => option.Aliases.Append(option.Name).Where(n => n[0] == '-');

    /// <summary>The values of an option that has only some.</summary>
    private static string[] Values(Option option) => option.HelpName is { } name && name.Contains('|', StringComparison.Ordinal) ? name.Split('|') : [];

    private static bool TakesDirectory(Option option) => option.HelpName is "DIR" or "DIRECTORY" or "HOST::GUEST";

    /// <summary>The first sentence.</summary>
    private static string Short(string? description)
    {
        string text = description ?? "";
        int end = text.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).TrimEnd('.');
    }

    // ---- bash ----

    private static string Bash(Command root)
    {
        var text = new StringBuilder();
        text.Append("""
            # Completes command lines of wasmjit in bash.
            _wasmjit() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= options= file= i=1 word
                COMPREPLY=()
                while ((i < COMP_CWORD)); do
                    word=${COMP_WORDS[i]}
                    case $command:$word in
                        :help) command=help ;;

            """);
        foreach (Command command in Commands(root)) text.Append($"            :{command.Name}) command={command.Name} ;;\n");
        text.Append($"            *:--|*:-?*) [[ \" {Valued(root)} \" == *\" $word \"* ]] && ((i++)) ;;\n");
        text.Append("""
                        *) file=$word; [[ -z $command ]] && command=run; [[ $command == run ]] && break ;;
                    esac
                    ((i++))
                done
                # Everything behind the FILE of run is for the guest.
                if [[ $command == run && -n $file ]]; then
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return
                fi
                case $prev in

            """);
        foreach (IGrouping<string, Option> group in Commands(root).Append(root).SelectMany(c => Options(root, c)).Where(CommandLine.TakesValue).GroupBy(o => o.Name))
        {
            Option option = group.First();
            string words = string.Join('|', group.SelectMany(Names).Distinct());
            text.Append($"        {words}) COMPREPLY=($({(Values(option) is { Length: > 0 } values ? $"compgen -W \"{string.Join(' ', values)}\"" : TakesDirectory(option) ? "compgen -d" : "compgen -f")} -- \"$cur\")); return ;;\n");
        }
        text.Append("    esac\n    case $command in\n");
        string names = string.Join(' ', Commands(root).Select(c => c.Name));
        text.Append($"        \"\") options=\"{names} help {Words(root, root)}\" ;;\n        help) options=\"{names}\" ;;\n");
        foreach (Command command in Commands(root))
            text.Append($"        {command.Name}) options=\"{Words(root, command)}{(command.Name == "completion" ? " bash zsh fish powershell" : "")}\" ;;\n");
        text.Append($$"""
                esac
                COMPREPLY=($(compgen -W "$options" -- "$cur"))
                [[ $cur == -* || $command == help || $command == completion ]] && return
                # Directories, and modules in them.
                COMPREPLY+=($(compgen -d -S / -- "$cur"))
                for word in {{Modules}} wast; do
                    COMPREPLY+=($(compgen -f -X "!*.$word" -- "$cur"))
                done
                [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
            }
            complete -F _wasmjit wasmjit

            """);
        return text.ToString();
    }

    private static string Words(Command root, Command command) => string.Join(' ', Options(root, command).SelectMany(Names));

    private static string Valued(Command root) =>
        string.Join(' ', Commands(root).Append(root).SelectMany(c => Options(root, c)).Where(CommandLine.TakesValue).SelectMany(Names).Distinct());

    // ---- zsh ----

    private static string Zsh(Command root)
    {
        const string files = "_files -g '*.(wasm|wat|wast|dll)(-.)'";
        var text = new StringBuilder("""
            #compdef wasmjit
            # Completes command lines of wasmjit in zsh.
            _wasmjit() {
                local context state state_descr line
                typeset -A opt_args
                local -a commands=(

            """);
        foreach (Command command in Commands(root)) text.Append($"        {ZshQuote($"{command.Name}:{Short(command.Description)}")}\n");
        text.Append("        'help:Shows the help of a command'\n    )\n    _arguments -C \\\n");
        foreach (Option option in Options(root, root).Concat(Options(root, Commands(root).First(c => c.Name == RunCommand.Name))).DistinctBy(o => o.Name)) ZshOption(text, option);
        text.Append("        '1: :->command' '*:: :->rest'\n    case $state in\n");
        text.Append($"        command) _describe -t commands command commands; {files} ;;\n        rest) case $words[1] in\n");
        foreach (Command command in Commands(root))
        {
            text.Append($"            {command.Name}) _arguments -S \\\n");
            foreach (Option option in Options(root, command)) ZshOption(text, option);
            text.Append(command.Name switch
            {
                RunCommand.Name => $"                {ZshQuote("1:FILE:" + files)} '*::ARGS:_files' ;;\n",
                "completion" => "                '1:SHELL:(bash zsh fish powershell)' ;;\n",
                _ => $"                {ZshQuote("*:FILE:" + files)} ;;\n",
            });
        }
        text.Append("            help) _describe -t commands command commands ;;\n            *) _files ;;\n        esac ;;\n    esac\n}\n_wasmjit \"$@\"\n");
        return text.ToString();
    }

    private static void ZshOption(StringBuilder text, Option option)
    {
        string description = Short(option.Description).Replace("[", "(", StringComparison.Ordinal).Replace("]", ")", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
        string repeats = option.Arity.MaximumNumberOfValues > 1 ? "*" : "";
        foreach (string name in Names(option).Where(n => !n.Contains('?', StringComparison.Ordinal)))
        {
            string value = !CommandLine.TakesValue(option) ? ""
                : $"{(name.StartsWith("--", StringComparison.Ordinal) ? "=" : "")}[{description}]:{(option.HelpName ?? "VALUE").Replace(":", "\\:", StringComparison.Ordinal)}:{(Values(option) is { Length: > 0 } values ? $"({string.Join(' ', values)})" : TakesDirectory(option) ? "_files -/" : "_files")}";
            text.Append($"        {ZshQuote(repeats + name + (value.Length > 0 ? value : $"[{description}]"))} \\\n");
        }
    }

    private static string ZshQuote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    // ---- fish ----

    private static string Fish(Command root)
    {
        const string files = "(__fish_complete_suffix .wasm; __fish_complete_suffix .wat; __fish_complete_suffix .dll)";
        var text = new StringBuilder("# Completes command lines of wasmjit in fish.\n");
        string names = string.Join(' ', Commands(root).Select(c => c.Name).Append("help"));
        foreach (Command command in Commands(root))
        {
            text.Append($"complete -c wasmjit -n __fish_use_subcommand -a {command.Name} -d {FishQuote(Short(command.Description))}\n");
            string seen = $"'__fish_seen_subcommand_from {command.Name}'";
            foreach (Option option in Options(root, command)) FishOption(text, seen, option);
        }
        text.Append("complete -c wasmjit -n __fish_use_subcommand -a help -d 'Shows the help of a command'\n");
        foreach (Option option in Options(root, root)) FishOption(text, "__fish_use_subcommand", option);
        text.Append($"complete -c wasmjit -n '__fish_seen_subcommand_from help' -f -a {FishQuote(names)}\n");
        text.Append("complete -c wasmjit -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish powershell'\n");
        text.Append($"complete -c wasmjit -n 'not __fish_seen_subcommand_from help completion' -k -a {FishQuote(files)}\n");
        return text.ToString();
    }

    private static void FishOption(StringBuilder text, string condition, Option option)
    {
        text.Append($"complete -c wasmjit -n {condition}");
        foreach (string name in Names(option).Where(n => !n.Contains('?', StringComparison.Ordinal)))
            text.Append(name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}");
        if (CommandLine.TakesValue(option))
            text.Append(Values(option) is { Length: > 0 } values ? $" -x -a {FishQuote(string.Join(' ', values))}" : TakesDirectory(option) ? " -x -a '(__fish_complete_directories)'" : " -r");
        text.Append($" -d {FishQuote(Short(option.Description))}\n");
    }

    private static string FishQuote(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    // ---- PowerShell ----

    private static string PowerShell(Command root)
    {
        var text = new StringBuilder("""
            # Completes command lines of wasmjit in PowerShell.
            Register-ArgumentCompleter -Native -CommandName wasmjit -ScriptBlock {
                param($wordToComplete, $commandAst, $cursorPosition)
                $options = @{

            """);
        foreach (Command command in Commands(root))
            text.Append($"        '{command.Name}' = @({string.Join(", ", Options(root, command).SelectMany(Names).Select(n => $"'{n}'"))})\n");
        text.Append("    }\n    $values = @{\n");
        foreach (Option option in Commands(root).Append(root).SelectMany(c => Options(root, c)).Where(o => Values(o).Length > 0).DistinctBy(o => o.Name))
            text.Append($"        '{option.Name}' = @({string.Join(", ", Values(option).Select(v => $"'{v}'"))})\n");
        string names = string.Join(", ", Commands(root).Select(c => $"'{c.Name}'").Append("'help'"));
        text.Append($$"""
                }
                $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
                $command = $words | Select-Object -Skip 1 | Where-Object { -not $_.StartsWith('-') } | Select-Object -First 1
                $found =
                    if ($values.ContainsKey($words[-1])) { $values[$words[-1]] }
                    elseif (-not $command -and -not $wordToComplete.StartsWith('-')) { {{names}} }
                    elseif ($command -eq 'help') { {{names}} }
                    elseif ($command -eq 'completion') { 'bash', 'zsh', 'fish', 'powershell' }
                    elseif ($wordToComplete.StartsWith('-')) { $options[$(if ($options.ContainsKey("$command")) { $command } else { 'run' })] }
                $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }

            """);
        return text.ToString();
    }
}
