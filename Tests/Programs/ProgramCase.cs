namespace WasmJit.Programs;

/// <summary>A line of <c>cases.txt</c>: a program in C, with what it is given and what it printed natively.</summary>
/// <param name="Name">The case's name.</param>
/// <param name="Program">The program's.</param>
/// <param name="Arguments">The arguments behind the program's name.</param>
/// <param name="Input">The file that is the standard input, relative to the program's directory; null if that is empty.</param>
/// <param name="IsLong">Whether it is one for the clock rather than for the tests.</param>
internal sealed record ProgramCase(string Name, string Program, IReadOnlyList<string> Arguments, string? Input, bool IsLong)
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "Programs");

    /// <summary>Where the programs find the scripts, and those that know how to say so their own files.</summary>
    internal static string Scripts { get; } = Path.Combine(Root, "Scripts");

    /// <summary>All cases, in the file's order.</summary>
    internal static IReadOnlyList<ProgramCase> All { get; } = [.. File.ReadLines(Path.Combine(Root, "cases.txt")).Where(l => l.Length > 0 && l[0] != '#').Select(Parse)];

    internal string[] CommandLine => [Program, .. Arguments];

    internal byte[] ReadModule() => ReadModule(Program);

    internal static byte[] ReadModule(string program) => File.ReadAllBytes(FileOf(program));

    /// <summary>The file of a program.</summary>
    internal static string FileOf(string program) => Path.Combine(Root, "Wasm", program + ".wasm");

    /// <summary>The file of a program as a component.</summary>
    internal static string ComponentOf(string program) => Path.Combine(Root, "Components", program + ".wasm");

    /// <summary>What a case prints as a component, if that is not what it prints natively.</summary>
    internal static string ComponentOutput(string name) => Path.Combine(Root, "Components", name + ".txt");

    internal byte[] ReadInput() => Input is null ? [] : File.ReadAllBytes(Path.Combine(Scripts, Path.GetFileName(Input)));

    /// <summary>What the program printed natively, and its exit code.</summary>
    internal string ReadExpected() => File.ReadAllText(Path.Combine(Root, "Expected", Name + ".txt"));

    /// <summary>What a run did in the form of the expected one.</summary>
    internal static string Transcript(string output, string error, int exitCode) =>
        $"{output}{(error.Length > 0 ? "--- error\n" + error : "")}--- exit {exitCode}\n";

    /// <summary>An empty directory for a run; in memory where that is possible, since some programs sync their files often.</summary>
    internal static DirectoryInfo MakeDirectory()
    {
        const string memory = "/dev/shm";
        const long enough = 32 << 20;
        try
        {
            if (OperatingSystem.IsLinux() && Directory.Exists(memory) && new DriveInfo(memory).AvailableFreeSpace > enough)
                return Directory.CreateDirectory(Path.Combine(memory, "wasmjit-" + Guid.NewGuid().ToString("n")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is not ours to write.
        }
        return Directory.CreateTempSubdirectory("wasmjit-");
    }

    private static ProgramCase Parse(string line)
    {
        bool isLong = line[0] == '@';
        string[] parts = line[(isLong ? 1 : 0)..].Split(": ", 2);
        string[] command = parts[1].Split(" < ");
        string[] words = command[0].Split(' ');
        return new ProgramCase(parts[0], words[0], words[1..], command.Length > 1 ? command[1] : null, isLong);
    }
}
