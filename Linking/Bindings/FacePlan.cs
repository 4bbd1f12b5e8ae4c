using System.Reflection;
using System.Text;
using WasmJit.Jit.Calls;

namespace WasmJit.Linking;

/// <summary>How text is passed: all texts of a function in one way.</summary>
internal enum TextForm : byte { PointerAndLength, ZeroTerminated }

/// <summary>A member of an interface and what it stands for.</summary>
/// <param name="Member">The method, property or event.</param>
internal abstract record BoundMember(MemberInfo Member);

/// <summary>A method that calls an exported function.</summary>
/// <param name="Method">The method.</param>
/// <param name="Export">The function's name.</param>
/// <param name="Type">The function's type.</param>
/// <param name="Parameters">The method's parameters.</param>
/// <param name="Result">What it returns; null for nothing, or if <paramref name="IsTuple"/>.</param>
/// <param name="Form">How text is passed.</param>
/// <param name="ReturnsThroughPointer">Whether the function's first parameter is where the result goes.</param>
/// <param name="IsTuple">Whether all results are returned as they are.</param>
internal sealed record BoundMethod(
    MethodInfo Method, string Export, FuncType Type, CrossingType[] Parameters, CrossingType? Result, TextForm Form, bool ReturnsThroughPointer, bool IsTuple)
    : BoundMember(Method);

/// <summary>A property that is an export itself: a memory, a table, a global, a function as a delegate.</summary>
internal sealed record BoundItem(PropertyInfo Property, string? Export) : BoundMember(Property);

/// <summary>A property that is the value of a global.</summary>
internal sealed record BoundGlobal(PropertyInfo Property, string Export, GlobalType Type) : BoundMember(Property);

/// <summary>An event that an import raises.</summary>
internal sealed record BoundEvent(EventInfo Event, string Module, string Import) : BoundMember(Event);

/// <summary>Finds what the members of an interface stand for in a module.</summary>
internal sealed class FacePlan
{
    private readonly Module module;
    private readonly bool mayImport;
    private readonly List<string> problems = [];
    private readonly Dictionary<string, ExternType> exports;

    private FacePlan(Module module, bool mayImport)
    {
        this.module = module;
        this.mayImport = mayImport;
        exports = module.Exports.ToDictionary(e => e.Name, e => e.Type);
    }

    /// <summary>Binds all members.</summary>
    /// <param name="face">The interface.</param>
    /// <param name="module">The module.</param>
    /// <param name="mayImport">Whether events can still become imports.</param>
    /// <exception cref="BindingException">Some do not fit.</exception>
    internal static IReadOnlyList<BoundMember> Of(Type face, Module module, bool mayImport)
    {
        if (!face.IsInterface) throw new ArgumentException($"{CSharpName.Of(face)} is no interface.");
        var plan = new FacePlan(module, mayImport);
        var members = new List<BoundMember>();
        foreach (Type part in face.GetInterfaces().Prepend(face))
        {
            foreach (MethodInfo method in part.GetMethods().Where(m => !m.IsSpecialName)) plan.Add(members, method, plan.Method(method));
            foreach (PropertyInfo property in part.GetProperties()) plan.Add(members, property, plan.Property(property));
            foreach (EventInfo item in part.GetEvents()) plan.Add(members, item, plan.Event(item));
        }
        return plan.problems.Count == 0 ? members
            : throw new BindingException($"{CSharpName.Of(face)} does not fit the module{(module.Name is { } name ? " " + name : "")}", plan.problems);
    }

    private void Add(List<BoundMember> members, MemberInfo member, object? found)
    {
        if (found is BoundMember bound) members.Add(bound);
        else if (found is string problem) problems.Add($"{member.Name}: {problem}");
    }

    /// <summary>The names that a member may have in WebAssembly.</summary>
    internal static string[] NamesOf(MemberInfo member) => member.GetCustomAttribute<WasmNameAttribute>() is { } given
        ? [given.Name] : [.. new[] { member.Name, Camel(member.Name), Separated(member.Name, '_'), Separated(member.Name, '-') }.Distinct()];

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static string Separated(string name, char separator)
    {
        var text = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool begins = char.IsUpper(name[i]) && i > 0 && (!char.IsUpper(name[i - 1]) || i + 1 < name.Length && char.IsLower(name[i + 1]));
            if (begins) text.Append(separator);
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    private string? Find(MemberInfo member) => Array.Find(NamesOf(member), exports.ContainsKey);

    private static string Missing(MemberInfo member) => $"there is no export {string.Join(" or ", NamesOf(member).Select(n => $"\"{n}\""))}";

    // ---- methods ----

    /// <returns>A <see cref="BoundMethod"/>, what is wrong, or null for one that stays as the interface implements it.</returns>
    private object? Method(MethodInfo method)
    {
        string? export = Find(method);
        if (export is null) return method.IsAbstract ? Missing(method) : null;
        if (method.IsStatic || method.IsGenericMethodDefinition) return "a method of this kind cannot be bound";
        if (exports[export].Kind != ExternKind.Func) return $"the export \"{export}\" is {exports[export]}, not a function";
        FuncType type = exports[export].Func;
        CrossingType[] parameters = [.. method.GetParameters().Select(p => CrossingType.Of(p.ParameterType))];
        for (int i = 0; i < parameters.Length; i++)
            if (parameters[i].Kind == Crossing.None) return $"the parameter {method.GetParameters()[i].Name} is {CSharpName.Of(parameters[i].Type)}, which cannot cross";
        bool isTuple = CrossingType.IsTuple(method.ReturnType);
        CrossingType? result = method.ReturnType == typeof(void) || isTuple ? null : CrossingType.Of(method.ReturnType);
        if (result is { Kind: Crossing.None }) return $"the result is {CSharpName.Of(result.Type)}, which cannot cross";
        foreach (TextForm form in Enum.GetValues<TextForm>())
        {
            foreach (bool throughPointer in new[] { false, true })
            {
                var bound = new BoundMethod(method, export, type, parameters, result, form, throughPointer, isTuple);
                if (Fits(bound)) return bound;
            }
        }
        return $"the export \"{export}\" is {type}, which is not {CSharpName.Of(method.ReturnType)} ({string.Join(", ", parameters.Select(p => CSharpName.Of(p.Type)))})";
    }

    private static bool IsAddress(ValType type) => type.Kind is ValKind.I32 or ValKind.I64;

    private static bool Fits(BoundMethod bound)
    {
        int at = 0;
        ReadOnlySpan<ValType> types = bound.Type.Params.AsSpan();
        if (bound.ReturnsThroughPointer && (at >= types.Length || !IsAddress(types[at++]))) return false;
        foreach (CrossingType parameter in bound.Parameters)
        {
            if (at >= types.Length) return false;
            ValType type = types[at++];
            if (parameter.IsValueOf(type)) continue;
            if (parameter.Kind is Crossing.Value or Crossing.Function or Crossing.Object || !IsAddress(type)) return false;
            if (HasLength(parameter.Kind, bound.Form) && (at >= types.Length || types[at++] != type)) return false;
        }
        return at == types.Length && ResultFits(bound);
    }

    /// <summary>Whether a length is passed behind an address.</summary>
    internal static bool HasLength(Crossing kind, TextForm form) =>
        kind is Crossing.Array or Crossing.Span or Crossing.ReadOnlySpan || kind == Crossing.Text && form == TextForm.PointerAndLength;

    private static bool ResultFits(BoundMethod bound)
    {
        ReadOnlySpan<ValType> types = bound.Type.Results.AsSpan();
        if (bound.IsTuple) return !bound.ReturnsThroughPointer && bound.Method.ReturnType == Signature.Of(DefType.Of(bound.Type)).HostReturn;
        if (bound.Result is not { } result) return types.Length == 0 && !bound.ReturnsThroughPointer;
        if (bound.ReturnsThroughPointer) return types.Length == 0 && result.Kind is Crossing.Text or Crossing.Array or Crossing.Span or Crossing.ReadOnlySpan or Crossing.Struct;
        if (types.Length == 0) return false;
        if (types.Length == 1 && result.IsValueOf(types[0])) return true;
        return result.Kind switch
        {
            Crossing.Value or Crossing.Function or Crossing.Object => false,
            Crossing.Struct => types.Length == 1 && IsAddress(types[0]),
            Crossing.Text when types.Length == 1 => bound.Form == TextForm.ZeroTerminated && IsAddress(types[0]),
            _ => types.Length == 2 && IsAddress(types[0]) && types[0] == types[1],
        };
    }

    // ---- properties and events ----

    private object? Property(PropertyInfo property)
    {
        Type type = property.PropertyType;
        if (property.GetIndexParameters().Length > 0) return "an indexer cannot be bound";
        string? export = Find(property);
        if (type == typeof(Instance) && export is null) return new BoundItem(property, null);
        if (type == typeof(Memory) && export is null && module.Exports.Where(e => e.Type.Kind == ExternKind.Memory).ToArray() is [var only]) export = only.Name;
        if (export is null) return property.GetMethod?.IsAbstract ?? true ? Missing(property) : null;
        ExternType found = exports[export];
        if (ItemKind(type) is { } kind)
        {
            if (found.Kind != kind) return $"the export \"{export}\" is {found}, not a {CSharpName.Of(type)}";
            return property.CanWrite ? "it cannot be set" : new BoundItem(property, export);
        }
        if (found.Kind == ExternKind.Func && typeof(Delegate).IsAssignableFrom(type)) return property.CanWrite ? "it cannot be set" : new BoundItem(property, export);
        if (found.Kind != ExternKind.Global) return $"the export \"{export}\" is {found}, not a global";
        GlobalType global = found.Global;
        if (!CrossingType.Of(type).IsValueOf(global.Type)) return $"the export \"{export}\" is {found}, which is not {CSharpName.Of(type)}";
        return property.CanWrite && !global.IsMutable ? $"the global \"{export}\" is immutable, and the property can be set" : new BoundGlobal(property, export, global);
    }

    private static ExternKind? ItemKind(Type type) =>
        type == typeof(Memory) ? ExternKind.Memory : type == typeof(Table) ? ExternKind.Table : type == typeof(Global) ? ExternKind.Global
        : type == typeof(Tag) ? ExternKind.Tag : type == typeof(Module) ? ExternKind.Module : type == typeof(Instance) ? ExternKind.Instance : null;

    private object Event(EventInfo item)
    {
        if (!mayImport) return "an event is an import, which an instance has already: use Module.Instantiate<T>";
        string? from = item.GetCustomAttribute<WasmNameAttribute>()?.Module;
        foreach (string name in NamesOf(item))
        {
            ImportType? import = module.Imports.FirstOrDefault(i => i.Name == name && i.Type.Kind == ExternKind.Func && (from is null || i.Module == from));
            if (import is not null) return new BoundEvent(item, import.Module, name);
        }
        return $"there is no imported function {string.Join(" or ", NamesOf(item).Select(n => $"\"{n}\""))}";
    }
}
