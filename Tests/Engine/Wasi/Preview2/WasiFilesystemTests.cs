using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasi:filesystem</c>: the same files, paths and limits as those of preview 1. Each test runs over both kinds of directories.</summary>
public sealed class WasiFilesystemTests
{
    private const string Descriptor = "filesystem/types#[method]descriptor.";

    private static readonly string[] ReadWrite = ["read", "write"], Create = ["create"];

    private static object[] Link(WasiComponentGuest guest, string from, string to) => [guest.Root, Array.Empty<string>(), from, guest.Root, to];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FilesAreWrittenAndRead(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        using (ComponentResource file = guest.Open("a.txt", ReadWrite, Create))
        {
            Assert.Equal(5u, guest.Ok(Descriptor + "write", file, "hello"u8.ToArray(), 0).AsU64());
            Assert.Equal(2u, guest.Ok(Descriptor + "write", file, "XY"u8.ToArray(), 3).AsU64());
            ComponentValue read = guest.Ok(Descriptor + "read", file, 3, 1);
            Assert.Equal("elX", WasiComponentGuest.Text(read.Items[0]));
            Assert.False(read.Items[1].AsBool());
            read = guest.Ok(Descriptor + "read", file, ulong.MaxValue, 1);
            Assert.Equal("elXY", WasiComponentGuest.Text(read.Items[0]));
            Assert.True(read.Items[1].AsBool());
            Assert.True(guest.Ok(Descriptor + "read", file, 10, ulong.MaxValue).Items[1].AsBool());
            Assert.Equal("file-too-large", guest.Fails(Descriptor + "write", file, "x"u8.ToArray(), ulong.MaxValue));
            guest.Ok(Descriptor + "sync", file);
            guest.Ok(Descriptor + "sync-data", file);
            guest.Ok(Descriptor + "advise", file, 0, 5, ComponentValue.Enum("sequential"));
            guest.Ok(Descriptor + "set-size", file, 2);
            Assert.Equal("file-too-large", guest.Fails(Descriptor + "set-size", file, ulong.MaxValue));
            Assert.Equal("{read, write}", guest.Ok(Descriptor + "get-flags", file).ToString());
            Assert.Equal("regular-file", guest.Ok(Descriptor + "get-type", file).CaseName);
        }
        Assert.Equal("he", File.ReadAllText(guest.Host("a.txt")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FilesAreStreams(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        ComponentResource file = guest.Open("s.txt", ReadWrite, Create);
        using (ComponentResource to = guest.Ok(Descriptor + "write-via-stream", file, 2).AsResource())
        {
            guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, "abc"u8.ToArray());
            guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, "def"u8.ToArray());
        }
        using (ComponentResource to = guest.Ok(Descriptor + "append-via-stream", file).AsResource())
            guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, "!"u8.ToArray());
        ComponentResource from = guest.Ok(Descriptor + "read-via-stream", file, 1).AsResource();
        // A stream goes on when its file is dropped.
        file.Dispose();
        Assert.Equal("\0abcdef!", guest.ReadAll(from));
        from.Dispose();
        using ComponentResource reader = guest.Open("s.txt", ["read"]), writer = guest.Open("s.txt", ["write"]);
        Assert.Equal("bad-descriptor", guest.Fails(Descriptor + "write-via-stream", reader, 0));
        Assert.Equal("bad-descriptor", guest.Fails(Descriptor + "append-via-stream", reader));
        Assert.Equal("bad-descriptor", guest.Fails(Descriptor + "write", reader, "x"u8.ToArray(), 0));
        Assert.Equal("bad-descriptor", guest.Fails(Descriptor + "set-size", reader, 0));
        Assert.Equal("bad-descriptor", guest.Fails(Descriptor + "read-via-stream", writer, 0));
        Assert.Equal("bad-descriptor", guest.Fails(Descriptor + "read", writer, 1, 0));
        Assert.Equal("is-directory", guest.Fails(Descriptor + "read", guest.Root, 1, 0));
        Assert.Equal("is-directory", guest.Fails(Descriptor + "read-via-stream", guest.Root, 0));
        Assert.Equal("not-directory", guest.OpenFails("x", from: reader));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DirectoriesAreMadeListedAndRemoved(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        guest.Ok(Descriptor + "create-directory-at", guest.Root, "d");
        Assert.Equal("exist", guest.Fails(Descriptor + "create-directory-at", guest.Root, "d"));
        File.WriteAllText(guest.Host("d/f"), "");
        using (ComponentResource d = guest.Open("d", open: ["directory"]))
        {
            Assert.Equal("directory", guest.Ok(Descriptor + "get-type", d).CaseName);
            Assert.Equal("{read, mutate-directory}", guest.Ok(Descriptor + "get-flags", d).ToString());
            guest.Ok(Descriptor + "create-directory-at", d, "sub");
            var entries = new List<string>();
            using ComponentResource list = guest.Ok(Descriptor + "read-directory", d).AsResource();
            while (guest.Ok("filesystem/types#[method]directory-entry-stream.read-directory-entry", list) is { CaseName: "some" } entry) entries.Add(entry.Payload.ToString());
            Assert.Equal(["{type: directory, name: \"sub\"}", "{type: regular-file, name: \"f\"}"], entries.Order(StringComparer.Ordinal));
        }
        Assert.Equal("not-empty", guest.Fails(Descriptor + "remove-directory-at", guest.Root, "d"));
        guest.Ok(Descriptor + "unlink-file-at", guest.Root, "d/f");
        guest.Ok(Descriptor + "remove-directory-at", guest.Root, "d/sub");
        guest.Ok(Descriptor + "remove-directory-at", guest.Root, "d");
        Assert.Equal("no-entry", guest.Fails(Descriptor + "unlink-file-at", guest.Root, "d/f"));
        Assert.Empty(Directory.GetFileSystemEntries(guest.Inside));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PathsAreRenamedLinkedAndAsked(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        File.WriteAllText(guest.Host("a"), "abc");
        guest.Ok(Descriptor + "rename-at", guest.Root, "a", guest.Root, "b");
        Assert.Equal("no-entry", guest.Fails(Descriptor + "stat-at", guest.Root, Array.Empty<string>(), "a"));
        ComponentValue stat = guest.Ok(Descriptor + "stat-at", guest.Root, Array.Empty<string>(), "b");
        Assert.Equal("regular-file", stat["type"].CaseName);
        Assert.Equal(3u, stat["size"].AsU64());
        using ComponentResource b = guest.Open("b");
        Assert.Equal(stat["size"], guest.Ok(Descriptor + "stat", b)["size"]);
        if (!portable)
        {
            guest.Ok(Descriptor + "link-at", Link(guest, "b", "c"));
            Assert.Equal(2u, guest.Ok(Descriptor + "stat", b)["link-count"].AsU64());
            using ComponentResource c = guest.Open("c");
            Assert.True(guest.Call(Descriptor + "is-same-object", b, c).AsBool());
            Assert.Equal(guest.Ok(Descriptor + "metadata-hash", b), guest.Ok(Descriptor + "metadata-hash-at", guest.Root, Array.Empty<string>(), "c"));
        }
        Assert.False(guest.Call(Descriptor + "is-same-object", b, guest.Root).AsBool());
        Assert.NotEqual(guest.Ok(Descriptor + "metadata-hash", b), guest.Ok(Descriptor + "metadata-hash", guest.Root));
    }

    [LinuxTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void SymbolicLinksAreFollowedIfThatIsAskedFor(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        File.WriteAllText(guest.Host("target"), "abc");
        guest.Ok(Descriptor + "symlink-at", guest.Root, "target", "link");
        Assert.Equal("target", guest.Ok(Descriptor + "readlink-at", guest.Root, "link").AsString());
        Assert.Equal("symbolic-link", guest.Ok(Descriptor + "stat-at", guest.Root, Array.Empty<string>(), "link")["type"].CaseName);
        Assert.Equal("regular-file", guest.Ok(Descriptor + "stat-at", guest.Root, new[] { "symlink-follow" }, "link")["type"].CaseName);
        Assert.Equal("loop", guest.OpenFails("link", follow: false));
        guest.Open("link").Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TimesAreSet(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        File.WriteAllText(guest.Host("a"), "");
        ComponentValue Time(ulong seconds) => ComponentValue.Variant("timestamp", ComponentValue.Record(("seconds", ComponentValue.From(seconds)), ("nanoseconds", ComponentValue.From(500u))));
        ComponentValue same = ComponentValue.Variant("no-change"), now = ComponentValue.Variant("now");
        guest.Ok(Descriptor + "set-times-at", guest.Root, Array.Empty<string>(), "a", Time(1000), Time(2000));
        using ComponentResource a = guest.Open("a", ReadWrite);
        ComponentValue stat = guest.Ok(Descriptor + "stat", a);
        Assert.Equal(1000u, stat["data-access-timestamp"].Payload["seconds"].AsU64());
        Assert.Equal("{seconds: 2000, nanoseconds: 500}", stat["data-modification-timestamp"].Payload.ToString());
        guest.Ok(Descriptor + "set-times", a, same, Time(3000));
        stat = guest.Ok(Descriptor + "stat", a);
        Assert.Equal(1000u, stat["data-access-timestamp"].Payload["seconds"].AsU64());
        Assert.Equal(3000u, stat["data-modification-timestamp"].Payload["seconds"].AsU64());
        guest.Ok(Descriptor + "set-times", a, now, now);
        Assert.True(guest.Ok(Descriptor + "stat", a)["data-modification-timestamp"].Payload["seconds"].AsU64() > 1_000_000_000);
        Assert.Equal("invalid", guest.Fails(Descriptor + "set-times", a, Time(ulong.MaxValue), same));
    }

    [LinuxTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void NoPathLeadsOut(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable);
        File.WriteAllText(guest.Host("../secret"), "secret");
        Directory.CreateDirectory(guest.Host("d"));
        File.CreateSymbolicLink(guest.Host("up"), "../secret");
        File.CreateSymbolicLink(guest.Host("absolute"), Path.GetFullPath(guest.Host("../secret")));
        Directory.CreateSymbolicLink(guest.Host("d/out"), "../..");
        foreach (string path in new[] { "../secret", "d/../../secret", "/etc/passwd", "up", "absolute", "d/out/secret", "..", "d/out/inside/../secret" })
        {
            Assert.Equal("not-permitted", guest.OpenFails(path));
            Assert.Equal("not-permitted", guest.Fails(Descriptor + "stat-at", guest.Root, new[] { "symlink-follow" }, path));
            Assert.Equal("not-permitted", guest.Fails(Descriptor + "metadata-hash-at", guest.Root, new[] { "symlink-follow" }, path));
            Assert.NotEqual("ok", guest.Call(Descriptor + "create-directory-at", guest.Root, path + "/new").CaseName);
        }
        Assert.Equal("not-permitted", guest.Fails(Descriptor + "rename-at", guest.Root, "d", guest.Root, "../moved"));
        Assert.Equal("not-permitted", guest.Fails(Descriptor + "link-at", Link(guest, "../secret", "mine")));
        Assert.Equal("not-permitted", guest.Fails(Descriptor + "symlink-at", guest.Root, "/etc/passwd", "l"));
        Assert.Equal("not-permitted", guest.Fails(Descriptor + "readlink-at", guest.Root, "absolute"));
        Assert.Equal("invalid", guest.OpenFails("a\0b"));
        Assert.Equal("name-too-long", guest.OpenFails(new string('x', 5000)));
        Assert.Equal("secret", File.ReadAllText(guest.Host("../secret")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReadOnlyDirectoryStaysAsItIs(bool portable)
    {
        using var guest = new WasiComponentGuest(portable: portable, readOnly: true);
        File.WriteAllText(guest.Host("a"), "abc");
        Directory.CreateDirectory(guest.Host("d"));
        Assert.Equal("{read}", guest.Ok(Descriptor + "get-flags", guest.Root).ToString());
        Assert.Equal("read-only", guest.OpenFails("a", ReadWrite));
        Assert.Equal("read-only", guest.OpenFails("a", ["read"], ["truncate"]));
        Assert.Equal("read-only", guest.OpenFails("new", ["read"], Create));
        Assert.Equal("read-only", guest.OpenFails("d", ["read", "mutate-directory"], ["directory"]));
        Assert.Equal("read-only", guest.Fails(Descriptor + "create-directory-at", guest.Root, "e"));
        Assert.Equal("read-only", guest.Fails(Descriptor + "unlink-file-at", guest.Root, "a"));
        Assert.Equal("read-only", guest.Fails(Descriptor + "remove-directory-at", guest.Root, "d"));
        Assert.Equal("read-only", guest.Fails(Descriptor + "rename-at", guest.Root, "a", guest.Root, "b"));
        Assert.Equal("read-only", guest.Fails(Descriptor + "symlink-at", guest.Root, "a", "l"));
        ComponentValue now = ComponentValue.Variant("now");
        Assert.Equal("read-only", guest.Fails(Descriptor + "set-times-at", guest.Root, Array.Empty<string>(), "a", now, now));
        using ComponentResource a = guest.Open("a"), d = guest.Open("d", open: ["directory"]);
        Assert.Equal("read-only", guest.Fails(Descriptor + "set-times", a, now, now));
        // What is opened from it behaves the same.
        Assert.Equal("read-only", guest.OpenFails("new", ["write"], Create, from: d));
        Assert.Equal("abc", File.ReadAllText(guest.Host("a")));
    }

    [Fact]
    public void ThereIsALimitToWhatIsOpen()
    {
        using var guest = new WasiComponentGuest(new WasiOptions { MaximumDescriptors = 4 });
        File.WriteAllText(guest.Host("a"), "");
        // The directory itself is one.
        ComponentResource first = guest.Open("a");
        ComponentResource list = guest.Ok(Descriptor + "read-directory", guest.Root).AsResource();
        guest.Open("a");
        Assert.Equal("insufficient-memory", guest.OpenFails("a"));
        Assert.Equal("insufficient-memory", guest.Fails(Descriptor + "read-directory", guest.Root));
        // What is dropped makes room, a file when its last stream is.
        ComponentResource stream = guest.Ok(Descriptor + "read-via-stream", first, 0).AsResource();
        first.Dispose();
        Assert.Equal("insufficient-memory", guest.OpenFails("a"));
        stream.Dispose();
        guest.Open("a");
        list.Dispose();
        guest.Open("a");
    }

    [LinuxFact]
    public void NamesThatAreNoTextAreErrors()
    {
        using var guest = new WasiComponentGuest();
        using var make = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"touch \"{guest.Inside}/$(printf 'a\\377b')\""]);
        make.WaitForExit();
        using ComponentResource list = guest.Ok(Descriptor + "read-directory", guest.Root).AsResource();
        Assert.Equal("illegal-byte-sequence", guest.Fails("filesystem/types#[method]directory-entry-stream.read-directory-entry", list));
        Assert.Equal("none", guest.Ok("filesystem/types#[method]directory-entry-stream.read-directory-entry", list).CaseName);
    }
}
