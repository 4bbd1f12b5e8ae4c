using System.Diagnostics.CodeAnalysis;
using WasmJit.Jit;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// An instance of a module. It can be called from any thread; calls of several threads at once are not serialised, so a guest
/// that is not written for it sees its own data races, as native code would. Nothing needs to be disposed.
/// </summary>
public sealed class Instance : InstanceCore, ILinkable
{
    internal Instance(Module module) => Module = module;

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>The names and types of the exports, in order.</summary>
    public IReadOnlyList<ExportType> Exports => Module.Exports;

    /// <summary>Why the guest's last <c>compile</c> or <c>instantiate</c> failed; null if none has.</summary>
    public string? LastLinkingError { get; internal set; }

    DefType ILinkable.DynamicType => Module.Info.InstanceType;

    /// <summary>An export: a function as its typed delegate, a memory, a table, a global or a tag.</summary>
    /// <typeparam name="T">
    /// The delegate type of a function (Func or Action of int, long, float, double, Vector128, Delegate, object; several
    /// results as a ValueTuple; or a delegate type with the same signature), or Memory, Table, Global, Tag.
    /// </typeparam>
    /// <returns>For the function's own delegate type the same object each time.</returns>
    /// <exception cref="KeyNotFoundException">There is no export of this name.</exception>
    /// <exception cref="InvalidCastException">The export is something else, or the function has another signature.</exception>
    public T GetExport<T>(string name)
        where T : class
    {
        object export = FindExport(name) ?? throw new KeyNotFoundException($"The instance exports no \"{name}\".");
        if (export is T typed) return typed;
        if (export is Delegate { Target: FuncRef func } && typeof(T).IsSubclassOf(typeof(Delegate)))
        {
            try
            {
                return (T)(object)Signature.Of(func.Type).Entry.CreateDelegate(typeof(T), func);
            }
            catch (ArgumentException)
            {
                throw new InvalidCastException($"The function \"{name}\" has the type {func.Type}: a {Signature.Of(func.Type).DelegateType}.");
            }
        }
        throw new InvalidCastException($"The export \"{name}\" is a {export.GetType()}, not a {typeof(T)}.");
    }

    /// <summary>An export, if there is one of this name and type.</summary>
    public bool TryGetExport<T>(string name, [NotNullWhen(true)] out T? export)
        where T : class
    {
        export = FindExport(name) as T;
        return export is not null;
    }

    internal object? FindExport(string name)
    {
        object? value = FindInternal(name);
        return value is FuncRef func ? func.Delegate : value;
    }

    /// <summary>An export in the form of generated code.</summary>
    internal object? FindInternal(string name)
    {
        foreach (ExportInfo export in Module.Info.Exports)
        {
            if (export.Name != name) continue;
            int index = (int)export.Index;
            return export.Kind switch
            {
                ExternKind.Func => GetFunc(index),
                ExternKind.Memory => Memories[index],
                ExternKind.Table => Tables[index],
                ExternKind.Global => Globals[index],
                _ => Tags[index],
            };
        }
        return null;
    }
}
