using System.Globalization;
using System.Text;
using WasmJit.Components;

namespace WasmJit.Text;

/// <summary>
/// Prints a component: every definition on a line, in their order, none of them implied by another. Reading the text gives the same bytes,
/// if they are encoded as the reader encodes them.
/// </summary>
internal sealed class ComponentPrinter
{
    private readonly ComponentDefinition component;
    private readonly TextOutput output;
    private readonly ComponentNames? names;
    private readonly ComponentTypePrinter types;
    private readonly PrintedScope scope;

    /// <summary>The custom section that ids express, null if there is none.</summary>
    private readonly ComponentCustomSection? nameSection;

    /// <param name="component">The component.</param>
    /// <param name="outer">The index spaces around it.</param>
    /// <param name="given">The name that it gets from what is around it.</param>
    /// <param name="output">Where the text goes.</param>
    private ComponentPrinter(ComponentDefinition component, PrintedScope? outer, string? given, TextOutput output)
    {
        this.component = component;
        this.output = output;
        ComponentCustomSection? section = component.CustomSections.LastOrDefault(s => s.Name == ComponentNames.SectionName);
        names = section is null ? null : ComponentNames.Read(Content(section).ToArray());
        if (names is not null && (outer is null || given == names.Component) && CanBeSaid(section!)) nameSection = section;
        scope = new PrintedScope(outer, nameSection is null ? null : names);
        types = new ComponentTypePrinter(scope, component.Bytes);
    }

    /// <exception cref="UnsupportedModuleException">The text would have more characters than <paramref name="most"/>.</exception>
    internal static string Print(ComponentDefinition component, long most = long.MaxValue) => TextOutput.Of(most, output => Print(component, output));

    /// <summary>The same, piece by piece.</summary>
    internal static void Print(ComponentDefinition component, TextWriter writer, long most) => TextOutput.Write(writer, most, output => Print(component, output));

    private static void Print(ComponentDefinition component, TextOutput output)
    {
        var printer = new ComponentPrinter(component, null, null, output);
        string? name = printer.names?.Component;
        printer.Component("(component" + (name is null || printer.nameSection is null ? "" : OwnName(name)));
        output.Check();
    }

    private static string OwnName(string name) => " " + (name.Length > 0 ? TextStrings.Id(name) : TextStrings.NameAnnotation(name));

    // ---- names ----

    private ReadOnlySpan<byte> Content(ComponentCustomSection section) => component.Bytes.Span.Slice(section.Start, section.Length);

    /// <summary>
    /// Whether ids express the whole name section. It must be the last section, as the reader writes it. Each item that it names must have that name, or
    /// a name section of its own, which is then written unchanged.
    /// </summary>
    private bool CanBeSaid(ComponentCustomSection section)
    {
        if (section.Length == 0 || section != component.CustomSections[^1] || section.After != component.Definitions.Count) return false;
        if (component.CustomSections.Count(s => s.Name == ComponentNames.SectionName) > 1) return false;
        if (!names!.Write().AsSpan().SequenceEqual(Content(section))) return false;
        var counts = new Dictionary<Sort, uint>();
        foreach (Definition definition in component.Definitions)
        {
            foreach ((Sort sort, int number) in Defined(definition)) counts[sort] = counts.GetValueOrDefault(sort) + (uint)number;
            bool isNamed = definition switch
            {
                CoreModuleDefinition { Module: var module } => module.CustomSections.Any(s => s.Name == "name"),
                NestedDefinition { Component: var nested } => nested.CustomSections.Any(s => s.Name == ComponentNames.SectionName),
                _ => true,
            };
            if (!isNamed && NameOf(definition is NestedDefinition ? Sort.Component : Sort.CoreModule, counts) is not null) return false;
        }
        return names.Items.All(i => i.Value.Keys.All(index => index < counts.GetValueOrDefault(i.Key)));
    }

    private string? NameOf(Sort sort, Dictionary<Sort, uint> counts) => names!.Items.GetValueOrDefault(sort)?.GetValueOrDefault(counts[sort] - 1);

    /// <summary>The name that ids and annotations give the next item.</summary>
    private string? Given(Sort sort) => nameSection is null ? null : names!.Items.GetValueOrDefault(sort)?.GetValueOrDefault(scope.Count(sort));

    /// <summary>The items that a definition adds to index spaces.</summary>
    private static IEnumerable<(Sort Sort, int Count)> Defined(Definition definition) => definition switch
    {
        CoreModuleDefinition => [(Sort.CoreModule, 1)],
        NestedDefinition => [(Sort.Component, 1)],
        CoreInstantiation or CoreExportsInstance => [(Sort.CoreInstance, 1)],
        Instantiation or ExportsInstance => [(Sort.Instance, 1)],
        AliasDefinition alias => [(alias.Sort, 1)],
        CoreTypeDefinition type => [(Sort.CoreType, type.Module is null ? type.Types.Length : 1)],
        TypeDefinition => [(Sort.Type, 1)],
        LiftDefinition => [(Sort.Func, 1)],
        LowerDefinition or BuiltinDefinition => [(Sort.CoreFunc, 1)],
        StartDefinition start => [(Sort.Value, (int)start.Results)],
        ImportDefinition import => [(import.Type.Sort, 1)],
        ExportDefinition export => [(export.Item.Sort, 1)],
        ValueDefinition => [(Sort.Value, 1)],
        _ => [],
    };

    // ---- definitions ----

    private int Left => Math.Min(2 * component.Nesting, 40);

    private void Line(string line)
    {
        TextLayout.Append(output.Text, Left + 2, line);
        output.Flush();
    }

    private void Component(string head)
    {
        output.Text.Append(' ', Left).Append(head).Append('\n');
        int definitions = 0;
        foreach (Definition definition in component.Definitions)
        {
            Customs(definitions++);
            Definition(definition);
        }
        Customs(definitions);
        output.Text.Append(' ', Left).Append(")\n");
        output.Flush();
    }

    /// <summary>The custom sections behind some definitions.</summary>
    private void Customs(int after)
    {
        foreach (ComponentCustomSection section in component.CustomSections)
        {
            if (section.After != after || section == nameSection) continue;
            string content = section.Length == 0 ? "" : " " + TextStrings.QuoteLong(Content(section));
            Line($"(@custom {TextStrings.Quote(section.Name)}{content})");
        }
    }

    private void Definition(Definition definition)
    {
        switch (definition)
        {
            case CoreModuleDefinition { Module: var module }:
                {
                    bool isSaid = module.Names.Module == Given(Sort.CoreModule);
                    WatPrinter.PrintInComponent(module, output, "(core module" + scope.Next(Sort.CoreModule), component.Nesting + 1, isSaid);
                    output.Flush();
                    break;
                }
            case NestedDefinition { Component: var nested }:
                new ComponentPrinter(nested, scope, Given(Sort.Component), output).Component("(component" + scope.Next(Sort.Component));
                break;
            case CoreInstantiation instance:
                Item(Sort.CoreInstance, $"(instantiate {scope[Sort.CoreModule, instance.Module]}"
                    + string.Concat(instance.Arguments.Select(a => $" (with {TextStrings.Quote(a.Name)} (instance {scope[Sort.CoreInstance, a.Instance]}))")) + ")");
                break;
            case CoreExportsInstance instance:
                Item(Sort.CoreInstance, string.Join(' ', instance.Exports.Select(e => $"(export {TextStrings.Quote(e.Name)} ({e.Item.Sort.Keyword()} {scope[e.Item]}))")));
                break;
            case Instantiation instance:
                Item(Sort.Instance, $"(instantiate {scope[Sort.Component, instance.Component]}"
                    + string.Concat(instance.Arguments.Select(a => $" (with {TextStrings.Quote(a.Name)} {Item(a.Item)})")) + ")");
                break;
            case ExportsInstance instance:
                Item(Sort.Instance, string.Join(' ', instance.Exports.Select(e => $"(export {ComponentTypePrinter.Name(e.Name)} {Item(e.Item)})")));
                break;
            case AliasDefinition alias: Line(types.Alias(alias)); break;
            case CoreTypeDefinition type: Line(types.CoreType(type)); break;
            case TypeDefinition type: Line(types.Definition(type)); break;
            case LiftDefinition lift:
                {
                    string type = $"(type {scope[Sort.Type, lift.Type]})";
                    Line($"(canon lift (core func {scope[Sort.CoreFunc, lift.CoreFunc]}){Options(lift.Options)} (func{scope.Next(Sort.Func)} {type}))");
                    break;
                }
            case LowerDefinition lower:
                Line($"(canon lower (func {scope[Sort.Func, lower.Func]}){Options(lower.Options)} (core func{scope.Next(Sort.CoreFunc)}))");
                break;
            case BuiltinDefinition builtin:
                Line($"(canon {CanonBuiltins.Name(builtin.Op)}{Immediates(builtin)} (core func{scope.Next(Sort.CoreFunc)}))");
                break;
            case StartDefinition start: Start(start); break;
            case ImportDefinition import: Line($"(import {ComponentTypePrinter.Name(import.Name)} {types.Extern(import.Type, bound: true)})"); break;
            case ExportDefinition export:
                {
                    string item = Item(export.Item), type = export.Type is null ? "" : " " + types.Extern(export.Type, bound: false);
                    Line($"(export{scope.Next(export.Item.Sort)} {ComponentTypePrinter.Name(export.Name)} {item}{type})");
                    break;
                }
            case ValueDefinition value:
                // An id of a type alone would be that of the value.
                string valueType = value.Type.Primitive is null ? $"(type {types.Use(value.Type)})" : types.Use(value.Type);
                Item(Sort.Value, $"{valueType} (binary"
                    + (value.Length == 0 ? "" : " " + TextStrings.QuoteLong(component.Bytes.Span.Slice(value.Start, value.Length))) + ")");
                break;
        }
    }

    /// <summary>A definition whose sort is its keyword. Its content has been printed before it gets its index.</summary>
    private void Item(Sort sort, string content) => Line($"({sort.Text()}{scope.Next(sort)}{(content.Length == 0 ? "" : " ")}{content})");

    private string Item(SortIndex item) => $"({item.Sort.Text()} {scope[item]})";

    private void Start(StartDefinition start)
    {
        var text = new StringBuilder("(start ").Append(scope[Sort.Func, start.Func]);
        foreach (uint argument in start.Arguments) text.Append(CultureInfo.InvariantCulture, $" (value {scope[Sort.Value, argument]})");
        for (uint i = 0; i < start.Results; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $" (result (value{scope.Next(Sort.Value)}))");
            if (text.Length > 1 << 20) output.Check(text.Length);
        }
        Line(text.Append(')').ToString());
    }

    // ---- canonical definitions ----

    private string Options(CanonOptions options)
    {
        var text = new StringBuilder();
        foreach (CanonOption option in options.Items)
        {
            text.Append(' ').Append(option.Kind switch
            {
                CanonOptionByte.Utf8 => "string-encoding=utf8",
                CanonOptionByte.Utf16 => "string-encoding=utf16",
                CanonOptionByte.Latin1Utf16 => "string-encoding=latin1+utf16",
                CanonOptionByte.Memory => $"(memory {scope[Sort.CoreMemory, option.Index]})",
                CanonOptionByte.Realloc => $"(realloc {scope[Sort.CoreFunc, option.Index]})",
                CanonOptionByte.PostReturn => $"(post-return {scope[Sort.CoreFunc, option.Index]})",
                CanonOptionByte.Callback => $"(callback {scope[Sort.CoreFunc, option.Index]})",
                _ => "async",
            });
        }
        return text.ToString();
    }

    private string Immediates(BuiltinDefinition builtin)
    {
        CanonBuiltins.TryGet(builtin.Op, out CanonImmediates immediates);
        var text = new StringBuilder();
        if (immediates.HasFlag(CanonImmediates.Type)) text.Append(' ').Append(scope[Sort.Type, builtin.Type]);
        if (builtin.Result is { } result) text.Append(CultureInfo.InvariantCulture, $" (result {types.Use(result)})");
        if (immediates.HasFlag(CanonImmediates.Slot)) text.Append(CultureInfo.InvariantCulture, $" {builtin.SlotType} {builtin.Slot}");
        if (builtin.IsAsync && immediates.HasFlag(CanonImmediates.Async)) text.Append(" async");
        if (builtin.IsCancellable) text.Append(" cancellable");
        if (builtin.IsShared) text.Append(" shared");
        if (immediates.HasFlag(CanonImmediates.CoreType)) text.Append(' ').Append(scope[Sort.CoreType, builtin.CoreType]);
        if (immediates.HasFlag(CanonImmediates.Table)) text.Append(' ').Append(scope[Sort.CoreTable, builtin.Table]);
        if (immediates.HasFlag(CanonImmediates.Memory)) text.Append(CultureInfo.InvariantCulture, $" (memory {scope[Sort.CoreMemory, builtin.Memory]})");
        return text.Append(Options(builtin.Options)).ToString();
    }
}

/// <summary>The index spaces of a component or type that is printed: how many items there are so far, and their ids.</summary>
/// <param name="outer">What is around it.</param>
/// <param name="names">The names that are printed as ids.</param>
internal sealed class PrintedScope(PrintedScope? outer, ComponentNames? names)
{
    private readonly Dictionary<Sort, PrintedNames> ids = [];
    private readonly Dictionary<Sort, uint> counts = [];

    internal PrintedNames Ids(Sort sort)
    {
        if (!ids.TryGetValue(sort, out PrintedNames? known))
            ids[sort] = known = names is not null && names.Items.TryGetValue(sort, out Dictionary<uint, string>? items) ? new PrintedNames(items) : PrintedNames.Empty;
        return known;
    }

    /// <summary>What is so many levels outside, null if there are not so many; 0 is this one.</summary>
    internal PrintedScope? Enclosing(uint depth)
    {
        PrintedScope? around = this;
        for (uint i = 0; i < depth && around is not null; i++) around = around.Outer;
        return around;
    }

    private PrintedScope? Outer { get; } = outer;

    /// <summary>An item's id, or its index if there is no id or it is not defined before.</summary>
    internal string this[Sort sort, uint index] =>
        index < counts.GetValueOrDefault(sort) ? Ids(sort)[index] : index.ToString(CultureInfo.InvariantCulture);

    internal string this[SortIndex item] => this[item.Sort, item.Index];

    internal uint Count(Sort sort) => counts.GetValueOrDefault(sort);

    /// <summary>The id of the next item, with a blank before it; its index in a comment if it has no id.</summary>
    internal string Next(Sort sort)
    {
        uint index = counts.GetValueOrDefault(sort);
        counts[sort] = index + 1;
        return Ids(sort).Numbered(index);
    }
}
