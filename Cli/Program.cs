using WasmJit.Cli;
using WasmJit.Wasi;

// If the process was started without a standard stream, .NET uses its descriptor number for a pipe of its own.
TextWriter output = StandardStreams.IsOpen(1) ? Console.Out : TextWriter.Null, error = StandardStreams.IsOpen(2) ? Console.Error : TextWriter.Null;
// What fails on another thread would end the process as an abort does, which is the exit code of a guest's trap.
AppDomain.CurrentDomain.UnhandledException += (_, e) =>
{
    if (e.ExceptionObject is Exception exception) new Terminal(output, error).Crashed(exception);
    Environment.Exit(Tool.Crashed);
};
BrokenPipes.EndProcess();
return Tool.Run(args, output, error, Configuration.DefaultPath);
