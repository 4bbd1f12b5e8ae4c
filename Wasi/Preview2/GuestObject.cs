using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>
/// What a guest has a handle of. An object may be the child of another, as a pollable is of its stream; a guest must drop children first.
/// </summary>
internal abstract class GuestObject : IDisposable
{
    private GuestObject? parent;
    private int children;
    private bool isGone;

    internal bool HasChildren => Volatile.Read(ref children) > 0;

    /// <summary>Makes an object a child of this one.</summary>
    internal T Adopt<T>(T child)
        where T : GuestObject
    {
        Interlocked.Increment(ref children);
        child.parent = this;
        return child;
    }

    /// <summary>Its handle was dropped, or given back.</summary>
    public void Dispose()
    {
        if (isGone) return;
        isGone = true;
        if (parent is not null) Interlocked.Decrement(ref parent.children);
        Close();
    }

    /// <summary>Lets go of what the object has.</summary>
    private protected virtual void Close()
    {
    }
}

/// <summary>The resource types of WASI, for the guests of one host.</summary>
internal sealed class ResourceTypes
{
    internal HostResourceType Error { get; } = Make("error");

    internal HostResourceType Pollable { get; } = Make("pollable");

    internal HostResourceType InputStream { get; } = Make("input-stream");

    internal HostResourceType OutputStream { get; } = Make("output-stream");

    internal HostResourceType TerminalInput { get; } = Make("terminal-input");

    internal HostResourceType TerminalOutput { get; } = Make("terminal-output");

    internal HostResourceType Descriptor { get; } = Make("descriptor");

    internal HostResourceType DirectoryEntryStream { get; } = Make("directory-entry-stream");

    private static HostResourceType Make(string name) => new(name)
    {
        Dropping = static found =>
        {
            if (((GuestObject)found).HasChildren) throw ComponentTrap.Make("resource has children");
        },
    };
}
