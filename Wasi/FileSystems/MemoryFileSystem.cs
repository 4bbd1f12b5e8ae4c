using System.Text;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// Files in memory. The host fills it before a guest runs, and reads afterwards what the guest has written; paths of the host begin at the root and have
/// slashes between names. Several guests can share it.
/// </summary>
/// <example><code>
/// var files = new MemoryFileSystem();
/// files.WriteFile("/in/data.txt", "hello");
/// using var wasi = new WasiHost(new WasiOptions { FileSystems = [new WasiMount(files, "/")] });
/// wasi.Run(module);
/// string result = files.ReadText("/out/result.txt");
/// </code></example>
public class MemoryFileSystem : IWasiFileSystem
{
    /// <summary>What a file, directory or link takes of <see cref="MaximumBytes"/> besides its content.</summary>
    internal const long NodeBytes = 512;

    private readonly MemoryDirectory root;
    private long used;
    private long nextId;

    /// <summary>Makes an empty file system.</summary>
    /// <param name="time">The clock of its files; the system's if null.</param>
    public MemoryFileSystem(TimeProvider? time = null)
        : this(time, null)
    {
    }

    private protected MemoryFileSystem(TimeProvider? time, IWasiDirectory? below)
    {
        Time = time ?? TimeProvider.System;
        root = new MemoryDirectory(this, null, below);
    }

    internal TimeProvider Time { get; }

    /// <summary>Guards all nodes.</summary>
    internal Lock Gate { get; } = new();

    /// <inheritdoc/>
    public IWasiDirectory Root => root;

    /// <inheritdoc/>
    public bool IsReadOnly { get; init; }

    /// <summary>The most bytes that all files together may hold, with some hundred for each file, link and directory, and the text of each link. A write beyond fails with <c>nospc</c>.</summary>
    public long MaximumBytes { get; init; } = 1L << 30;

    /// <summary>The bytes that it holds, counted as for <see cref="MaximumBytes"/>.</summary>
    public long UsedBytes => Interlocked.Read(ref used);

    internal ulong NewId() => (ulong)Interlocked.Increment(ref nextId);

    internal void Take(long bytes)
    {
        if (Interlocked.Add(ref used, bytes) <= MaximumBytes || bytes <= 0) return;
        Interlocked.Add(ref used, -bytes);
        throw new WasiFileException(WasiFileError.NoSpace);
    }

    // ---- what the host does ----

    /// <summary>Writes a file. Directories on the way are made, and a file that is there is replaced.</summary>
    /// <param name="path">The path from the root.</param>
    /// <param name="content">The content.</param>
    /// <exception cref="WasiFileException">A name on the way is not a directory, the path is a directory, or there is no room.</exception>
    public void WriteFile(string path, ReadOnlySpan<byte> content)
    {
        string[] names = NamesOf(path);
        if (names.Length == 0) throw new WasiFileException(WasiFileError.IsDirectory);
        lock (Gate)
        {
            MemoryDirectory directory = Enter(names.AsSpan(..^1));
            IWasiNode node = directory.Find(names[^1]) ?? directory.CreateFile(names[^1]);
            if (node is not IWasiFile file) throw new WasiFileException(node is IWasiDirectory ? WasiFileError.IsDirectory : WasiFileError.Invalid);
            file.SetLength(0);
            file.Write(0, content);
        }
    }

    /// <summary>Writes a text file as UTF-8; see <see cref="WriteFile(string, ReadOnlySpan{byte})"/>.</summary>
    /// <param name="path">The path from the root.</param>
    /// <param name="content">The content.</param>
    public void WriteFile(string path, string content) => WriteFile(path, Encoding.UTF8.GetBytes(content));

    /// <summary>The content of a file.</summary>
    /// <param name="path">The path from the root. Links are not followed.</param>
    /// <exception cref="WasiFileException">
    /// There is no such file, or it is longer than <see cref="MaximumBytes"/> (<see cref="WasiFileError.TooLarge"/>), as one can be that is mostly holes.
    /// </exception>
    public byte[] ReadFile(string path)
    {
        lock (Gate)
        {
            if (Find(path) is not IWasiFile file) throw new WasiFileException(WasiFileError.NotFound);
            if (file.Length > Math.Min(MaximumBytes, Array.MaxLength)) throw new WasiFileException(WasiFileError.TooLarge);
            byte[] bytes = new byte[file.Length];
            int read = file.Read(0, bytes);
            return read == bytes.Length ? bytes : bytes[..read];
        }
    }

    /// <summary>The content of a text file in UTF-8.</summary>
    /// <param name="path">The path from the root.</param>
    /// <exception cref="WasiFileException">As for <see cref="ReadFile"/>.</exception>
    public string ReadText(string path) => Encoding.UTF8.GetString(ReadFile(path));

    /// <summary>Makes a directory, and those on the way. One that is there stays as it is.</summary>
    /// <param name="path">The path from the root.</param>
    /// <exception cref="WasiFileException">A name on the way is not a directory, or there is no room.</exception>
    public void CreateDirectory(string path)
    {
        lock (Gate) Enter(NamesOf(path));
    }

    /// <summary>Makes a symbolic link. Directories on the way are made.</summary>
    /// <param name="path">The path of the link from the root.</param>
    /// <param name="target">What it stands for, seen from its directory.</param>
    /// <exception cref="WasiFileException">There is such an entry, or no room.</exception>
    public void CreateLink(string path, string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        string[] names = NamesOf(path);
        if (names.Length == 0) throw new WasiFileException(WasiFileError.Exists);
        lock (Gate) Enter(names.AsSpan(..^1)).CreateLink(names[^1], target);
    }

    /// <summary>A file, directory or link; null if there is none.</summary>
    /// <param name="path">The path from the root. Links are not followed.</param>
    public IWasiNode? Find(string path)
    {
        IWasiNode? node = root;
        lock (Gate)
        {
            foreach (string name in NamesOf(path)) node = (node as IWasiDirectory)?.Find(name);
        }
        return node;
    }

    /// <summary>The paths of all files, sorted. A guest can put directories into one another without end: paths of more than 4,096 characters are left out.</summary>
    public IReadOnlyList<string> ListFiles()
    {
        var paths = new List<string>();
        var open = new Stack<(string Path, IWasiDirectory Directory)>([("", root)]);
        lock (Gate)
        {
            while (open.TryPop(out (string Path, IWasiDirectory Directory) next))
            {
                foreach ((string name, IWasiNode node) in next.Directory.List())
                {
                    if (next.Path.Length + 1 + name.Length > GuestMemory.LongestPath) continue;
                    if (node is IWasiDirectory directory) open.Push(($"{next.Path}/{name}", directory));
                    else if (node is IWasiFile) paths.Add($"{next.Path}/{name}");
                }
            }
        }
        paths.Sort(StringComparer.Ordinal);
        return paths;
    }

    /// <summary>The directory of a path; what is missing on the way is made.</summary>
    private MemoryDirectory Enter(ReadOnlySpan<string> names)
    {
        MemoryDirectory directory = root;
        foreach (string name in names)
        {
            directory = directory.Find(name) switch
            {
                MemoryDirectory next => next,
                null => (MemoryDirectory)directory.CreateDirectory(name),
                _ => throw new WasiFileException(WasiFileError.NotDirectory),
            };
        }
        return directory;
    }

    private static string[] NamesOf(string path)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Any(name => name is "." or ".." || name.Contains('\0'))) throw new ArgumentException($"\"{path}\" is not a path of names alone.", nameof(path));
        return names;
    }
}
