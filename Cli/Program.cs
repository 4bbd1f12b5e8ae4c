return WasmJit.Cli.Tool.Run(args, Console.Out, Console.Error);
