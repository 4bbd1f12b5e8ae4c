using WasmJit.Builtins;

namespace WasmJit.Linking;

/// <summary>Components and their instances, which the guest owns: a number that is dropped frees what it stands for.</summary>
internal readonly partial struct LinkingFunctions
{
    /// <summary>Arguments of a call in bytes at most.</summary>
    private const int MostArguments = 1 << 20;

    private LinkingComponents Components => Options.Components ?? throw Failure(LinkingError.NotAllowed, "components not allowed");

    private int CompileComponent(ulong address, ulong length) => Keep(Components.CompileFor(Guest, Window(address, length)));

    private int LoadComponent(ulong name, ulong length) => Keep(Components.LoadFor(Guest, Text(name, length)));

    /// <summary>Gives the guest an object, which ends if the guest can have no number for it.</summary>
    private int Keep(ILinkedObject made)
    {
        try
        {
            return Handles.Add(made);
        }
        catch
        {
            made.End();
            throw;
        }
    }

    /// <summary>Imports are the address and length of a name, and the handle of an instance.</summary>
    private int InstantiateComponent(int component, ulong list, ulong count, bool isWide)
    {
        ILinkedComponent target = Handles.Get<ILinkedComponent>(component);
        int size = 3 * (isWide ? sizeof(ulong) : sizeof(uint));
        byte[] copy = ImportList(list, count, size);
        var imports = new List<(string, ILinkedInstance)>();
        for (int at = 0; at < copy.Length; at += size)
        {
            ReadOnlySpan<byte> one = copy.AsSpan(at, size);
            string name = Text(Word(one, 0, isWide), Word(one, 1, isWide));
            imports.Add((name, Handles.Get<ILinkedInstance>((int)Word(one, 2, isWide))));
        }
        return Keep(target.InstantiateFor(Guest, imports));
    }

    /// <summary>Calls a function; its result is kept for <see cref="LastResult"/>.</summary>
    private int CallComponent(int instance, ulong name, ulong length, ulong arguments, ulong bytes)
    {
        ILinkedInstance target = Handles.Get<ILinkedInstance>(instance);
        if (bytes > MostArguments) throw Failure(LinkingError.InvalidArgument, $"{bytes} bytes of arguments");
        string function = Text(name, length);
        Pay(bytes);
        state.LastResult = [];
        byte[] result = target.CallFor(function, Window(arguments, bytes).ToArray());
        state.LastResult = result;
        return result.Length;
    }

    private int LastResult(ulong address, ulong room) => Write(state.LastResult, address, room);
}
