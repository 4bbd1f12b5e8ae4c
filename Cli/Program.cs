using WasmJit.Cli;
using WasmJit.Wasi;

// Where the process was started without a standard stream, its number belongs to a pipe of the runtime's own.
TextWriter output = StandardStreams.IsOpen(1) ? Console.Out : TextWriter.Null, error = StandardStreams.IsOpen(2) ? Console.Error : TextWriter.Null;
return Tool.Run(args, output, error);
