using System.Diagnostics;
using System.Globalization;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Ways out of a given directory, each tried with every function that takes a path. Beside the directory <c>inside</c> lie a
/// file <c>secret</c> and a directory <c>outside</c>, which must be neither seen nor changed.
/// </summary>
public sealed class WasiEscapeTests : IDisposable
{
    /// <summary>Paths that lead out, or would on some system. HOST stands for the folder of all this.</summary>
    private static readonly string[] PathForms =
    [
        "..", "../", "../.", "./..", ".//..", "../..", "../secret", "./../secret", "..//secret", "../outside/file",
        "../inside", "../inside/a", "../inside/../secret", "../outside/../secret",
        "d/../..", "d/../../secret", "d/./../../secret", "d/../../inside/a", "d/e/../../..", "d/e/../../../secret",
        "d////..////..////secret", "d/e/.././../../outside/file",
        "/", "//", "/.", "/..", "/secret", "/a", "/d/e", "//secret", "/etc/passwd", "//etc/passwd", "/proc/self/root/etc/passwd",
        "/proc/self/cwd", "/dev/null", "HOST/secret", "HOST/inside/a", "HOST/inside",
    ];

    /// <summary>The same over links that do not lead out themselves.</summary>
    private static readonly string[] PathsOverLinks = ["self/../../secret", "self/..", "d/self/../../secret", "down/../../../secret", "down/../../.."];

    /// <summary>Paths with links on the way, or at the end; what the links say is in the constructor.</summary>
    private static readonly string[] LinkForms =
    [
        "abs", "abs/", "absdir", "absdir/", "absdir/.", "absdir/secret", "absinside", "absinsidedir/a", "rootlink", "rootlink/etc/passwd",
        "proc", "proc/secret", "up", "updir", "updir/", "updir/.", "updir/..", "updir/secret", "updir/inside/a", "updir/outside/file",
        "d/up", "d/e/up", "d/e/updir/secret", "chain1", "chain1/", "deep/secret", "one/two/secret", "one/two/inside/a",
        "outdir/file", "outdir/../secret", "dangling", "danglingdir/new", "d/e/dangling", "twice", "slash/secret", "self/updir/secret",
        "down/updir/secret",
    ];

    /// <summary>Names that Windows does not allow; elsewhere there are no files with them.</summary>
    private static readonly string[] WindowsForms =
    [
        "..\\secret", "d\\..\\..\\secret", "\\secret", "C:\\secret", "C:secret", "C:", "\\\\server\\share\\file", "\\\\?\\C:\\secret",
        "\\\\.\\PhysicalDrive0", "a:stream", "a::$DATA",
        "CON", "con.txt", "NUL", "aux", "COM1", "LPT9.dat", "COM\u00b9", "d/PRN", "CONIN$",
    ];

    private static readonly string[] ChangedNames = ["...", ".. ", "a.", "a ", "a<b", "a>b", "a|b", "a?", "*", "a\"b", "a\u0001b"];

    private readonly string folder = Directory.CreateTempSubdirectory("wasi-escape-").FullName;

    public WasiEscapeTests()
    {
        Write("secret", "secret");
        Write("outside/file", "secret");
        Write("inside/a", "a");
        Write("inside/d/e/f", "f");
        foreach ((string link, string content) in new[]
        {
            ("abs", $"{folder}/secret"), ("absdir", folder), ("absinside", $"{folder}/inside/a"), ("absinsidedir", $"{folder}/inside"),
            ("rootlink", "/"), ("proc", "/proc/self/cwd"), ("up", "../secret"), ("updir", ".."), ("d/up", "../../secret"),
            ("d/e/up", "../../../secret"), ("d/e/updir", "../../.."), ("chain1", "chain2"), ("chain2", "d/../chain3"),
            ("chain3", "../secret"), ("deep", "d/e/../../.."), ("one", "d"), ("d/two", "../.."), ("outdir", "d/e/../../../outside"),
            ("dangling", "../new"), ("danglingdir", "../newdir"), ("d/e/dangling", "../../../new"), ("twice", "up"), ("slash", "..//"),
            ("self", "."), ("d/self", "."), ("down", "d/e"), ("d/e/self", "."),
        })
            File.CreateSymbolicLink(Path.Combine(folder, "inside", link), content);
    }

    public static TheoryData<string, bool> Paths => Both(PathForms);

    public static TheoryData<string, bool> OverLinks => Both(PathsOverLinks);

    public static TheoryData<string, bool> Links => Both(LinkForms);

    public static TheoryData<string, bool> Others => Both([.. WindowsForms, .. ChangedNames.Where(n => n.Trim(' ', '.').Length > 0 || n == "...")]);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static TheoryData<string, bool> Both(string[] forms)
    {
        var data = new TheoryData<string, bool>();
        foreach (string form in forms)
        {
            data.Add(form, false);
            data.Add(form, true);
        }
        return data;
    }

    [Fact]
    public void ThereAreManyForms() => Assert.True(PathForms.Length + PathsOverLinks.Length + LinkForms.Length >= 80);

    [Theory]
    [MemberData(nameof(Paths))]
    public void PathsThatLeadOutAreRefusedByEveryFunction(string form, bool portable)
    {
        string path = form.Replace("HOST", folder, StringComparison.Ordinal);
        WasiGuest guest = Guest(portable);
        string before = Snapshot();
        foreach ((string function, object[] arguments) in Attempts(path).Concat(Following(path)))
        {
            Assert.Equal((function, Errno.Notcapable), (function, guest.Invoke(function, arguments)));
            Assert.Equal((function, before), (function, Snapshot()));
        }
    }

    [Theory]
    [MemberData(nameof(OverLinks))]
    public void LinksOnTheWayOutChangeNothing(string form, bool portable) => PathsThatLeadOutAreRefusedByEveryFunction(form, portable);

    [Theory]
    [MemberData(nameof(Links))]
    public void LinksThatLeadOutAreNotFollowed(string form, bool portable)
    {
        WasiGuest guest = Guest(portable);
        string before = Snapshot();
        foreach ((string function, object[] arguments) in Following(form))
        {
            Assert.Equal((function, Errno.Notcapable), (function, guest.Invoke(function, arguments)));
            Assert.Equal((function, before), (function, Snapshot()));
        }
        // With something behind it, the link is on the way for all functions.
        foreach ((string function, object[] arguments) in Attempts(form.TrimEnd('/') + "/x"))
        {
            Errno error = guest.Invoke(function, arguments);
            Assert.Equal((function, true, before), (function, error is Errno.Notcapable or Errno.Notdir or Errno.Noent, Snapshot()));
        }
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void NamesOfOtherSystemsLeadNowhere(string form, bool portable)
    {
        WasiGuest guest = Guest(portable);
        string before = Snapshot();
        foreach ((string function, object[] arguments) in Following(form).Where(a => a.Function != "path_open" || (int)a.Arguments[3] == 0))
        {
            Errno error = guest.Invoke(function, arguments);
            Assert.Equal((function, true, before), (function, error is Errno.Noent or Errno.Notcapable or Errno.Inval, Snapshot()));
        }
    }

    [Fact]
    public void WindowsNamesAreChecked()
    {
        foreach (string form in WindowsForms)
        {
            string name = form.Split('/')[^1];
            Assert.Equal((form, Errno.Notcapable), (form, Assert.Throws<WasiError>(() => WindowsNames.Check(name)).Errno));
        }
        foreach (string name in ChangedNames)
            Assert.Equal((name, Errno.Inval), (name, Assert.Throws<WasiError>(() => WindowsNames.Check(name)).Errno));
        foreach (string name in new[] { "a", "a.txt", ".git", "CONSOLE", "com", "COM10", "nul_", "größer", "a b" }) WindowsNames.Check(name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LinksTheGuestMakesLeadNowhereElse(bool portable)
    {
        WasiGuest guest = Guest(portable);
        Assert.Equal(Errno.Notcapable, guest.Invoke("path_symlink", $"{folder}/secret", 3, "mine"));
        Assert.Equal(Errno.Notcapable, guest.Invoke("path_symlink", "/etc/passwd", 3, "mine"));
        Assert.Equal(Errno.Success, guest.Invoke("path_symlink", "../secret", 3, "mine"));
        Assert.Equal(Errno.Notcapable, Open(guest, 3, "mine"));
        // A link that is harmless where it is made and leads out from where it is moved.
        Assert.Equal(Errno.Success, guest.Invoke("path_symlink", "../../secret", 3, "d/e/mine"));
        Assert.Equal(Errno.Noent, Open(guest, 3, "d/e/mine"));
        Assert.Equal(Errno.Success, guest.Invoke("path_rename", 3, "d/e/mine", 3, "d/mine"));
        Assert.Equal(Errno.Notcapable, Open(guest, 3, "d/mine"));
        Assert.Equal(Errno.Notcapable, Open(guest, 3, "d/mine", create: true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DirectoriesThatAreMovedOpenNothing(bool portable)
    {
        WasiGuest guest = Guest(portable);
        Assert.Equal(Errno.Success, Open(guest, 3, "d/e", directory: true));
        int e = guest.Memory.Read<int>(0);
        // A directory opened by the guest is as closed as the one it came from.
        Assert.Equal(Errno.Notcapable, Open(guest, e, ".."));
        Assert.Equal(Errno.Notcapable, Open(guest, e, "../../a"));
        if (portable) return;
        // The host moves it out: what it is stays reachable, what is beside it does not become so.
        Directory.Move($"{folder}/inside/d/e", $"{folder}/outside/e");
        Assert.Equal(Errno.Success, Open(guest, e, "f"));
        Assert.Equal(Errno.Notcapable, Open(guest, e, "../file"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LinksOfDirectoriesThatAreMovedOpenNothing(bool portable)
    {
        WasiGuest guest = Guest(portable);
        Assert.Equal(Errno.Success, Open(guest, 3, "d/e", directory: true));
        int e = guest.Memory.Read<int>(0);
        Assert.Equal(Errno.Notcapable, Open(guest, e, "up"));
        if (portable) return;
        Directory.Move($"{folder}/inside/d/e", $"{folder}/outside/e");
        Assert.Equal(Errno.Notcapable, Open(guest, e, "up"));
        Assert.Equal(Errno.Notcapable, Open(guest, e, "self/../../file"));
    }

    [Fact]
    public void LinksPutThereDuringTheWalkAreNotFollowed()
    {
        // One thread swaps a directory and a link to the outside, another reads through the name all the time.
        Write("inside/swap/file", "inside");
        File.CreateSymbolicLink($"{folder}/inside/out", "../outside");
        WasiGuest guest = Guest(portable: false), other = Guest(portable: false);
        bool stop = false;
        int swaps = 0;
        var swapper = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                other.Invoke("path_rename", 3, "swap", 3, "kept");
                other.Invoke("path_rename", 3, "out", 3, "swap");
                other.Invoke("path_rename", 3, "swap", 3, "out");
                if (other.Invoke("path_rename", 3, "kept", 3, "swap") == Errno.Success) Interlocked.Increment(ref swaps);
            }
        });
        swapper.Start();
        int opened = 0;
        var clock = Stopwatch.StartNew();
        try
        {
            // On a busy machine the swapper may not run while this thread tries 3,000 times, or may stand still between two renames.
            for (int i = 0; i < 3000 || ((opened == 0 || Volatile.Read(ref swaps) == 0) && clock.Elapsed < Eventually.Patience); i++)
            {
                Errno error = Open(guest, 3, "swap/file");
                Assert.True(error is Errno.Success or Errno.Notcapable or Errno.Noent or Errno.Notdir or Errno.Loop, error.ToString());
                if (error != Errno.Success) continue;
                opened++;
                int fd = guest.Memory.Read<int>(0);
                guest.WriteList(128, (1024, 100));
                Assert.Equal(Errno.Success, guest.Invoke("fd_read", fd, 128, 1, 64));
                Assert.Equal("inside", guest.Memory.ReadString(1024, guest.Memory.Read<int>(64)));
                guest.Invoke("fd_close", fd);
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            swapper.Join();
        }
        Assert.True(opened > 0, "never opened");
        Assert.True(swaps > 0, "never swapped");
    }

    private static Errno Open(WasiGuest guest, int from, string path, bool directory = false, bool create = false) =>
        guest.Invoke("path_open", from, 1, path, (directory ? 2 : 0) | (create ? 1 : 0), directory ? (long)Rights.Directory : 2L, -1L, 0, 0);

    /// <summary>Functions that look at the name itself, each with the path in each place where it takes one.</summary>
    private static IEnumerable<(string Function, object[] Arguments)> Attempts(string path) =>
    [
        ("path_create_directory", [3, path]),
        ("path_filestat_get", [3, 0, path, 0]),
        ("path_filestat_set_times", [3, 0, path, 1L, 1L, 5]),
        ("path_link", [3, 0, path, 3, "stolen"]),
        ("path_link", [3, 0, "a", 3, path]),
        ("path_open", [3, 0, path, 0, 2L, 0L, 0, 0]),
        ("path_readlink", [3, path, 1024, 100, 0]),
        ("path_remove_directory", [3, path]),
        ("path_rename", [3, path, 3, "stolen"]),
        ("path_rename", [3, "a", 3, path]),
        ("path_symlink", ["a", 3, path]),
        ("path_unlink_file", [3, path]),
    ];

    /// <summary>Functions that follow a link at the path's end.</summary>
    private static IEnumerable<(string Function, object[] Arguments)> Following(string path) =>
    [
        ("path_open", [3, 1, path, 0, 2L, 0L, 0, 0]),
        ("path_open", [3, 1, path, 0, 66L, 0L, 0, 0]),
        .. path.EndsWith('/') ? [] : new[] { ("path_open", new object[] { 3, 1, path, 1, 66L, 0L, 0, 0 }) },
        ("path_open", [3, 1, path, 2, (long)Rights.Directory, -1L, 0, 0]),
        ("path_open", [3, 1, path, 8, 66L, 0L, 0, 0]),
        ("path_filestat_get", [3, 1, path, 0]),
        ("path_filestat_set_times", [3, 1, path, 1L, 1L, 5]),
        ("path_link", [3, 1, path, 3, "stolen"]),
    ];

    private WasiGuest Guest(bool portable) => new(
        new WasiOptions
        {
            Input = Stream.Null,
            Output = Stream.Null,
            Error = Stream.Null,
            Directories = [new WasiDirectory($"{folder}/inside", "/")],
        },
        portable: portable);

    private void Write(string path, string content)
    {
        string full = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    /// <summary>All that is there, inside and outside: names, sizes and times of writing.</summary>
    private string Snapshot()
    {
        var lines = new List<string>();
        Add(new DirectoryInfo(folder));
        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);

        void Add(DirectoryInfo directory)
        {
            foreach (FileSystemInfo info in directory.EnumerateFileSystemInfos())
            {
                string what = info.LinkTarget ?? (info as FileInfo)?.Length.ToString(CultureInfo.InvariantCulture) ?? "directory";
                lines.Add($"{info.FullName} {what} {info.LastWriteTimeUtc.Ticks}");
                if (info is DirectoryInfo { LinkTarget: null } inner) Add(inner);
            }
        }
    }
}
