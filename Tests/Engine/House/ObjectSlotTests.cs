using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.House;

/// <summary>What has one type is declared with it: a field of type <c>object</c> is for what may be of several, and stands here with the reason.</summary>
public sealed class ObjectSlotTests
{
    private const string References = "references of guests: any object of the host's or of a guest's";

    /// <summary>The fields, as <c>Type.field</c>, and what they hold.</summary>
    private static readonly Dictionary<string, string> Reasons = new()
    {
        ["WasmException.Ref0"] = References,
        ["WasmException.Refs"] = References,
        ["Global.Ref"] = References,
        ["InstanceCore.Elems"] = References,
        ["PlainStruct.References"] = References,
        ["Table.Refs"] = References,
        ["Value.reference"] = References,
        ["InterpreterThread.Refs"] = References,
        ["SpillArea.references"] = References,
        ["Slot.Value"] = References,
        ["InstanceImage.elems"] = References,
        ["InstanceCore.ExportValues"] = "functions, memories, tables, globals, tags, instances, modules",
        ["ImportBinder.values"] = "functions, memories, tables, globals, tags",
        ["ExternType.type"] = "the type of a function, a memory, a table and so on",
        ["FuncRef.Context"] = "the instance of compiled code, or what the code of a host function needs",
        ["InterpreterThread.NextContext"] = "a FuncRef's context",
        ["InterpreterThread.NextOwner"] = "a FuncRef's context",
        ["Subtyping.Yes"] = "a mark, which is nothing but itself",
        ["Subtyping.No"] = "a mark, which is nothing but itself",
        ["WasmThread.token"] = "a mark, which is nothing but itself",
        ["ExceptionFrames.helper"] = "an object of a type that .NET does not show",
        ["Face.items"] = "what the members of an interface stand for: delegates, memories, globals",
        ["Function.Method"] = "what keeps code alive: a DynamicMethod, a collectible assembly's type",
        ["HostAdapter.codeOwner"] = "what keeps code alive: a DynamicMethod, a collectible assembly's type",
        ["InterpretedModule.firstKept"] = "what interpreted code refers to: modules, types, signatures",
        ["InterpretedModule.secondKept"] = "what interpreted code refers to: modules, types, signatures",
        ["Lookahead.Gate"] = "a monitor that is waited for",
        ["Scheduler.gate"] = "a monitor that is waited for",
        ["WasiThreads.gate"] = "a monitor that is waited for",
        ["Instance.State"] = "an object of the host's, whatever it is",
        ["DueTimer.state"] = "what a timer's callback gets",
        ["Turn.gate"] = "a monitor that is waited for",
        ["Form.What"] = "the method, type or field of an instruction, or a name",
        ["Node.Object"] = "the operand of an instruction: a method, a field, a type, a text, labels",
        ["HostMembers.target"] = "an object whose methods components import",
        ["ThreadImage.stackTop"] = "an address of 32 or 64 bits",
        ["HandleSpace.items"] = "resources, tasks, streams, futures, waitable sets, error contexts",
        ["ComponentValue.content"] = "texts, items, resources, streams and what else is not a number",
        ["ComponentScript.lastDefinition"] = "components of the host that runs the script",
        ["ComponentScript.current"] = "components of the host that runs the script",
        ["WastScalar.Value"] = "a number, a reference, or a pattern of one",
        ["InstanceImage.references"] = References,
        ["Arguments.wholes"] = "what modules import",
        ["Arguments.items"] = "what modules import",
        ["Imports.items"] = "what modules import",
        ["Imports.singles"] = "what modules import",
        ["MemoryNamespace.items"] = "modules, or their bytes",
        ["HandleTable.places"] = "functions, modules, instances, memories, tables, globals, tags",
        ["ThreadImage.twins"] = "a FuncRef's context",
        ["SlotCalls.OfHosts"] = "marks, which are nothing but themselves",
        ["DefType.Compared"] = "marks, which are nothing but themselves",
        ["FaultHandler.Owners"] = "marks, which are nothing but themselves",
        ["CompiledModule.kept"] = "what keeps code alive: methods, cells, guards",
        ["InterpretedModule.kept"] = "what interpreted code refers to: modules, types, signatures",
        ["SavedConstants.pending"] = "the constants of saved code: types, signatures, makers",
        ["Member.faces"] = "faces of interfaces, which the host defines",
        ["ResourceFaces.known"] = "what the members of an interface stand for: delegates, faces",
        ["HostResourceType.objects"] = "objects of the host, whatever they are",
        ["ComponentHost.items"] = "what components import: functions, types, modules, components, interfaces",
        ["ComponentHost.tracks"] = "what components import: functions, types, modules, components, interfaces",
        ["ComponentFrame.CoreInstances"] = "core instances, and things by name",
        ["ComponentFrame.Types"] = "types, and resource types of an instance",
        ["RuntimeInstance.items"] = "what components export and import: functions, instances, components, modules, types",
        ["FoundInstance.items"] = "what components import: functions, instances, components, modules, types",
        ["DelegateBinder.Known"] = "code for .NET types, of several delegate types",
        ["InstanceMaker.exports"] = "what components export: functions, instances, components, modules, types",
        ["ComponentScript.definitions"] = "components of the host that runs the script",
        ["ComponentScript.instances"] = "components of the host that runs the script",
    };

    private static IEnumerable<string> Slots()
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (Type type in Products.All.SelectMany(p => p.GetTypes()))
        {
            // Closures and iterators are the compiler's.
            if (IsMade(type)) continue;
            foreach (FieldInfo field in type.GetFields(all))
            {
                if (!Holds(field.FieldType)) continue;
                string name = field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
                yield return $"{type.Name}.{name}";
            }
        }
    }

    /// <summary>Whether a field of the type holds objects of any type: itself, as an array, or as a collection.</summary>
    private static bool Holds(Type type) => type.IsArray ? Holds(type.GetElementType()!)
        : type == typeof(object) || (type.IsGenericType && !type.IsAssignableTo(typeof(Delegate)) && type.GetGenericArguments().Any(Holds));

    private static bool IsMade(Type? type) =>
        type is not null && (type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || type.Name.Contains('<', StringComparison.Ordinal) || IsMade(type.DeclaringType));

    [Fact]
    public void EachHasAReason()
    {
        string[] slots = [.. Slots().Distinct().Order(StringComparer.Ordinal)];
        Assert.True(!slots.Except(Reasons.Keys).Any(), $"without a reason: {string.Join(", ", slots.Except(Reasons.Keys))}");
        Assert.True(!Reasons.Keys.Except(slots).Any(), $"not there any more: {string.Join(", ", Reasons.Keys.Except(slots))}");
        Assert.All(Reasons.Values, reason => Assert.NotEqual("", reason));
    }
}
