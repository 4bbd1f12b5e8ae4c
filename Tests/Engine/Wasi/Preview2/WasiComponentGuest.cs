using System.Text;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A guest of WASI 0.2 whose functions tests call by name, with a folder whose subfolder <c>inside</c> it is given as "/". What lies beside that subfolder is what the
/// guest must not reach.
/// </summary>
internal sealed class WasiComponentGuest : IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), "wasi2-" + Guid.NewGuid().ToString("N"));

    internal WasiComponentGuest(WasiOptions? options = null, bool portable = false, bool readOnly = false)
    {
        Directory.CreateDirectory(Inside);
        Mirror = new WasiMirror((options ?? WasiGuest.Quiet) with { Directories = [new WasiDirectory(Inside, "/", readOnly)] }, portable);
    }

    internal WasiMirror Mirror { get; }

    internal string Inside => Path.Combine(folder, "inside");

    internal string Host(string path) => Path.Combine(Inside, path);

    /// <summary>Calls a function, named without <c>wasi:</c>, with .NET values for what they stand for.</summary>
    internal ComponentValue Call(string function, params object[] arguments) => Mirror.Call("wasi:" + function, [.. arguments.Select(Of)]);

    internal ComponentResource Resource(string function, params object[] arguments) => Call(function, arguments).AsResource();

    /// <summary>The value of a result that must be fine.</summary>
    internal ComponentValue Ok(string function, params object[] arguments) => Payload("ok", function, Call(function, arguments));

    /// <summary>The name of the error of a result.</summary>
    internal string Fails(string function, params object[] arguments) => Payload("error", function, Call(function, arguments)).CaseName;

    private static ComponentValue Payload(string expected, string what, ComponentValue result)
    {
        Assert.True(result.CaseName == expected, $"{what}: {result}");
        return result.Payload;
    }

    /// <summary>The trap that a call ends with. Nothing else can be called then.</summary>
    internal string Traps(string function, params object[] arguments) => Assert.Throws<TrapException>(() => Call(function, arguments)).Message;

    internal static ComponentValue Of(object value) => value switch
    {
        ComponentValue made => made,
        ComponentResource resource => ComponentValue.From(resource),
        string text => ComponentValue.From(text),
        bool yes => ComponentValue.From(yes),
        byte number => ComponentValue.From(number),
        ushort number => ComponentValue.From(number),
        uint number => ComponentValue.From(number),
        ulong number => ComponentValue.From(number),
        int number => ComponentValue.From((ulong)number),
        byte[] bytes => ComponentValue.List(bytes.Select(ComponentValue.From)),
        string[] names => ComponentValue.Flags(names),
        _ => throw new ArgumentException(value.GetType().Name),
    };

    internal static byte[] Bytes(ComponentValue list) => [.. list.Items.Select(i => i.AsU8())];

    internal static string Text(ComponentValue list) => Encoding.UTF8.GetString(Bytes(list));

    // ---- files ----

    private ComponentResource? root;

    /// <summary>The directory that it is given.</summary>
    internal ComponentResource Root => root ??= Call("filesystem/preopens#get-directories").Items[0].Items[0].AsResource();

    private ComponentValue TryOpen(string path, string[]? flags, string[]? open, bool follow, ComponentResource? from) => Call(
        "filesystem/types#[method]descriptor.open-at", from ?? Root, follow ? new[] { "symlink-follow" } : [], path, open ?? [], flags ?? ["read"]);

    internal ComponentResource Open(string path, string[]? flags = null, string[]? open = null, bool follow = true, ComponentResource? from = null) =>
        Payload("ok", $"open {path}", TryOpen(path, flags, open, follow, from)).AsResource();

    internal string OpenFails(string path, string[]? flags = null, string[]? open = null, bool follow = true, ComponentResource? from = null) =>
        Payload("error", $"open {path}", TryOpen(path, flags, open, follow, from)).CaseName;

    /// <summary>Reads a stream to its end.</summary>
    internal string ReadAll(ComponentResource stream)
    {
        var bytes = new List<byte>();
        while (true)
        {
            ComponentValue result = Call("io/streams#[method]input-stream.blocking-read", stream, 1 << 20);
            if (result.CaseName == "error") return result.Payload.CaseName == "closed" ? Encoding.UTF8.GetString([.. bytes]) : throw new IOException(result.ToString());
            bytes.AddRange(Bytes(result.Payload));
        }
    }

    public void Dispose()
    {
        Mirror.Dispose();
        WasiFolder.Delete(folder);
    }
}
