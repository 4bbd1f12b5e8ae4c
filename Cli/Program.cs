using WasmJit.Cli;
using WasmJit.Wasi;

// If the process was started without a standard stream, .NET uses its descriptor number for a pipe of its own.
TextWriter output = StandardStreams.IsOpen(1) ? Console.Out : TextWriter.Null, error = StandardStreams.IsOpen(2) ? Console.Error : TextWriter.Null;
return Tool.Run(args, output, error);
