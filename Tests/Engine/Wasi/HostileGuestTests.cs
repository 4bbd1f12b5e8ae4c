using System.Net;
using System.Net.Sockets;
using CsCheck;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A guest that calls every function with anything: pointers and lengths beyond its memory, descriptors that it never had, paths,
/// lists and subscriptions of random bytes. Whatever comes is a result, the guest's exit or the end of a wait; nothing outside of
/// its directory changes, and the host works as before.
/// </summary>
public sealed class HostileGuestTests : IDisposable
{
    private const int PageSize = 65_536;

    /// <summary>The descriptor of a file that is open from the beginning.</summary>
    private const int OpenFile = 6;

    /// <summary>Where a call's paths, lists and subscriptions are, and what is in them.</summary>
    private static readonly int[] Places = [0, 8, 64, 1024, 4096, 40_000, PageSize - 48, PageSize - 24, PageSize - 8, PageSize - 1, PageSize];

    private static readonly string[] Paths =
    [
        ".", "..", "a", "a/", "d", "d/e", "d/../a", "../outside", "link", "link/x", "up", "up/outside", "new", "/", "/etc/passwd", "", "a\0b", "d//e", "é",
        new('x', 300), string.Concat(Enumerable.Repeat("d/", 300)),
    ];

    private static readonly Gen<int> I32 = Gen.Frequency(
        (6, Gen.Int[0, 12]),
        (4, Gen.OneOfConst(Places)),
        (2, Gen.OneOfConst(-1, int.MinValue, int.MaxValue, 1024, 1025, 0x10000, 0x40000000)),
        (1, Gen.Int[0, PageSize]),
        (1, Gen.Int));

    /// <summary>Sizes are small or more than any file can have: nothing in between fills the disk.</summary>
    private static readonly Gen<long> I64 = Gen.Frequency(
        (4, Gen.Long[0, 5000]),
        (3, Gen.OneOfConst(-1L, long.MinValue, long.MaxValue, 1L << 62, 0x4000_0000_1fff_ffff, -1L << 32)),
        (1, Gen.Long[-5000, -1]));

    private static readonly Gen<byte[]> Texts = Gen.Int[0, Paths.Length - 1].Select(i => System.Text.Encoding.UTF8.GetBytes(Paths[i]));

    private static readonly Gen<byte[]> Words = I32.Array[4].Select(words => words.SelectMany(BitConverter.GetBytes).ToArray());

    private static readonly Gen<byte[]> Content = Gen.OneOf(Texts, Words, Gen.Byte.Array[0, 64]);

    private static readonly Gen<Call> Calls = Gen.Select(
        Gen.Int[0, WasiGuest.Functions.Length - 1], I32.Array[9], I64.Array[3], Gen.OneOfConst(Places), Content, Gen.Bool,
        (function, ints, longs, place, content, plausible) => new Call(function, ints, longs, place, content, plausible));

    /// <summary>
    /// What arguments mean, for calls that are meant to come far: a descriptor, the address and length of a path or of a list, a place for
    /// results, some flags.
    /// </summary>
    private static readonly Dictionary<string, string> Roles = new()
    {
        ["fd_advise"] = "f..i",
        ["fd_allocate"] = "f..",
        ["fd_filestat_set_size"] = "f.",
        ["fd_filestat_set_times"] = "f..i",
        ["fd_pread"] = "fbc.r",
        ["fd_pwrite"] = "fbc.r",
        ["fd_read"] = "fbcr",
        ["fd_readdir"] = "fr..r",
        ["fd_seek"] = "f.ir",
        ["fd_tell"] = "fr",
        ["fd_write"] = "fbcr",
        ["fd_filestat_get"] = "fr",
        ["fd_fdstat_set_rights"] = "f..",
        ["path_create_directory"] = "fpn",
        ["path_filestat_get"] = "fipnr",
        ["path_filestat_set_times"] = "fipn..i",
        ["path_link"] = "fipnfPN",
        ["path_open"] = "fipni..ir",
        ["path_readlink"] = "fpnr.r",
        ["path_remove_directory"] = "fpn",
        ["path_rename"] = "fpnfPN",
        ["path_symlink"] = "pnfPN",
        ["path_unlink_file"] = "fpn",
        ["poll_oneoff"] = "brir",
        ["sock_accept"] = "fir",
        ["sock_recv"] = "fbcirr",
        ["sock_send"] = "fbcir",
        ["sock_shutdown"] = "fi",
    };

    private readonly string folder = Directory.CreateTempSubdirectory("wasi-hostile-").FullName;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public HostileGuestTests()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        File.WriteAllText(Path.Combine(folder, "outside"), "untouched");
    }

    public void Dispose()
    {
        listener.Dispose();
        WasiFolder.Delete(folder);
    }

    [Theory]
    [InlineData("wasi_snapshot_preview1", false)]
    [InlineData("wasi_snapshot_preview1", true)]
    [InlineData("wasi_unstable", false)]
    public void NothingElseComesOfAnyCall(string version, bool portable) => Calls.Array[1, 30].Check(
        200,
        calls =>
        {
            using var source = new CancellationTokenSource();
            WasiGuest guest = Guest(version, portable, source.Token);
            source.CancelAfter(3);
            foreach (Call call in calls) call.Make(guest, version);
            guest.Host.Dispose();
            Check();
        },
        Print);

    [Fact]
    public void NorOfCallsByManyThreads() => Calls.Array[8, 60].Check(
        40,
        calls =>
        {
            using var source = new CancellationTokenSource();
            WasiGuest guest = Guest("wasi_snapshot_preview1", portable: false, source.Token);
            source.CancelAfter(20);
            var failures = new List<Exception>();
            Thread[] threads = [.. calls.Chunk((calls.Length + 3) / 4).Select(part => new Thread(() =>
            {
                try
                {
                    foreach (Call call in part) call.Make(guest, "wasi_snapshot_preview1");
                }
                catch (Exception e)
                {
                    lock (failures) failures.Add(e);
                }
            }))];
            foreach (Thread thread in threads) thread.Start();
            foreach (Thread thread in threads) thread.Join();
            guest.Host.Dispose();
            Assert.Empty(failures);
            Check();
        },
        Print);

    private static string Print(Call[] calls) => string.Join('\n', calls.Select(c => c.ToString()));

    private WasiGuest Guest(string version, bool portable, CancellationToken token)
    {
        string inside = Path.Combine(folder, "inside");
        if (Directory.Exists(inside)) WasiFolder.Delete(inside);
        Directory.CreateDirectory(Path.Combine(inside, "d", "e"));
        File.WriteAllText(Path.Combine(inside, "a"), "content of a file");
        File.CreateSymbolicLink(Path.Combine(inside, "link"), "d");
        File.CreateSymbolicLink(Path.Combine(inside, "up"), "..");
        var guest = new WasiGuest(
            new WasiOptions
            {
                Arguments = ["guest", "argument"],
                Input = new MemoryStream("input"u8.ToArray()),
                Output = new MemoryStream(),
                Error = new MemoryStream(),
                Directories = [new WasiDirectory(inside, "/"), new WasiDirectory(inside, "/ro", ReadOnly: true)],
                Sockets = [listener],
                MaximumDescriptors = 20,
                Cancellation = token,
            },
            version,
            portable);
        Assert.Equal(Errno.Success, guest.Invoke("path_open", 3, 0, "a", 0, (long)Rights.All, (long)Rights.All, 0, 0));
        Assert.Equal(OpenFile, guest.Memory.Read<int>(0));
        return guest;
    }

    private void Check()
    {
        Assert.Equal(["inside", "outside"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("untouched", File.ReadAllText(Path.Combine(folder, "outside")));
        Assert.False(listener.SafeHandle.IsClosed);
    }

    /// <summary>A call, with what is in the memory before.</summary>
    private sealed record Call(int Function, int[] Ints, long[] Longs, int Place, byte[] Content, bool Plausible)
    {
        internal void Make(WasiGuest guest, string version)
        {
            (string name, string type) = WasiGuest.Functions[Function];
            if (version == "wasi_unstable" && name == "sock_accept") return;
            int room = Math.Max(0, Math.Min(Content.Length, PageSize - Place));
            if (room > 0) guest.Memory.WriteBytes((ulong)Place, Content.AsSpan(0, room));
            int i = 0, l = 0;
            string[] parameters = type.Contains("(param ", StringComparison.Ordinal) ? type[7..type.IndexOf(')', StringComparison.Ordinal)].Split(' ') : [];
            object[] arguments = [.. parameters.Select(p => p == "i32" ? Ints[i++] : (object)Longs[l++ % Longs.Length])];
            if (Plausible && Roles.TryGetValue(name, out string? roles)) MakePlausible(guest, roles, arguments);
            try
            {
                int error = (int)guest.Invoke(name, arguments);
                Assert.InRange(error, 0, 76);
            }
            catch (Exception e) when (e is WasiExitException or OperationCanceledException)
            {
                // The guest's exit, or the end of a wait.
            }
        }

        private void MakePlausible(WasiGuest guest, string roles, object[] arguments)
        {
            const int path = 50_000, list = 52_000, data = 54_000, results = 60_000;
            int used = 0;
            foreach ((char role, int at) in roles.Select((r, at) => (r, at)))
            {
                int random = Ints[at] & int.MaxValue;
                string text = Paths[Ints[0] % 7 == 0 ? random % Paths.Length : random % 13];
                int place = char.IsUpper(role) ? path + 1000 : path;
                switch (role)
                {
                    case 'f': arguments[at] = random % 3 == 0 ? random % 12 : roles.Contains('p') ? 3 : OpenFile; break;
                    case 'i': arguments[at] = random % 4; break;
                    case 'r': arguments[at] = results + (used++ * 1000); break;
                    case 'c': arguments[at] = random % 3; break;
                    case 'b':
                        guest.WriteList(list, (data, random % 100), (data + 200, random % 3000));
                        arguments[at] = list;
                        break;
                    case 'p' or 'P':
                        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
                        guest.Memory.WriteBytes((ulong)place, bytes);
                        arguments[at] = place;
                        arguments[at + 1] = bytes.Length;
                        break;
                }
            }
        }

        public override string ToString()
        {
            (string name, string type) = WasiGuest.Functions[Function];
            return $"{(Plausible ? "plausible " : "")}{name} {type} [{string.Join(' ', Ints)}] [{string.Join(' ', Longs)}], {Convert.ToHexString(Content)} at {Place}";
        }
    }
}
