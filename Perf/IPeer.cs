namespace WasmJit.Perf;

/// <summary>An engine to measure, reduced to what the measurements need.</summary>
internal interface IPeer
{
    string Name { get; }

    IPeerModule Compile(byte[] bytes);
}

/// <summary>A module of an engine.</summary>
internal interface IPeerModule : IDisposable
{
    /// <param name="host">What a module gets that imports <c>env.host</c>.</param>
    IPeerInstance Instantiate(Func<int, int>? host = null);
}

/// <summary>An instance of a module.</summary>
internal interface IPeerInstance : IDisposable
{
    Func<int, long> GetLongFunction(string name);

    Func<int, int> GetFunction(string name);
}
