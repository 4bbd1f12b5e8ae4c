using WasmJit.Cli;

if (Environment.ProcessorCount > 1) EarlyModule.Begin(args);
TextWriter output = StandardWriter.Output, error = StandardWriter.Errors;
// What fails on another thread would end the process as an abort does, which is the exit code of a guest's trap.
AppDomain.CurrentDomain.UnhandledException += (_, e) =>
{
    if (e.ExceptionObject is Exception exception) new Terminal(output, error).Crashed(exception);
    Environment.Exit(Tool.Crashed);
};
BrokenPipes.EndProcess();
return Tool.Run(args, output, error, ConfigurationFile.DefaultPath);
