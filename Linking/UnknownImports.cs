using System.Linq.Expressions;
using WasmJit.Jit.Calls;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>Stand-ins for functions that a module imports and the host does not give.</summary>
public enum UnknownImports
{
    /// <summary>A function that traps when it is called, with the import's name.</summary>
    Trap,

    /// <summary>A function that does nothing and returns zeros and nulls.</summary>
    Default,
}

/// <summary>Makes stand-ins for imports that the host does not give.</summary>
internal static class UnknownImport
{
    /// <summary>Makes an import of a type: functions as asked for, everything else with the least that the type allows.</summary>
    /// <param name="import">The import; of an instance each export that is given under its name is taken.</param>
    /// <param name="functions">What functions do.</param>
    /// <param name="given">What is given.</param>
    /// <param name="engine">The engine of the module that imports.</param>
    /// <exception cref="LinkException">A value of the type cannot be made.</exception>
    internal static object Make(ImportType import, UnknownImports functions, Imports given, Engine engine)
    {
        try
        {
            return import.Type.Kind switch
            {
                ExternKind.Func => MakeFunction(import, functions),
                ExternKind.Memory => new Memory(import.Type.Memory, new MemoryPlacement(engine.UsesGuardPages, engine.Options.MemoryReservation)),
                ExternKind.Table when import.Type.Table.Element.IsNullable => new Table(import.Type.Table),
                ExternKind.Global when Zero(import.Type.Global.Type) is var zero => new Global(import.Type.Global, zero),
                ExternKind.Tag => new Tag(import.Type.Def),
                ExternKind.Instance => MakeInstance(import, functions, given, engine),
                _ => throw new LinkException($"nothing can stand for the import {NamesOf(import)} {import.Type}"),
            };
        }
        catch (InsufficientMemoryException e)
        {
            throw new LinkException($"out of memory: {e.Message}");
        }
    }

    private static Instance MakeInstance(ImportType import, UnknownImports functions, Imports given, Engine engine)
    {
        InstanceType type = import.Type.Instance;
        return Bundle.Make(engine, type, name =>
        {
            ExternType wanted = type.Find(name)!;
            var export = new ImportType(import.Module, name, wanted);
            object value = (import.Name is null ? given.Find(import.Module, name) : null) ?? Make(export, functions, given, engine);
            return value is Delegate host && wanted.Kind == ExternKind.Func ? HostFunctions.Make(host, wanted.Def, null) : value;
        })!;
    }

    /// <summary>The value of a type that is all zeros; references are null.</summary>
    private static object? Zero(ValType type)
    {
        if (!type.IsRef) return Activator.CreateInstance(Signature.Of(new FuncType([type], [])).HostParameters[0]);
        return type.IsNullable ? null : throw new LinkException($"nothing can stand for a value of the type {type}");
    }

    private static string NamesOf(ImportType import) =>
        import.Name is null ? $"\"{import.Module}\"" : $"\"{import.Module}\" \"{import.Name}\"";

    private static Delegate MakeFunction(ImportType import, UnknownImports functions)
    {
        bool traps = functions == UnknownImports.Trap || import.Type.Func.Results.Any(r => r.IsRef && !r.IsNullable);
        if (!RuntimeCode.IsAvailable)
        {
            return new UntypedHost(import.Type.Func, (_, _, _) =>
            {
                if (traps) throw Trap.Make(TrapKind.UnknownImport, NamesOf(import));
            }, null).Delegate;
        }
        Signature signature = Signature.Of(import.Type.Def);
        ParameterExpression[] parameters = [.. signature.HostParameters.Select(p => Expression.Parameter(p))];
        Expression body = Expression.Default(signature.HostReturn);
        if (traps)
        {
            Func<Exception> error = () => Trap.Make(TrapKind.UnknownImport, NamesOf(import));
            body = Expression.Block(Expression.Throw(Expression.Invoke(Expression.Constant(error))), body);
        }
        return Expression.Lambda(signature.DelegateType, body, parameters).Compile();
    }
}
